/* A user's connection: its life, its socket, and how it ends. */
#include "worker/relay/user.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/http/page.h"
#include "common/net/sockopt.h"
#include "worker/relay/session.h"
#include "worker/relay/upstream.h"

/* Free everything at the end of the turn; nobody may find it any more. */
static void
destroy(struct user *u, bool reset, enum msg_end why)
{
	struct relay *r = u->relay;

	if (u->state == USER_DEAD)
		return;
	u->state = USER_DEAD;
	while (u->ups != NULL)
		upstream_end(u->ups);
	user_ask_stop(u);
	turn_cancel(&u->resume);
	deadline_drop(&u->timer);
	deadline_drop(&u->look);
	event_del(&u->ev);
	sockopt_reset_on_close(u->fd, reset);
	close(u->fd);
	outq_free(&u->out);
	free(u->in);
	free(u->part);
	free(u->rest);
	idmap_take(&r->conns, u->conn.id);
	if (!u->rerouted) /* its first relay counts it */
		counter_add(&r->counters->all[COUNTER_CLOSED], 1);
	relay_closed(r, u->conn.id, why, u->up, u->down);
	relay_bury(r, &u->grave, u);
}

void
user_abort(struct user *u, enum msg_end why)
{
	destroy(u, true, why);
}

/* Nothing is under way in either direction: start its idle time anew. */
static void
touch(struct user *u)
{
	struct relay *r = u->relay;

	if (u->state == USER_OPEN && !u->heading)
		deadline_set(&r->idles, &u->timer, turn_now(r->turn));
	else if (u->state == USER_ENDING)
		deadline_set(&r->endings, &u->timer, turn_now(r->turn));
}

/* All has left: our FIN, and close when the user's has come or is late. */
static void
linger(struct user *u)
{
	while (u->ups != NULL)
		upstream_leave(u->ups);
	u->state = USER_LINGER;
	if (u->eof) {
		destroy(u, false, END_CLEAN);
		return;
	}
	if (shutdown(u->fd, SHUT_WR) == -1) {
		destroy(u, true, END_RESET);
		return;
	}
	deadline_set(&u->relay->lingers, &u->timer, turn_now(u->relay->turn));
	u->readable = true;
	user_resume(u);
}

/*
 * Let go of the upstreams. The one that bytes still wait from stays until
 * they have left: its window is what bounds them.
 */
static void
leave_all(struct user *u)
{
	struct upstream *up, *next;

	for (up = u->ups; up != NULL; up = next) {
		next = up->next;
		if (up == u->current && u->sending)
			upstream_end(up);
		else if (up == u->current && outq_left(&u->out) > 0)
			upstream_shut(up);
		else
			upstream_leave(up);
	}
}

void
user_finish(struct user *u)
{
	if (u->state != USER_OPEN)
		return;
	u->state = USER_ENDING;
	user_ask_stop(u);
	leave_all(u);
	if (outq_left(&u->out) == 0)
		linger(u);
	else
		touch(u);
}

void
user_rested(struct user *u)
{
	if (u->state == USER_OPEN && u->nasked == 0 && !u->sending &&
	    !walk_is_opaque(&u->req) && u->current != NULL &&
	    upstream_leaves(u->current))
		upstream_leave(u->current);
}

void
user_shut(struct user *u)
{
	if (outq_left(&u->out) == 0)
		shutdown(u->fd, SHUT_WR);
}

void
user_credit(struct user *u, size_t sent)
{
	if (u->state == USER_DEAD || u->current == NULL)
		return;
	/* With nothing queued all has left, whatever was rewritten. */
	if (outq_left(&u->out) == 0)
		sent = u->current->owed;
	upstream_sent(u->current, sent);
}

void
user_send(struct user *u, const struct iovec *iov, int n)
{
	ssize_t sent;

	if (u->state == USER_DEAD)
		return;
	for (int i = 0; i < n; i++)
		u->down += iov[i].iov_len;
	if ((sent = outq_send(&u->out, u->fd, iov, n)) == -1) {
		destroy(u, true, END_RESET);
		return;
	}
	touch(u);
	user_credit(u, (size_t)sent);
}

void
user_refuse(struct user *u, int status, const char *text)
{
	char out[PAGE_MAX];
	struct iovec iov = { out, 0 };
	struct page page = {
		.status = status,
		.text = text,
		.json = u->asked[0].json,
		.head_only = u->asked[0].method == HEAD_METHOD_HEAD,
	};
	const struct upstream *up = u->current;
	char peer[ADDR_TEXT];

	if (u->state != USER_OPEN)
		return;
	if (u->begun) {
		destroy(u, true, END_LOST);
		return;
	}
	iov.iov_len = page_make(out, sizeof(out), &page);
	log_info("%s: %d %s%s%s%s%s", addr_format(peer, &u->peer), status,
	    page_reason(status), up != NULL ? ": " : "",
	    up != NULL ? up->name : "", text != NULL ? ": " : "",
	    text != NULL ? text : "");
	user_send(u, &iov, 1);
	user_finish(u);
}

