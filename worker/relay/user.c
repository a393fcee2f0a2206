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

/* It waits for no answer of the master any more. */
static void
stop_asking(struct user *u)
{
	struct relay *r = u->relay;
	struct user **at = &r->ask_queue;

	if (u->wait == WAIT_ASK)
		r->asks--;
	if (u->wait == WAIT_QUEUE) {
		while (*at != u)
			at = &(*at)->ask_next;
		*at = u->ask_next;
		if (*at == NULL)
			r->ask_tail = at;
	}
	if (u->wait == WAIT_ASK || u->wait == WAIT_QUEUE)
		u->wait = WAIT_ROOM;
	free(u->asking);
	u->asking = NULL;
}

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
	stop_asking(u);
	turn_cancel(&u->resume);
	deadline_drop(&u->timer);
	event_free(u->ev);
	sockopt_reset_on_close(u->fd, reset);
	close(u->fd);
	outq_free(&u->out);
	free(u->in);
	free(u->part);
	idmap_take(&r->conns, u->conn.id);
	counter_add(&r->counters->all[COUNTER_CLOSED], 1);
	relay_closed(r, u->conn.id, why, u->up, u->down);
	relay_bury(r, &u->grave, u);
}

void
user_abort(struct user *u, enum msg_end why)
{
	destroy(u, true, why);
}

