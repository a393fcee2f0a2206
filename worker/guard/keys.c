/* The server's private key and every handshake that uses it. */
#include "worker/guard/keys.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/base/addr.h"
#include "common/base/buf.h"
#include "common/base/idmap.h"
#include "common/base/log.h"
#include "worker/guard/responder.h"

struct handshake {
	TAILQ_ENTRY(handshake) link;
	uint32_t id;
	struct addr source;
	struct responder r;
};

struct keys {
	keys_send send;
	void *arg;
	struct noise_key *key; /* NULL: not known yet */
	struct idmap map;
	TAILQ_HEAD(handshakes, handshake) all; /* oldest first */
};

struct keys *
keys_new(keys_send send, void *arg)
{
	struct keys *k;

	if ((k = calloc(1, sizeof(*k))) == NULL)
		return NULL;
	k->send = send;
	k->arg = arg;
	TAILQ_INIT(&k->all);
	return k;
}

static void
forget(struct keys *k, struct handshake *x)
{
	idmap_take(&k->map, x->id);
	TAILQ_REMOVE(&k->all, x, link);
	sodium_free(x); /* wipes it */
}

void
keys_free(struct keys *k)
{
	struct handshake *x;

	if (k == NULL)
		return;
	while ((x = TAILQ_FIRST(&k->all)) != NULL)
		forget(k, x);
	idmap_free(&k->map);
	sodium_free(k->key);
	free(k);
}

size_t
keys_count(const struct keys *k)
{
	return k->map.count;
}

static void
send_fail(struct keys *k, uint32_t id, enum login_code code)
{
	uint8_t c = (uint8_t)code;

	k->send(k->arg, MSG_HS_FAIL, id, &c, sizeof(c));
}

static int
fail(struct keys *k, struct handshake *x, enum login_code code)
{
	log_debug("handshake %u: %s", x->id, login_code_text(code));
	send_fail(k, x->id, code);
	forget(k, x);
	return 0;
}

static int
by_source(const void *a, const void *b)
{
	const struct handshake *const *x = a, *const *y = b;

	return addr_compare(&(*x)->source, &(*y)->source);
}

/* The oldest handshake of the source that has the most of them. */
static struct handshake *
find_victim(struct keys *k)
{
	struct handshake *sorted[KEYS_HANDSHAKES_MAX], *x, *busiest;
	size_t n = 0, most = 0;

	TAILQ_FOREACH(x, &k->all, link)
	sorted[n++] = x;
	qsort(sorted, n, sizeof(sorted[0]), by_source);
	busiest = sorted[0];
	for (size_t i = 0, run = 0; i < n; i++) {
		if (i > 0 && by_source(&sorted[i - 1], &sorted[i]) != 0)
			run = 0;
		if (++run > most) {
			most = run;
			busiest = sorted[i];
		}
	}
	TAILQ_FOREACH(x, &k->all, link)
	if (by_source(&x, &busiest) == 0)
		return x;
	return busiest;
}

static struct handshake *
add(struct keys *k, uint32_t id)
{
	struct handshake *x;

	if (k->map.count >= KEYS_HANDSHAKES_MAX)
		fail(k, find_victim(k), LOGIN_BUSY);
	if ((x = sodium_malloc(sizeof(*x))) == NULL)
		return NULL;
	memset(x, 0, sizeof(*x));
	x->id = id;
	if (idmap_put(&k->map, id, x) == -1) {
		sodium_free(x);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&k->all, x, link);
	return x;
}

static int
take_host_key(struct keys *k, struct handshake *x, const struct msg *m)
{
	(void)x;
	if (k->key == NULL && (k->key = sodium_malloc(sizeof(*k->key))) == NULL)
		return -1;
	sodium_mprotect_readwrite(k->key);
	noise_key_from_secret(k->key, m->p);
	sodium_mprotect_readonly(k->key);
	return 0;
}

static int
take_start(struct keys *k, struct handshake *x, const struct msg *m)
{
	const char *exporter, *preface;
	size_t exporter_len, len;
	struct addr peer = { 0 };
	uint8_t transport = 0;
	struct buf b;

	buf_read(&b, m->p, m->n);
	buf_get_u8(&b, &transport);
	buf_get_str8(&b, &exporter, &exporter_len);
	if (buf_get_str8(&b, &preface, &len) == -1)
		return -1;
	if (buf_left(&b) > 0)
		addr_get(&b, &peer);
	if (!buf_done(&b) || m->id == 0)
		return -1;
	if (x != NULL)
		forget(k, x);
	if (k->key == NULL || (x = add(k, m->id)) == NULL) {
		send_fail(k, m->id, LOGIN_BUSY);
		return 0;
	}
	x->source = addr_source(&peer);
	if (responder_begin(&x->r, k->key, (const uint8_t *)preface, len,
		transport, exporter, exporter_len) == -1)
		return fail(k, x, LOGIN_BAD);
	return 0;
}