/* Drop what the user still says after our last word. */
static void
discard(struct user *u)
{
	ssize_t n;

	while (u->readable) {
		n = read(u->fd, turn_scratch(u->relay->turn), USER_READ);
		if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
			u->readable = false;
			return;
		}
		if (n > 0)
			u->discarded += (uint32_t)n;
		if (n <= 0 || u->discarded > USER_DISCARD) {
			destroy(u, n != 0, n == 0 ? END_CLEAN : END_RESET);
			return;
		}
	}
}

/* Keep the last n bytes at p back; they may lie in u->in itself. */
static int
keep(struct user *u, const uint8_t *p, size_t n)
{
	uint8_t *copy = NULL;

	if (n > 0) {
		if ((copy = malloc(n)) == NULL)
			return -1;
		memcpy(copy, p, n);
	}
	free(u->in);
	u->in = copy;
	u->in_len = (uint32_t)n;
	return 0;
}

/* The user has sent its last byte, and all of it has been passed on. */
static void
input_ended(struct user *u)
{
	if (u->sending && u->nasked > 0) {
		destroy(u, true, END_RESET);
		return;
	}
	if (u->sending) {
		user_finish(u);
		return;
	}
	/* Half a head is no request. */
	keep(u, NULL, 0);
	u->heading = false;
	touch(u);
	if (u->current != NULL)
		upstream_shut(u->current);
	if (walk_is_opaque(&u->req) ? !u->shut : u->nasked > 0)
		return;
	if (u->current != NULL && !upstream_flushed(u->current))
		u->wait = WAIT_ROOM;
	else
		user_finish(u);
}

/*
 * The other relay has closed its end rather than shut it: if something was
 * under way its user is gone, and that is passed on as what it is.
 */
static bool
was_cut(struct user *u)
{
	return u->rerouted && !u->shut && relay_hung_up(u->fd) &&
	    (walk_is_opaque(&u->req) || u->nasked > 0 || u->sending);
}

/* Look at what is kept back and at what is new, as far as may be. */
static void
feed(struct user *u, uint8_t *p, size_t n)
{
	bool unfinished;
	size_t used;

	u->wait = WAIT_NOTHING;
	used = request_feed(u, p, n);
	if (u->state == USER_DEAD)
		return;
	if (u->state != USER_OPEN)
		used = n;
	if (keep(u, p + used, n - used) == -1) {
		destroy(u, true, END_LIMIT);
		return;
	}
	if (u->state != USER_OPEN)
		return;
	/* An unfinished head has a deadline from its first byte on. */
	unfinished = u->wait == WAIT_NOTHING && u->in_len > 0;
	if (unfinished && !u->heading)
		deadline_set(
		    &u->relay->heads, &u->timer, turn_now(u->relay->turn));
	u->heading = unfinished;
	touch(u);
}

/*
 * A reset must be noticed also while nothing is read, and behind a FIN, after
 * which read() knows nothing but the end.
 */
static bool
is_reset(const struct user *u)
{
	int err = 0;
	socklen_t len = sizeof(err);

	return getsockopt(u->fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0 &&
	    err != 0;
}

/* Read once and pass it on. Returns how many bytes came. */
static size_t
pull_once(struct user *u)
{
	uint8_t *p = turn_scratch(u->relay->turn);
	ssize_t n;

	if (u->in_len > HEAD_MAX) { /* the walker would have refused it */
		destroy(u, true, END_LIMIT);
		return 0;
	}
	if (u->in_len > 0)
		memcpy(p, u->in, u->in_len);
	n = read(u->fd, p + u->in_len, USER_READ);
	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		destroy(u, true, END_RESET);
		return 0;
	}
	if (n == 0 && (is_reset(u) || was_cut(u))) {
		destroy(u, true, END_RESET);
		return 0;
	}
	u->eof = n == 0;
	if (n <= 0) {
		u->readable = false;
		return 0;
	}
	/* A short read has drained it, but for an end announced before. */
	if (n < USER_READ && !u->closed) {
		u->readable = false;
		deadline_set(
		    &u->relay->looks, &u->look, turn_now(u->relay->turn));
	}
	u->up += (uint64_t)n;
	feed(u, p, u->in_len + (size_t)n);
	return (size_t)n;
}

static bool
may_pull(const struct user *u)
{
	return u->state == USER_OPEN && u->wait == WAIT_NOTHING;
}

/* Read and pass on while there is something to read and somewhere to go. */
static void
pull(struct user *u)
{
	size_t got = 0, kept = u->in_len;

	if (u->wait == WAIT_ASK || u->wait == WAIT_QUEUE)
		return;
	if (u->wait != WAIT_NOTHING) {
		uint8_t *p = turn_scratch(u->relay->turn);

		if (kept > 0)
			memcpy(p, u->in, kept);
		feed(u, p, kept);
	}
	while (may_pull(u) && u->readable && got < TURN_READ)
		got += pull_once(u);
	if (may_pull(u) && u->readable)
		turn_next(u->relay->turn, &u->resume); /* others' turn */
	else if (may_pull(u) && u->eof)
		input_ended(u);
}

