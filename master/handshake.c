/* Logins under way: the table, and how they end. */
#include "master/handshake_impl.h"

#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "master/feed.h"
#include "master/workers.h"

TAILQ_HEAD(handshake_list, handshake);

struct handshakes {
	struct master *master;
	struct handshake_list all; /* the oldest first */
	struct waits *waiting;
	size_t count;
};

static void
on_deadline(void *arg, void *owner)
{
	struct handshakes *t = arg;

	handshake_fail(t->master, owner, LOGIN_BUSY);
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

void
handshake_end(struct handshakes *t, struct handshake *h)
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
		handshake_end(t, h);
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

bool
handshake_is_locked(const struct master *m, struct handshake *h)
{
	struct lockout l = { m->conf.lockout.tries, m->conf.lockout.time };

	return may_lock(m, h->conn) && sources_locked(h->source, &l);
}

/* A proof that failed counts; everything else is no guess. */
void
handshake_count_failure(
    const struct master *m, struct handshake *h, enum login_code code)
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
void
handshake_tell_guards(
    struct master *m, struct handshake *h, enum login_code code)
{
	uint32_t id = h->conn->id;

	if ((h->progress & HANDSHAKE_STARTED) != 0)
		send_code(workers_only(m->workers, ROLE_KEYS), id, code);
	if ((h->progress & HANDSHAKE_JUDGED) != 0)
		send_code(feed_auth(m), id, code);
	h->progress &= ~(HANDSHAKE_STARTED | HANDSHAKE_JUDGED);
}

/* `whom`: the id, as far as it is known. */
void
handshake_log_refusal(
    struct handshake *h, enum login_code code, const char *whom)
{
	char peer[ADDR_TEXT];

	if ((h->progress & HANDSHAKE_TOLD) != 0)
		return;
	h->progress |= HANDSHAKE_TOLD;
	addr_format(peer, &h->conn->who.peer);
	/* A client of ours tries this first, and then comes again. */
	if (code == LOGIN_NEED_PLAIN)
		log_debug(
		    "client %s from %s is to send its secret", whom, peer);
	else if (whom[0] != '\0')
		log_info("login of client %s from %s failed: %s", whom, peer,
		    login_code_text(code));
	else
		log_info(
		    "login from %s failed: %s", peer, login_code_text(code));
}

/* Give it up: everybody is told, the relay closes. */
void
handshake_fail(struct master *m, struct handshake *h, enum login_code code)
{
	struct conn *c = h->conn;

	handshake_log_refusal(h, code, "");
	handshake_tell_guards(m, h, code);
	handshake_end(m->handshakes, h);
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

uint64_t
handshake_time(const struct master *m)
{
	uint64_t ms = m->conf.timeouts.handshake;

	if (ms == 0)
		return 0;
	return m->conf.auth_url != NULL ? ms + m->conf.auth_timeout : ms;
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
	if (handshake_time(m) != 0)
		waits_add(t->waiting, &h->wait, h,
		    handshake_time(m) + HANDSHAKE_GRACE_MS);
	return 0;
}

int
handshake_begin(struct master *m, struct conn *c)
{
	struct handshakes *t = m->handshakes;

	if (t->count >= HANDSHAKES_MAX)
		handshake_fail(m, find_victim(t), LOGIN_BUSY);
	return add(m, c);
}

uint8_t
handshake_progress(const struct conn *c)
{
	return (uint8_t)c->handshake->progress;
}

int
handshake_restore(struct master *m, struct conn *c, uint8_t progress)
{
	if (add(m, c) == -1)
		return -1;
	c->handshake->progress = progress;
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
		handshake_fail(m, c->handshake, LOGIN_BUSY);
		return;
	}
	c->handshake->progress |= HANDSHAKE_GRANTED;
	worker_send(keys, MSG_HS_FINISH, c->id, payload, buf_used(&b));
}

/* keys says FAIL itself, once all that is for the client is on its way. */
void
handshake_end_by_keys(struct master *m, struct handshake *h,
    enum login_code code, const char *whom)
{
	struct worker *keys = workers_only(m->workers, ROLE_KEYS);

	handshake_log_refusal(h, code, whom);
	if (keys == NULL)
		handshake_fail(m, h, code);
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
	handshake_end_by_keys(m, c->handshake, code, id);
}

void
handshake_abort(struct master *m, struct conn *c, enum msg_end why)
{
	struct handshake *h = c->handshake;
	char peer[ADDR_TEXT];

	if ((h->progress & HANDSHAKE_JUDGED) != 0 &&
	    (h->progress & HANDSHAKE_PROVING) != 0)
		handshake_count_failure(m, h, LOGIN_WRONG_SECRET);
	if ((h->progress & HANDSHAKE_TOLD) == 0)
		log_info("login from %s ended: %s",
		    addr_format(peer, &c->who.peer), msg_end_text(why));
	handshake_tell_guards(m, h, LOGIN_BAD);
	handshake_end(m->handshakes, h);
}

void
handshakes_fail_all(struct master *m)
{
	struct handshake *h;

	while ((h = TAILQ_FIRST(&m->handshakes->all)) != NULL)
		handshake_fail(m, h, LOGIN_BUSY);
}
