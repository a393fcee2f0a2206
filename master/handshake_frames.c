/* Logins under way: the frames that are passed on. */
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/tunnel/preface.h"
#include "common/tunnel/prologue.h"
#include "master/feed.h"
#include "master/handshake_impl.h"
#include "master/login.h"
#include "master/workers.h"

/*
 * The handshake that a frame is about. `broken`: the sender may not speak of
 * this connection at all. NULL without it: it is over, and the frame crossed
 * the news of that.
 */
static struct handshake *
find(struct worker *w, uint32_t id, bool *broken)
{
	struct conn *c = conns_find(w->master->conns, id);

	*broken = w->role == ROLE_RELAY && (c == NULL || c->worker != w);
	return c != NULL ? c->handshake : NULL;
}

/* The first blob is the preface, with which keys begins. */
static int
start(struct master *m, struct handshake *h, const struct msg *msg)
{
	struct worker *keys = workers_only(m->workers, ROLE_KEYS);
	uint8_t payload[3 + PREFACE_MAX + ADDR_WIRE];
	struct preface preface;
	struct buf b;

	if (preface_parse(&preface, msg->p, msg->n) != (int)msg->n ||
	    preface.kind != PREFACE_SESSION)
		return -1;
	/* From here on no other relay could read it from its beginning. */
	if (h->conn->fd != -1)
		close(conn_take_fd(h->conn));
	if (keys == NULL) {
		handshake_fail(m, h, LOGIN_BUSY);
		return 0;
	}
	buf_write(&b, payload, sizeof(payload));
	buf_put_u8(&b, TRANSPORT_TCP);
	buf_put_str8(&b, "", 0);
	buf_put_str8(&b, msg->p, msg->n);
	addr_put(&b, &h->conn->who.peer);
	h->progress |= HANDSHAKE_STARTED;
	worker_send(keys, MSG_HS_START, msg->id, payload, buf_used(&b));
	return 0;
}

/* Pass a frame on as it is. */
static void
forward(struct master *m, struct handshake *h, struct worker *to,
    const struct msg *msg)
{
	if (to == NULL)
		handshake_fail(m, h, LOGIN_BUSY);
	else
		worker_send(to, msg->type, msg->id, msg->p, msg->n);
}

int
handshake_on_in(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct handshake *h;
	bool broken;

	if ((h = find(w, msg->id, &broken)) == NULL)
		return broken ? -1 : 0;
	if (broken)
		return -1;
	if ((h->progress & HANDSHAKE_STARTED) == 0)
		return start(w->master, h, msg);
	forward(w->master, h, workers_only(w->master->workers, ROLE_KEYS), msg);
	return 0;
}

int
handshake_on_relay_fail(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct handshake *h;
	bool broken;

	h = find(w, msg->id, &broken);
	if (broken)
		return -1;
	if (h == NULL)
		return 0;
	handshake_log_refusal(
	    h, msg->p[0] < LOGIN_CODES ? msg->p[0] : LOGIN_BAD, "");
	handshake_tell_guards(w->master, h, LOGIN_BAD);
	h->conn->state = CONN_ENDING; /* CLOSED follows */
	handshake_end(w->master->handshakes, h);
	return 0;
}

int
handshake_on_out(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct handshake *h;
	struct conn *c;
	bool broken;

	if ((h = find(w, msg->id, &broken)) == NULL)
		return 0;
	c = h->conn;
	forward(w->master, h, c->worker, msg);
	if (c->handshake != NULL &&
	    (h->progress & HANDSHAKE_KEYED) != 0) { /* that was ACCEPTED */
		handshake_end(w->master->handshakes, h);
		login_done(w->master, c);
	}
	return 0;
}

int
handshake_on_login(void *arg, const struct msg *msg)
{
	struct worker *w = arg, *auth;
	struct handshake *h;
	bool broken;

	if ((h = find(w, msg->id, &broken)) == NULL)
		return 0;
	if ((h->progress & HANDSHAKE_JUDGED) != 0 ||
	    (h->progress & HANDSHAKE_GRANTED) != 0)
		return -1;
	h->progress |= HANDSHAKE_JUDGED;
	if ((auth = feed_auth(w->master)) != NULL &&
	    handshake_is_locked(w->master, h))
		worker_send(auth, MSG_HS_LOCKED, msg->id, NULL, 0);
	forward(w->master, h, auth, msg);
	return 0;
}

