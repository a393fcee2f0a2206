/* A user's connection: its life, its output, and how it ends. */
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
#include "worker/relay/journal.h"
#include "worker/relay/opaque.h"
#include "worker/relay/session.h"
#include "worker/relay/upstream.h"

/* Free everything at the end of the turn; nobody may find it any more. */
static void
destroy(struct user *u, bool reset, enum msg_end why)
{
	struct relay *r = u->relay;

	if (u->state == USER_DEAD)
		return;
	journal_ended(u);
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

void
user_close(struct user *u)
{
	destroy(u, false, END_CLEAN);
}

/* Whether an idle time of its own has begun for both directions. */
static bool
begins_anew(struct user *u, enum user_way moved)
{
	u->moved |= moved & USER_BOTH;
	if (u->relay->conf.one_way && u->moved != USER_BOTH)
		return false;
	u->moved = 0;
	return true;
}

void
user_touch(struct user *u, enum user_way moved)
{
	struct relay *r = u->relay;

	if (u->state == USER_OPEN && !u->heading && begins_anew(u, moved))
		deadline_set(&r->idles, &u->timer, turn_now(r->turn));
	else if (u->state == USER_ENDING)
		deadline_set(&r->endings, &u->timer, turn_now(r->turn));
}

/*
 * All has left: our FIN, and close when the user's has come or is late, for
 * what comes in between must not become a reset that overtakes our answer
 * (RFC 9112, section 9.6). Who asked us to close sends nothing in between.
 */
static void
linger(struct user *u)
{
	while (u->ups != NULL)
		upstream_leave(u->ups);
	u->state = USER_LINGER;
	if (u->eof || (u->silent && !u->readable && !u->paired)) {
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
		user_touch(u, USER_BOTH);
}

void
user_rested(struct user *u)
{
	if (u->state != USER_OPEN || u->nasked > 0 || u->sending ||
	    walk_is_opaque(&u->req) || u->current == NULL ||
	    !upstream_leaves(u->current))
		return;
	upstream_leave(u->current);
	if (u->rerouted) /* see input_pull() */
		user_resume(u);
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
	user_touch(u, USER_DOWN);
	user_credit(u, (size_t)sent);
}

void
user_deny(
    struct user *u, int status, const char *text, const char *fields, bool stay)
{
	char out[PAGE_MAX];
	struct iovec iov = { out, 0 };
	struct page page = {
		.status = status,
		.text = text,
		.fields = fields,
		.json = u->asked[0].json,
		.head_only = u->asked[0].method == HEAD_METHOD_HEAD,
		.keepalive = stay,
	};
	const struct upstream *up = u->current;
	char peer[ADDR_TEXT];

	if (u->state != USER_OPEN)
		return;
	if (u->opaque) {
		opaque_refuse(u, status, text);
		return;
	}
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
	if (u->state == USER_OPEN)
		journal_refused(u, status, stay);
	if (!stay)
		user_finish(u);
}

void
user_refuse(struct user *u, int status, const char *text)
{
	user_deny(u, status, text, NULL, false);
}

static void
on_resume(void *arg)
{
	struct user *u = arg;

	if (u->state == USER_OPEN)
		input_pull(u);
	else if (u->state == USER_LINGER)
		input_discard(u);
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
	user_touch(u, USER_DOWN);
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
		input_discard(u);
	else if (input_may_pull(u))
		input_pull(u);
	else if (input_is_cut(u))
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
		/* What is not HTTP must not take this for the end of it. */
		destroy(u, u->nasked > 0 || u->opaque, END_TIMEOUT);
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
	if (input_may_pull(u))
		input_pull(u);
	else if (input_is_cut(u))
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
	if (s != NULL && session_is_full(s, service, &u->peer))
		u->bad = 503;
	if (u->opaque)
		return opaque_start(u, s, service, name);
	/* A session that has just died: the first request will ask again. */
	if (s == NULL)
		return 0;
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
	u->opaque = !msg_scheme_is_http(c->scheme);
	u->peer = c->peer;
	u->local = c->local;
	u->rerouted = rerouted;
	u->paired =
	    rerouted || c->scheme == SCHEME_HTTPS || c->scheme == SCHEME_TLS;
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
	if (u->opaque)
		journal_stream(u);
	user_touch(u, USER_BOTH);
	/* The head is there: an edge has seen it; or a stream is to open. */
	u->readable = true;
	user_resume(u);
}