static void
on_resume(void *arg)
{
	struct user *u = arg;

	if (u->state == USER_OPEN)
		pull(u);
	else if (u->state == USER_LINGER)
		discard(u);
}

void
user_resume(struct user *u)
{
	if (u->state != USER_DEAD)
		turn_end(u->relay->turn, &u->resume);
}

/* The socket takes bytes again. */
static void
push(struct user *u)
{
	ssize_t sent;

	if ((sent = outq_flush(&u->out, u->fd)) == -1) {
		destroy(u, true, END_RESET);
		return;
	}
	touch(u);
	user_credit(u, (size_t)sent);
	if (u->state == USER_DEAD || outq_left(&u->out) > 0)
		return;
	if (u->state == USER_ENDING)
		linger(u);
	else if (u->shut)
		user_shut(u);
	else if (u->wait == WAIT_ANSWERS)
		user_resume(u);
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct user *u = arg;

	(void)fd;
	if ((what & EV_WRITE) && outq_left(&u->out) > 0)
		push(u);
	if ((what & (EV_READ | EV_CLOSED)) == 0 || u->state == USER_DEAD)
		return;
	u->readable = true;
	if (what & EV_CLOSED)
		u->closed = true;
	if (u->state == USER_LINGER)
		discard(u);
	else if (may_pull(u))
		pull(u);
	else if (is_reset(u) || was_cut(u))
		destroy(u, true, END_RESET);
}

/* Nothing has happened for too long while the connection was open. */
static void
open_expired(struct user *u)
{
	struct relay *r = u->relay;

	if (u->heading && u->nasked > 0)
		/* It is not yet its turn. */
		deadline_set(&r->heads, &u->timer, turn_now(r->turn));
	else if (u->heading)
		user_refuse(u, 408, NULL);
	else if (!u->begun && (u->nasked > 0 || u->in_len > 0))
		user_refuse(u, 504, NULL);
	else
		destroy(u, u->nasked > 0, END_TIMEOUT);
}

void
user_expired(struct user *u)
{
	if (u->state == USER_OPEN)
		open_expired(u);
	else
		destroy(u, u->state == USER_ENDING, END_TIMEOUT);
}

void
user_look(struct user *u)
{
	u->readable = true;
	if (may_pull(u))
		pull(u);
	else if (is_reset(u))
		destroy(u, true, END_RESET);
}

void
user_drain(struct user *u)
{
	if (u->state == USER_OPEN && u->nasked == 0 && u->in_len == 0 &&
	    !u->sending && !u->readable && !walk_is_opaque(&u->req))
		user_finish(u);
}

static int
start(struct user *u, uint64_t generation, uint16_t service, const char *name)
{
	struct relay *r = u->relay;
	struct session *s = session_find(r, generation);

	if (event_assign(&u->ev, r->base, u->fd,
		EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, on_event,
		u) == -1 ||
	    event_add(&u->ev, NULL) == -1)
		return -1;
	if (idmap_put(&r->conns, u->conn.id, u) == -1)
		return -1;
	/* A session that has just died: the first request will ask again. */
	if (s == NULL)
		return 0;
	if (s->streams_max > 0 && s->users >= s->streams_max)
		u->bad = 503;
	u->current = upstream_to_service(u, s, service, name);
	return u->current == NULL ? -1 : 0;
}

void
user_new(struct relay *r, uint32_t conn, int fd, const struct msg_conn *c,
    uint64_t generation, uint16_t service, bool rerouted, const char *name)
{
	struct user *u;

	if ((u = calloc(1, sizeof(*u))) == NULL) {
		close(fd);
		relay_closed(r, conn, END_LIMIT, 0, 0);
		return;
	}
	u->conn.id = conn;
	u->conn.kind = CONN_USER;
	u->relay = r;
	u->fd = fd;
	u->scheme = c->scheme;
	u->peer = c->peer;
	u->local = c->local;
	u->rerouted = rerouted;
	walk_init_request(&u->req, r->conf.head_max);
	walk_init_response(&u->resp, HEAD_MAX);
	turn_item_init(&u->resume, on_resume, u);
	if (!rerouted)
		counter_add(&r->counters->all[COUNTER_OPENED], 1);
	if (start(u, generation, service, name) == -1) {
		if (event_initialized(&u->ev))
			event_del(&u->ev);
		idmap_take(&r->conns, conn);
		close(fd);
		relay_closed(r, conn, END_LIMIT, 0, 0);
		free(u);
		return;
	}
	touch(u);
	/* The head is there: an edge has seen it. */
	u->readable = true;
	user_resume(u);
}