/* Seal a login message and send it to the client. */
static int
send_sealed(struct keys *k, struct handshake *x, const uint8_t *p, size_t n)
{
	uint8_t out[NOISE_MSG_MAX];
	size_t len;

	if (responder_seal(&x->r, p, n, out, &len) == -1)
		return -1;
	k->send(k->arg, MSG_HS_OUT, x->id, out, len);
	return 0;
}

/* Refuse a LOGIN that `auth` need not see. */
static int
refuse(struct keys *k, struct handshake *x, enum login_code code)
{
	struct login_msg refused = { .type = LOGIN_REFUSED };
	uint8_t p[LOGIN_MAX];
	size_t n;

	refused.code = (uint8_t)code;
	n = login_msg_put(p, &refused);
	send_sealed(k, x, p, n);
	return fail(k, x, code);
}

/* Message 3: who it says it is goes to `auth`. */
static int
take_login(struct keys *k, struct handshake *x, const struct msg *m)
{
	struct login_case c = { .source = x->source };
	uint8_t login[LOGIN_MAX], out[sizeof(c) + LOGIN_MAX];
	enum login_code code;
	size_t len;

	if (responder_login(&x->r, m->p, m->n, login, &c.n) == -1)
		return fail(k, x, LOGIN_BAD);
	if ((code = responder_check(&x->r, login, c.n)) == LOGIN_OK) {
		memcpy(c.h, x->r.h, sizeof(c.h));
		memcpy(c.client_static, x->r.remote, sizeof(c.client_static));
		memcpy(
		    c.server_static, k->key->public, sizeof(c.server_static));
		c.login = login;
		if (login_case_put(out, sizeof(out), &len, &c) == 0)
			k->send(k->arg, MSG_HS_LOGIN, x->id, out, len);
		else
			code = LOGIN_BAD;
	}
	explicit_bzero(login, sizeof(login));
	explicit_bzero(out, sizeof(out));
	return code == LOGIN_OK ? 0 : refuse(k, x, code);
}

/* What the client sent. */
static int
take_in(struct keys *k, struct handshake *x, const struct msg *m)
{
	uint8_t out[NOISE_MSG_MAX];
	size_t n;

	if (x == NULL)
		return 0;
	switch (x->r.turn) {
	case RESPONDER_MESSAGE_1:
		if (responder_answer(&x->r, m->p, m->n, out, &n) == -1)
			break;
		k->send(k->arg, MSG_HS_OUT, x->id, out, n);
		return 0;
	case RESPONDER_MESSAGE_3:
		return take_login(k, x, m);
	case RESPONDER_CLIENT:
		if (responder_open(&x->r, m->p, m->n, out, &n) == -1 || n == 0)
			break;
		k->send(k->arg, MSG_HS_MORE, x->id, out, n);
		explicit_bzero(out, sizeof(out));
		return 0;
	case RESPONDER_SERVER:
		break; /* it speaks out of turn */
	}
	return fail(k, x, LOGIN_BAD);
}

/* What `auth` says. */
static int
take_reply(struct keys *k, struct handshake *x, const struct msg *m)
{
	if (x == NULL)
		return 0;
	return send_sealed(k, x, m->p, m->n) == 0 ? 0 : fail(k, x, LOGIN_BAD);
}

/*
 * The master lets it in. The relay must have the keys before ACCEPTED, since
 * the session begins right behind that.
 */
static int
take_finish(struct keys *k, struct handshake *x, const struct msg *m)
{
	uint8_t out[1 + RESPONDER_KEYS];

	if (x == NULL)
		return 0;
	/* Only `auth` and the client's LOGIN may have brought it here. */
	if (x->r.turn != RESPONDER_SERVER || m->p[0] != x->r.cipher)
		return fail(k, x, LOGIN_BAD);
	out[0] = x->r.cipher;
	responder_keys(&x->r, out + 1);
	k->send(k->arg, MSG_HS_KEYS, x->id, out, sizeof(out));
	explicit_bzero(out, sizeof(out));
	if (send_sealed(k, x, m->p + 1, m->n - 1) == -1)
		return fail(k, x, LOGIN_BAD);
	forget(k, x);
	return 0;
}

static int
take_fail(struct keys *k, struct handshake *x, const struct msg *m)
{
	if (x == NULL)
		return 0;
	return fail(k, x, m->p[0] < LOGIN_CODES ? m->p[0] : LOGIN_BAD);
}

int
keys_take(struct keys *k, const struct msg *m)
{
	static const struct {
		uint8_t type;
		int (*take)(
		    struct keys *k, struct handshake *x, const struct msg *m);
	} table[] = {
		{ MSG_HOST_KEY, take_host_key },
		{ MSG_HS_START, take_start },
		{ MSG_HS_IN, take_in },
		{ MSG_HS_REPLY, take_reply },
		{ MSG_HS_FINISH, take_finish },
		{ MSG_HS_FAIL, take_fail },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].type == m->type)
			return table[i].take(k, idmap_get(&k->map, m->id), m);
	return -1;
}