int
handshake_on_more(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct handshake *h;
	bool broken;

	if ((h = find(w, msg->id, &broken)) != NULL &&
	    (h->progress & HANDSHAKE_JUDGED) != 0)
		forward(w->master, h, feed_auth(w->master), msg);
	return 0;
}

int
handshake_on_reply(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct handshake *h;
	bool broken;

	if ((h = find(w, msg->id, &broken)) == NULL ||
	    (h->progress & HANDSHAKE_JUDGED) == 0)
		return 0;
	h->progress |= HANDSHAKE_PROVING;
	forward(w->master, h, workers_only(w->master->workers, ROLE_KEYS), msg);
	return 0;
}

int
handshake_on_grant(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct handshake *h;
	bool broken;

	if ((h = find(w, msg->id, &broken)) == NULL)
		return login_missed(w->master, msg);
	if ((h->progress & HANDSHAKE_JUDGED) == 0)
		return -1;
	h->progress &= ~HANDSHAKE_JUDGED;
	if (!handshake_is_locked(w->master, h))
		sources_succeeded(h->source);
	return login_grant(w->master, h->conn, msg);
}

/* It goes to the log. */
static bool
is_label(const char *id)
{
	char label[TEXT_LABEL_MAX + 1];

	return text_label(label, id, strlen(id)) == 0;
}

/* What auth says of one that it refuses. -1: malformed. */
static int
get_refusal(const struct msg *msg, uint8_t *code, char id[TEXT_LABEL_MAX + 1],
    struct buf *reply)
{
	buf_read(reply, msg->p, msg->n);
	buf_get_u8(reply, code);
	if (buf_get_cstr8(reply, id, TEXT_LABEL_MAX + 1) == -1 ||
	    buf_left(reply) == 0 || *code == LOGIN_OK || *code >= LOGIN_CODES ||
	    (id[0] != '\0' && !is_label(id)))
		return -1;
	return 0;
}

int
handshake_on_auth_fail(void *arg, const struct msg *msg)
{
	struct worker *w = arg, *keys;
	char id[TEXT_LABEL_MAX + 1];
	struct handshake *h;
	uint8_t code = 0;
	struct buf reply;
	bool broken;

	if ((h = find(w, msg->id, &broken)) == NULL ||
	    (h->progress & HANDSHAKE_JUDGED) == 0)
		return 0;
	if (get_refusal(msg, &code, id, &reply) == -1)
		return -1;
	h->progress &= ~HANDSHAKE_JUDGED;
	handshake_count_failure(w->master, h, code);
	if ((keys = workers_only(w->master->workers, ROLE_KEYS)) != NULL)
		worker_send(
		    keys, MSG_HS_REPLY, msg->id, reply.p, buf_left(&reply));
	handshake_end_by_keys(w->master, h, code, id);
	return 0;
}

int
handshake_on_keys(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct handshake *h;
	bool broken;

	if ((h = find(w, msg->id, &broken)) == NULL)
		return 0;
	if ((h->progress & HANDSHAKE_GRANTED) == 0 ||
	    (h->progress & HANDSHAKE_KEYED) != 0)
		return -1;
	h->progress |= HANDSHAKE_KEYED;
	h->progress &= ~HANDSHAKE_STARTED; /* keys has forgotten it */
	forward(w->master, h, h->conn->worker, msg);
	return 0;
}

int
handshake_on_keys_fail(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct handshake *h;
	bool broken;

	if ((h = find(w, msg->id, &broken)) == NULL)
		return 0;
	if (msg->p[0] == LOGIN_OK || msg->p[0] >= LOGIN_CODES)
		return -1;
	h->progress &= ~HANDSHAKE_STARTED;
	handshake_fail(w->master, h, msg->p[0]);
	return 0;
}