/* Our FIN is out; close when the user's has come, or has taken too long. */
static void
linger(struct user *u)
{
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

void
user_finish(struct user *u)
{
	if (u->state != USER_OPEN)
		return;
	u->state = USER_ENDING;
	deadline_drop(&u->timer);
	while (u->ups != NULL)
		upstream_leave(u->ups);
	if (outq_left(&u->out) == 0)
		linger(u);
}

void
user_shut(struct user *u)
{
	if (outq_left(&u->out) == 0)
		shutdown(u->fd, SHUT_WR);
}

static void
credit(struct user *u, size_t sent)
{
	if (u->current == NULL)
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
	sent = outq_send(&u->out, u->fd, iov, n);
	if (sent == -1)
		destroy(u, true, END_RESET);
	else
		credit(u, (size_t)sent);
}

void
user_refuse(struct user *u, int status, const char *text)
{
	char out[PAGE_MAX];
	struct iovec iov = { out, 0 };
	struct page page = { .status = status, .text = text };

	if (u->state != USER_OPEN)
		return;
	if (u->nasked > 0) {
		page.json = u->asked[0].json;
		page.head_only = u->asked[0].method == HEAD_METHOD_HEAD;
	}
	iov.iov_len = page_make(out, sizeof(out), &page);
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
	enum walk_eof how = walk_eof(&u->req);

	if (how == WALK_EOF_CUT || u->in_len > 0) {
		destroy(u, u->nasked > 0, END_RESET);
		return;
	}
	if (u->current != NULL)
		upstream_shut(u->current);
	if (walk_is_opaque(&u->req) ? u->shut : u->nasked == 0)
		user_finish(u);
}

/* Look at what is kept back and at what is new, as far as may be. */
static void
feed(struct user *u, uint8_t *p, size_t n)
{
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
	/* An unfinished head has a deadline from its first byte on. */
	if (u->wait == WAIT_NOTHING && u->in_len > 0 && !u->heading &&
	    u->state == USER_OPEN) {
		u->heading = true;
		deadline_set(
		    &u->relay->heads, &u->timer, turn_now(u->relay->turn));
	}
}

static void
rest(struct user *u)
{
	if (u->state != USER_OPEN || u->in_len > 0)
		return;
	u->heading = false;
	deadline_drop(&u->timer);
	deadline_set(&u->relay->idles, &u->timer, turn_now(u->relay->turn));
}

/* Read and pass on while there is something to read and somewhere to go. */
static void
pull(struct user *u)
{
	uint8_t *p = turn_scratch(u->relay->turn);
	ssize_t n;

	if (u->wait == WAIT_ASK || u->wait == WAIT_QUEUE)
		return;
	if (u->in_len > 0 && u->wait != WAIT_NOTHING) {
		size_t kept = u->in_len;

		memcpy(p, u->in, kept);
		feed(u, p, kept);
		if (u->state != USER_OPEN || u->wait != WAIT_NOTHING)
			return;
	} else if (u->wait != WAIT_NOTHING) {
		feed(u, p, 0);
	}
	while (
	    u->readable && u->wait == WAIT_NOTHING && u->state == USER_OPEN) {
		if (u->in_len > 0)
			memcpy(p, u->in, u->in_len);
		n = read(u->fd, p + u->in_len, USER_READ);
		if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
			u->readable = false;
			break;
		}
		if (n == -1) {
			destroy(u, true, END_RESET);
			return;
		}
		if (n == 0) {
			u->eof = true;
			u->readable = false;
			break;
		}
		if (n < USER_READ && !u->closed)
			u->readable = false;
		u->up += (uint64_t)n;
		feed(u, p, u->in_len + (size_t)n);
	}
	if (u->eof && u->wait == WAIT_NOTHING && u->state == USER_OPEN)
		input_ended(u);
	else if (u->state == USER_OPEN && u->wait == WAIT_NOTHING)
		rest(u);
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

/* While nothing is read, a reset must be noticed all the same. */
static bool
is_reset(const struct user *u)
{
	int err = 0;
	socklen_t len = sizeof(err);

	return getsockopt(u->fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0 &&
	    err != 0;
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct user *u = arg;
	ssize_t sent;

	if ((what & EV_WRITE) && outq_left(&u->out) > 0) {
		if ((sent = outq_flush(&u->out, fd)) == -1) {
			destroy(u, true, END_RESET);
			return;
		}
		credit(u, (size_t)sent);
		if (u->state == USER_ENDING && outq_left(&u->out) == 0)
			linger(u);
		else if (u->state == USER_OPEN && u->shut)
			user_shut(u);
	}
	if ((what & (EV_READ | EV_CLOSED)) == 0)
		return;
	u->readable = true;
	if (what & EV_CLOSED)
		u->closed = true;
	if (u->state == USER_LINGER) {
		discard(u);
	} else if (u->state == USER_OPEN && u->wait == WAIT_NOTHING) {
		pull(u);
	} else if (u->state < USER_LINGER && is_reset(u)) {
		destroy(u, true, END_RESET);
	}
}

void
user_expired(struct user *u)
{
	if (u->state == USER_LINGER)
		destroy(u, false, END_CLEAN);
	else if (u->in_len > 0 && u->wait == WAIT_NOTHING)
		user_refuse(u, 408, NULL);
	else if (u->nasked > 0 && !u->begun)
		user_refuse(u, 504, NULL);
	else
		destroy(u, u->nasked > 0, END_TIMEOUT);
}

void
user_drain(struct user *u)
{
	if (u->state == USER_OPEN && u->nasked == 0 && u->in_len == 0 &&
	    !walk_is_opaque(&u->req))
		user_finish(u);
}

/* Send the question, or queue for it: at most RELAY_ASKS_MAX at a time. */
static void
send_question(struct user *u)
{
	struct relay *r = u->relay;
	uint8_t payload[256];
	struct buf b;

	if (r->asks >= RELAY_ASKS_MAX) {
		u->wait = WAIT_QUEUE;
		u->ask_next = NULL;
		*r->ask_tail = u;
		r->ask_tail = &u->ask_next;
		return;
	}
	u->wait = WAIT_ASK;
	r->asks++;
	buf_write(&b, payload, sizeof(payload));
	buf_put_cstr8(&b, u->asking);
	chan_send(r->chan, MSG_ASK, u->conn.id, payload, buf_used(&b), -1);
}

void
user_ask(struct user *u, const char *name)
{
	if ((u->asking = strdup(name)) == NULL)
		u->bad = 503;
	else
		send_question(u);
}

/* An answer has come: go on, and let whoever waits to ask do so. */
static int
answered(struct user *u)
{
	struct relay *r = u->relay;
	struct user *next = r->ask_queue;

	if (u->wait != WAIT_ASK)
		return -1;
	r->asks--;
	u->wait = WAIT_ROOM;
	user_resume(u);
	if (next != NULL) {
		r->ask_queue = next->ask_next;
		if (r->ask_queue == NULL)
			r->ask_tail = &r->ask_queue;
		send_question(next);
	}
	return 0;
}

int
user_ask_same(struct user *u, uint64_t generation, uint16_t service)
{
	struct session *s = session_find(u->relay, generation);

	if (answered(u) == -1)
		return -1;
	if (s != NULL)
		request_routed(u, s, service, -1);
	stop_asking(u);
	return 0;
}

int
user_ask_fd(struct user *u, int fd)
{
	if (answered(u) == -1) {
		close(fd);
		return -1;
	}
	request_routed(u, NULL, 0, fd);
	stop_asking(u);
	return 0;
}

int
user_ask_no(struct user *u, uint16_t status)
{
	if (answered(u) == -1)
		return -1;
	u->bad = status;
	stop_asking(u);
	return 0;
}

static int
start(struct user *u, uint64_t generation, uint16_t service, const char *name)
{
	struct relay *r = u->relay;
	struct session *s = session_find(r, generation);

	u->ev = event_new(r->base, u->fd,
	    EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, on_event, u);
	if (u->ev == NULL || event_add(u->ev, NULL) == -1)
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
	counter_add(&r->counters->all[COUNTER_OPENED], 1);
	if (start(u, generation, service, name) == -1) {
		if (u->ev != NULL)
			event_free(u->ev);
		idmap_take(&r->conns, conn);
		close(fd);
		relay_closed(r, conn, END_LIMIT, 0, 0);
		free(u);
		return;
	}
	/* The head is there: an edge has seen it. */
	u->readable = true;
	user_resume(u);
}
