/* Logins under way. */
#include "master/handshake.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/tunnel/preface.h"
#include "common/tunnel/prologue.h"
#include "master/hold.h"
#include "master/login.h"
#include "master/sources.h"
#include "master/tunnels.h"
#include "master/feed.h"
#include "master/workers.h"

struct handshake {
	struct conn *conn;
	struct source *source;
	struct wait wait;
	bool started; /* keys knows of it */
	bool judged;  /* auth knows of it, and has not decided */
	bool proving; /* auth has answered: to go now is to fail */
	bool granted; /* auth and login.c have let it in */
	bool keyed;   /* the relay has its keys: one more blob, and it stands */
	bool told;    /* its failure is logged */
	TAILQ_ENTRY(handshake) link;
};

TAILQ_HEAD(handshake_list, handshake);

struct handshakes {
	struct master *master;
	struct handshake_list all; /* the oldest first */
	struct waits *waiting;
	size_t count;
};

static void fail(struct master *m, struct handshake *h, enum login_code code);

static void
on_deadline(void *arg, void *owner)
{
	struct handshakes *t = arg;

	fail(t->master, owner, LOGIN_BUSY);
}

struct handshakes *
handshakes_new(struct master *m)
{
	struct handshakes *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->master = m;
	TAILQ_INIT(&t->all);
	if ((t->waiting = waits_new(m->base, on_deadline, t)) == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

static void
end(struct handshakes *t, struct handshake *h)
{
	h->conn->handshake = NULL;
	waits_remove(&h->wait);
	TAILQ_REMOVE(&t->all, h, link);
	t->count--;
	sources_release(t->master->sources, h->source);
	free(h);
}

void
handshakes_free(struct handshakes *t)
{
	struct handshake *h;

	if (t == NULL)
		return;
	while ((h = TAILQ_FIRST(&t->all)) != NULL)
		end(t, h);
	waits_free(t->waiting);
	free(t);
}

size_t
handshakes_count(const struct handshakes *t)
{
	return t->count;
}

static void
send_code(struct worker *w, uint32_t id, enum login_code code)
{
	uint8_t byte = (uint8_t)code;

	if (w != NULL)
		worker_send(w, MSG_HS_FAIL, id, &byte, 1);
}

/* Who may be locked out at all: proxies that we trust speak for many. */
static bool
may_lock(const struct master *m, const struct conn *c)
{
	return !addr_blocks_have(
	    m->conf.trusted.v, m->conf.trusted.n, &c->who.peer);
}

static bool
is_locked(const struct master *m, struct handshake *h)
{
	struct lockout l = { m->conf.lockout.tries, m->conf.lockout.time };

	return may_lock(m, h->conn) && sources_locked(h->source, &l);
}

/* A proof that failed counts; everything else is no guess. */
static void
count_failure(const struct master *m, struct handshake *h, enum login_code code)
{
	struct lockout l = { m->conf.lockout.tries, m->conf.lockout.time };
	char ip[ADDR_TEXT];

	if (code != LOGIN_WRONG_SECRET && code != LOGIN_WRONG_KEY &&
	    code != LOGIN_UNKNOWN_ID)
		return;
	if (may_lock(m, h->conn) && sources_failed(h->source, &l))
		log_warnx("%s is locked out: %llu failed logins",
		    addr_format_ip(ip, &h->source->block),
		    (unsigned long long)h->source->failures);
}

/* Tell keys and auth, as far as they know of it, that it is over. */
static void
tell_guards(struct master *m, struct handshake *h, enum login_code code)
{
	uint32_t id = h->conn->id;

	if (h->started)
		send_code(workers_only(m->workers, ROLE_KEYS), id, code);
	if (h->judged)
		send_code(feed_auth(m), id, code);
	h->started = h->judged = false;
}

/* `whom`: the id, as far as it is known. */
static void
log_refusal(struct handshake *h, enum login_code code, const char *whom)
{
	char peer[ADDR_TEXT];

	if (h->told)
		return;
	h->told = true;
	addr_format(peer, &h->conn->who.peer);
	if (whom[0] != '\0')
		log_info("login of client %s from %s failed: %s", whom, peer,
		    login_code_text(code));
	else
		log_info(
		    "login from %s failed: %s", peer, login_code_text(code));
}

/* Give it up: everybody is told, the relay closes. */
static void
fail(struct master *m, struct handshake *h, enum login_code code)
{
	struct conn *c = h->conn;

	log_refusal(h, code, "");
	tell_guards(m, h, code);
	end(m->handshakes, h);
	c->state = CONN_ENDING;
	if (c->worker != NULL)
		send_code(c->worker, c->id, code);
}

/* The oldest handshake of the source that has most of them. */
static struct handshake *
find_victim(struct handshakes *t)
{
	struct handshake *h, *victim = TAILQ_FIRST(&t->all);

	TAILQ_FOREACH(h, &t->all, link)
	{
		if (h->source->handshakes > victim->source->handshakes)
			victim = h;
	}
	return victim;
}

/* The beginning of one on c; -1: no memory. */
static int
add(struct master *m, struct conn *c)
{
	struct handshakes *t = m->handshakes;
	struct handshake *h;

	if ((h = calloc(1, sizeof(*h))) == NULL)
		return -1;
	if ((h->source = sources_take(m->sources, &c->who.peer)) == NULL) {
		free(h);
		return -1;
	}
	h->conn = c;
	c->handshake = h;
	TAILQ_INSERT_TAIL(&t->all, h, link);
	t->count++;
	if (m->conf.timeouts.handshake != 0)
		waits_add(t->waiting, &h->wait, h,
		    m->conf.timeouts.handshake + HANDSHAKE_GRACE_MS);
	return 0;
}

int
handshake_begin(struct master *m, struct conn *c)
{
	struct handshakes *t = m->handshakes;

	if (t->count >= HANDSHAKES_MAX)
		fail(m, find_victim(t), LOGIN_BUSY);
	return add(m, c);
}

#define PROGRESS_STARTED 0x01
#define PROGRESS_JUDGED 0x02
#define PROGRESS_PROVING 0x04
#define PROGRESS_GRANTED 0x08
#define PROGRESS_KEYED 0x10
#define PROGRESS_TOLD 0x20

uint8_t
handshake_progress(const struct conn *c)
{
	const struct handshake *h = c->handshake;

	return (uint8_t)((h->started ? PROGRESS_STARTED : 0) |
	    (h->judged ? PROGRESS_JUDGED : 0) |
	    (h->proving ? PROGRESS_PROVING : 0) |
	    (h->granted ? PROGRESS_GRANTED : 0) |
	    (h->keyed ? PROGRESS_KEYED : 0) | (h->told ? PROGRESS_TOLD : 0));
}

int
handshake_restore(struct master *m, struct conn *c, uint8_t progress)
{
	struct handshake *h;

	if (add(m, c) == -1)
		return -1;
	h = c->handshake;
	h->started = (progress & PROGRESS_STARTED) != 0;
	h->judged = (progress & PROGRESS_JUDGED) != 0;
	h->proving = (progress & PROGRESS_PROVING) != 0;
	h->granted = (progress & PROGRESS_GRANTED) != 0;
	h->keyed = (progress & PROGRESS_KEYED) != 0;
	h->told = (progress & PROGRESS_TOLD) != 0;
	return 0;
}

void
handshake_finish(
    struct master *m, struct conn *c, uint8_t cipher, const void *p, size_t n)
{
	struct worker *keys = workers_only(m->workers, ROLE_KEYS);
	uint8_t payload[1 + LOGIN_MAX];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	buf_put_u8(&b, cipher);
	if (keys == NULL || buf_put(&b, p, n) == -1) {
		fail(m, c->handshake, LOGIN_BUSY);
		return;
	}
	c->handshake->granted = true;
	worker_send(keys, MSG_HS_FINISH, c->id, payload, buf_used(&b));
}

/* keys says FAIL itself, once all that is for the client is on its way. */
static void
end_by_keys(struct master *m, struct handshake *h, enum login_code code,
    const char *whom)
{
	struct worker *keys = workers_only(m->workers, ROLE_KEYS);

	log_refusal(h, code, whom);
	if (keys == NULL)
		fail(m, h, code);
	else
		send_code(keys, h->conn->id, code);
}

void
handshake_refuse(
    struct master *m, struct conn *c, enum login_code code, const char *id)
{
	struct login_msg refused = { .type = LOGIN_REFUSED,
		.code = (uint8_t)code,
		.retry = HANDSHAKE_RETRY };
	struct worker *keys = workers_only(m->workers, ROLE_KEYS);
	uint8_t out[LOGIN_MAX];
	size_t n = login_msg_put(out, &refused);

	if (keys != NULL)
		worker_send(keys, MSG_HS_REPLY, c->id, out, n);
	end_by_keys(m, c->handshake, code, id);
}

void
handshake_abort(struct master *m, struct conn *c, enum msg_end why)
{
	struct handshake *h = c->handshake;
	char peer[ADDR_TEXT];

	if (h->judged && h->proving)
		count_failure(m, h, LOGIN_WRONG_SECRET);
	if (!h->told)
		log_info("login from %s ended: %s",
		    addr_format(peer, &c->who.peer), msg_end_text(why));
	tell_guards(m, h, LOGIN_BAD);
	end(m->handshakes, h);
}

void
handshakes_fail_all(struct master *m)
{
	struct handshake *h;

	while ((h = TAILQ_FIRST(&m->handshakes->all)) != NULL)
		fail(m, h, LOGIN_BUSY);
}

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
	if (keys == NULL) {
		fail(m, h, LOGIN_BUSY);
		return 0;
	}
	buf_write(&b, payload, sizeof(payload));
	buf_put_u8(&b, TRANSPORT_TCP);
	buf_put_str8(&b, "", 0);
	buf_put_str8(&b, msg->p, msg->n);
	addr_put(&b, &h->conn->who.peer);
	h->started = true;
	worker_send(keys, MSG_HS_START, msg->id, payload, buf_used(&b));
	return 0;
}

/* Pass a frame on as it is. */
static void
forward(struct master *m, struct handshake *h, struct worker *to,
    const struct msg *msg)
{
	if (to == NULL)
		fail(m, h, LOGIN_BUSY);
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
	if (!h->started)
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
	log_refusal(h, msg->p[0] < LOGIN_CODES ? msg->p[0] : LOGIN_BAD, "");
	tell_guards(w->master, h, LOGIN_BAD);
	h->conn->state = CONN_ENDING; /* CLOSED follows */
	end(w->master->handshakes, h);
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
	if (c->handshake != NULL && h->keyed) { /* that was ACCEPTED */
		end(w->master->handshakes, h);
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
	if (h->judged || h->granted)
		return -1;
	h->judged = true;
	if ((auth = feed_auth(w->master)) != NULL && is_locked(w->master, h))
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

	if ((h = find(w, msg->id, &broken)) != NULL && h->judged)
		forward(w->master, h, feed_auth(w->master), msg);
	return 0;
}

int
handshake_on_reply(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct handshake *h;
	bool broken;

	if ((h = find(w, msg->id, &broken)) == NULL || !h->judged)
		return 0;
	h->proving = true;
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
	if (!h->judged)
		return -1;
	h->judged = false;
	if (!is_locked(w->master, h))
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

int
handshake_on_auth_fail(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	char id[TEXT_LABEL_MAX + 1];
	struct handshake *h;
	uint8_t code = 0;
	struct buf b;
	bool broken;

	if ((h = find(w, msg->id, &broken)) == NULL || !h->judged)
		return 0;
	buf_read(&b, msg->p, msg->n);
	buf_get_u8(&b, &code);
	buf_get_cstr8(&b, id, sizeof(id));
	if (!buf_done(&b) || code == LOGIN_OK || code >= LOGIN_CODES ||
	    (id[0] != '\0' && !is_label(id)))
		return -1;
	h->judged = false;
	count_failure(w->master, h, code);
	end_by_keys(w->master, h, code, id);
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
	if (!h->granted || h->keyed)
		return -1;
	h->keyed = true;
	h->started = false; /* keys has forgotten it */
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
	h->started = false;
	fail(w->master, h, msg->p[0]);
	return 0;
}
