/*
 * A whole login in one process: a client, `keys`, `auth`, and the master that
 * carries frames between them. Included by exactly one file of each test.
 */
#ifndef LOGIN_LAB_H
#define LOGIN_LAB_H

#include <check.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/crypto/cpace.h"
#include "common/crypto/noise.h"
#include "common/crypto/record.h"
#include "common/tunnel/login.h"
#include "common/tunnel/prologue.h"
#include "worker/guard/auth.h"
#include "worker/guard/keys.h"
#include "worker/guard/users.h"

#define LAB_FRAMES 64
#define LAB_CONN 7
#define LAB_HASH                                    \
	"$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHQ" \
	"$qLml5cbqFAO6YxVHhrSBHP0UWdxrIxkNcM8aMX3blzU"

struct lab_frame {
	bool to_keys; /* else to auth */
	uint8_t type;
	uint32_t id;
	size_t n;
	uint8_t p[2048];
};

struct lab_client {
	struct noise_key key;
	struct noise noise;
	struct noise_cipher tx, rx;
	struct cpace cpace;
	uint8_t sid[NOISE_HASH];
	struct login_hello hello;
};

struct lab {
	struct keys *keys;
	struct auth *auth;
	struct noise_key host;
	uint8_t transport, flags;
	const char *exporter;
	struct addr peer;
	uint8_t finish_cipher; /* what HS_FINISH says; 0xff: as granted */
	bool no_finish;
	/* Frames between the guards that wait for lab_run(). */
	struct lab_frame queue[LAB_FRAMES];
	size_t nqueue;
	/* What the relay and the master saw. */
	uint8_t out[NOISE_MSG_MAX]; /* the last HS_OUT */
	size_t nout;
	unsigned outs, order;
	unsigned keys_at, out_at; /* when HS_KEYS and the last HS_OUT came */
	uint8_t session[97];	  /* HS_KEYS */
	bool granted;
	uint8_t grant[1024];
	size_t ngrant;
	uint8_t vouch[1024]; /* the last question for outside */
	size_t nvouch;
	unsigned vouches;
	int keys_fail, auth_fail; /* codes of HS_FAIL, or -1 */
	/* Hash jobs that auth wants done. */
	unsigned jobs;
	bool jobs_full;
	uint32_t job_id, job_number;
	struct lab_client client;
};

static inline void
lab_queue(struct lab *l, bool to_keys, uint8_t type, uint32_t id, const void *p,
    size_t n)
{
	struct lab_frame *f = &l->queue[l->nqueue++];

	ck_assert_uint_le(l->nqueue, LAB_FRAMES);
	ck_assert_uint_le(n, sizeof(f->p));
	/* What the real channel would check. */
	ck_assert_uint_ge(n, msg_row(type)->min);
	ck_assert_uint_le(n, msg_row(type)->max);
	f->to_keys = to_keys;
	f->type = type;
	f->id = id;
	f->n = n;
	if (n > 0)
		memcpy(f->p, p, n);
}

static inline int
lab_give(struct lab *l, bool to_keys, uint8_t type, uint32_t id, const void *p,
    size_t n)
{
	struct msg m = { type, id, p, n, -1 };

	return to_keys ? keys_take(l->keys, &m) : auth_take(l->auth, &m);
}

static inline void
lab_run(struct lab *l)
{
	for (size_t i = 0; i < l->nqueue; i++) {
		struct lab_frame f = l->queue[i];

		ck_assert_int_eq(
		    lab_give(l, f.to_keys, f.type, f.id, f.p, f.n), 0);
	}
	l->nqueue = 0;
}

static inline void
lab_from_keys(void *arg, uint8_t type, uint32_t id, const void *p, size_t n)
{
	struct lab *l = arg;
	const struct msg_row *row = msg_row(type);

	ck_assert(row->up & (1u << ROLE_KEYS));
	ck_assert_uint_ge(n, row->min);
	ck_assert_uint_le(n, row->max);
	switch (type) {
	case MSG_HS_OUT:
		memcpy(l->out, p, n);
		l->nout = n;
		l->outs++;
		l->out_at = ++l->order;
		break;
	case MSG_HS_KEYS:
		memcpy(l->session, p, n);
		l->keys_at = ++l->order;
		break;
	case MSG_HS_FAIL:
		l->keys_fail = *(const uint8_t *)p;
		break;
	default:
		lab_queue(l, false, type, id, p, n);
	}
}

static inline void
lab_finish(struct lab *l, uint32_t id, uint8_t cipher)
{
	struct login_msg m = {
		.type = LOGIN_ACCEPTED, .domain = "example.com", .tunnels = 3
	};
	uint8_t p[1 + LOGIN_MAX];

	p[0] = cipher;
	lab_queue(l, true, MSG_HS_FINISH, id, p, 1 + login_msg_put(p + 1, &m));
}

static inline void
lab_from_auth(void *arg, uint8_t type, uint32_t id, const void *p, size_t n)
{
	struct lab *l = arg;
	const struct msg_row *row = msg_row(type);
	size_t skip;

	ck_assert(row->up & (1u << ROLE_AUTH));
	ck_assert_uint_ge(n, row->min);
	ck_assert_uint_le(n, row->max);
	switch (type) {
	case MSG_HS_GRANT:
		l->granted = true;
		memcpy(l->grant, p, n);
		l->ngrant = n;
		if (!l->no_finish)
			lab_finish(l, id,
			    l->finish_cipher == 0xff
				? l->grant[18 + l->grant[1]]
				: l->finish_cipher);
		break;
	case MSG_VOUCH:
		memcpy(l->vouch, p, n);
		l->nvouch = n;
		l->vouches++;
		break;
	case MSG_HS_FAIL:
		l->auth_fail = *(const uint8_t *)p;
		/* The master passes on what is for the client, then that. */
		skip = 2u + ((const uint8_t *)p)[1];
		lab_queue(l, true, MSG_HS_REPLY, id, (const uint8_t *)p + skip,
		    n - skip);
		lab_queue(l, true, type, id, p, 1);
		break;
	default:
		lab_queue(l, true, type, id, p, n);
	}
}

static inline int
lab_hash(void *arg, uint32_t id, uint32_t number, const struct addr *source,
    const char *hash, const char *secret)
{
	struct lab *l = arg;

	(void)source;
	ck_assert_str_eq(hash, LAB_HASH);
	ck_assert_ptr_nonnull(secret);
	if (l->jobs_full)
		return -1;
	l->jobs++;
	l->job_id = id;
	l->job_number = number;
	return 0;
}

static inline void
lab_verifier(struct buf *b, const char *id, uint8_t method, const void *proof)
{
	struct verifier v = { .method = method };

	strcpy(v.id, id);
	if (method == VERIFIER_PUBKEY)
		memcpy(v.u.key, proof, VERIFIER_KEY);
	else
		strcpy(v.u.secret, proof);
	ck_assert_int_eq(verifier_put(b, &v), 0);
}

/* hash1: by LAB_HASH; key1: by the client's key; secret1: "s1". */
static inline void
lab_users(struct lab *l)
{
	struct users *u = users_new();
	uint8_t p[1024];
	struct buf b;

	buf_write(&b, p, sizeof(p));
	buf_put_u32(&b, 3);
	lab_verifier(&b, "hash1", VERIFIER_HASH, LAB_HASH);
	lab_verifier(&b, "key1", VERIFIER_PUBKEY, l->client.key.public);
	lab_verifier(&b, "secret1", VERIFIER_SECRET, "s1");
	ck_assert_int_eq(users_add(u, p, buf_used(&b)), 1);
	auth_use(l->auth, u);
}

static inline struct lab *
lab_new(void)
{
	static const struct auth_ops ops = { lab_from_auth, lab_hash };
	struct lab *l = calloc(1, sizeof(*l));

	l->keys = keys_new(lab_from_keys, l);
	l->auth = auth_new(&ops, l);
	l->exporter = "";
	l->finish_cipher = 0xff;
	l->keys_fail = l->auth_fail = -1;
	ck_assert_int_eq(addr_parse_ip(&l->peer, "192.0.2.1"), 0);
	noise_key_make(&l->host);
	noise_key_make(&l->client.key);
	ck_assert_int_eq(
	    lab_give(l, true, MSG_HOST_KEY, 0, l->host.secret, NOISE_KEY), 0);
	lab_users(l);
	return l;
}

static inline void
lab_free(struct lab *l)
{
	keys_free(l->keys);
	auth_free(l->auth);
	free(l);
}

/* HS_START as the master sends it. */
static inline size_t
lab_start_frame(struct lab *l, uint8_t p[256])
{
	struct preface f = { PREFACE_VERSION, PREFACE_VERSION, PREFACE_SESSION,
		l->flags, { 0 } };
	uint8_t preface[PREFACE_MAX];
	size_t n = preface_make(preface, &f);
	struct buf b;

	buf_write(&b, p, 256);
	buf_put_u8(&b, l->transport);
	buf_put_cstr8(&b, l->exporter);
	buf_put_str8(&b, preface, n);
	addr_put(&b, &l->peer);
	ck_assert(buf_ok(&b));
	return buf_used(&b);
}

static inline void
lab_start(struct lab *l, uint32_t id)
{
	uint8_t p[256];
	size_t n = lab_start_frame(l, p);

	lab_queue(l, true, MSG_HS_START, id, p, n);
	lab_run(l);
}

/* The client's view of it; it may differ in the tests. */
static inline void
lab_client_start(
    struct lab *l, uint8_t transport, const char *exporter, uint8_t flags)
{
	struct preface f = { PREFACE_VERSION, PREFACE_VERSION, PREFACE_SESSION,
		flags, { 0 } };
	uint8_t preface[PREFACE_MAX], prologue[PROLOGUE_MAX];
	size_t n = preface_make(preface, &f);

	n = prologue_make(
	    prologue, preface, n, transport, exporter, strlen(exporter));
	ck_assert_uint_gt(n, 0);
	noise_init(&l->client.noise, true, prologue, n, &l->client.key, NULL);
}

/* The client's bytes, through the relay. */
static inline void
lab_in(struct lab *l, uint32_t id, const void *p, size_t n)
{
	l->nout = 0;
	lab_queue(l, true, MSG_HS_IN, id, p, n);
	lab_run(l);
}

/* Message 1 and message 2. 0, or -1: the client cannot read message 2. */
static inline int
lab_hello(struct lab *l)
{
	struct lab_client *c = &l->client;
	uint8_t msg[NOISE_MSG_MAX], payload[LOGIN_MAX];
	size_t n;

	ck_assert_int_eq(
	    noise_write(&c->noise, NULL, 0, msg, sizeof(msg), &n), 0);
	lab_in(l, LAB_CONN, msg, n);
	ck_assert_uint_gt(l->nout, 0);
	if (noise_read(
		&c->noise, l->out, l->nout, payload, sizeof(payload), &n) == -1)
		return -1;
	ck_assert_mem_eq(noise_remote(&c->noise), l->host.public, NOISE_KEY);
	ck_assert_int_eq(login_hello_get(&c->hello, payload, n), 0);
	memcpy(c->sid, noise_hash(&c->noise), sizeof(c->sid));
	return 0;
}

static inline struct cpace_input
lab_cpace(struct lab *l, const char *id, const char *secret, uint8_t *ci)
{
	struct cpace_input in = { .secret = secret,
		.secret_len = strlen(secret),
		.ci = ci,
		.sid = l->client.sid,
		.sid_len = sizeof(l->client.sid) };

	in.ci_len = cpace_ci(ci, id, l->client.key.public, l->host.public);
	return in;
}

/* Message 3 with any payload. */
static inline void
lab_third(struct lab *l, const void *payload, size_t len)
{
	struct lab_client *c = &l->client;
	uint8_t msg[NOISE_MSG_MAX];
	size_t n;

	ck_assert_int_eq(
	    noise_write(&c->noise, payload, len, msg, sizeof(msg), &n), 0);
	ck_assert_int_eq(noise_split(&c->noise, &c->tx, &c->rx), 0);
	lab_in(l, LAB_CONN, msg, n);
}

static inline void
lab_login(struct lab *l, uint8_t method, const char *id, const char *secret,
    uint8_t cipher)
{
	struct login login = { .method = method, .cipher = cipher };
	uint8_t ci[CPACE_CI_MAX], p[LOGIN_MAX];
	struct cpace_input in = lab_cpace(l, id, secret, ci);

	memset(login.instance, 5, sizeof(login.instance));
	strcpy(login.id, id);
	strcpy(login.version, "0.1");
	if (method == LOGIN_SECRET)
		ck_assert_int_eq(
		    cpace_start(&l->client.cpace, &in, NULL, login.ya), 0);
	else if (method == LOGIN_PLAIN)
		strcpy(login.secret, secret);
	lab_third(l, p, login_put(p, &login));
}

/* What the server said last, under the keys of the login. */
static inline void
lab_heard(struct lab *l, struct login_msg *m)
{
	uint8_t p[NOISE_MSG_MAX];

	ck_assert_uint_gt(l->nout, NOISE_TAG);
	ck_assert_int_eq(
	    noise_cipher_open(&l->client.rx, NULL, 0, l->out, l->nout, p), 0);
	ck_assert_int_eq(login_msg_get(m, p, l->nout - NOISE_TAG), 0);
}

static inline void
lab_say(struct lab *l, const struct login_msg *m)
{
	uint8_t p[LOGIN_MAX], out[LOGIN_MAX + NOISE_TAG];
	size_t n = login_msg_put(p, m);

	ck_assert_uint_gt(n, 0);
	ck_assert_int_eq(
	    noise_cipher_seal(&l->client.tx, NULL, 0, p, n, out), 0);
	lab_in(l, LAB_CONN, out, n + NOISE_TAG);
}

/* From nothing to message 3 answered, on tcp. */
static inline void
lab_connect(struct lab *l, uint8_t method, const char *id, const char *secret)
{
	lab_start(l, LAB_CONN);
	lab_client_start(l, l->transport, l->exporter, l->flags);
	ck_assert_int_eq(lab_hello(l), 0);
	lab_login(l, method, id, secret, RECORD_CHACHA20_POLY1305);
}

/* Check CHALLENGE and confirm. -1: the server does not know the secret. */
static inline int
lab_confirm(struct lab *l, const char *id, const char *secret)
{
	uint8_t ci[CPACE_CI_MAX];
	struct cpace_input in = lab_cpace(l, id, secret, ci);
	struct login_msg m, out = { .type = LOGIN_CONFIRM };

	lab_heard(l, &m);
	ck_assert_int_eq(m.type, LOGIN_CHALLENGE);
	if (cpace_finish(&l->client.cpace, &in, m.yb, m.tag, out.tag, NULL) ==
	    -1)
		return -1;
	lab_say(l, &out);
	return 0;
}

/* The login was refused for this reason, and the client has read so. */
static inline void
lab_refused(struct lab *l, enum login_code code)
{
	struct login_msg m;

	lab_heard(l, &m);
	ck_assert_int_eq(m.type, LOGIN_REFUSED);
	ck_assert_int_eq(m.code, code);
	ck_assert_int_eq(l->keys_fail, code);
	ck_assert(!l->granted);
	ck_assert_uint_eq(l->keys_at, 0);
	ck_assert_uint_eq(keys_count(l->keys), 0);
	ck_assert_uint_eq(auth_count(l->auth), 0);
}

/* The login was accepted, and the session's keys are the same on both ends. */
static inline void
lab_accepted(struct lab *l, uint8_t method, const char *id)
{
	struct login_msg m;
	struct buf b;
	uint8_t got_method = 0, instance[LOGIN_INSTANCE];
	char got_id[TEXT_LABEL_MAX + 1];

	lab_heard(l, &m);
	ck_assert_int_eq(m.type, LOGIN_ACCEPTED);
	ck_assert_str_eq(m.domain, "example.com");
	ck_assert(l->granted);
	buf_read(&b, l->grant, l->ngrant);
	buf_get_u8(&b, &got_method);
	ck_assert_int_eq(buf_get_cstr8(&b, got_id, sizeof(got_id)), 0);
	ck_assert_int_eq(buf_get(&b, instance, sizeof(instance)), 0);
	ck_assert_int_eq(got_method, method);
	ck_assert_str_eq(got_id, id);
	ck_assert_int_eq(instance[0], 5);
	ck_assert_uint_gt(l->keys_at, 0);
	/* The relay has its keys before the client's last message. */
	ck_assert_uint_lt(l->keys_at, l->out_at);
	ck_assert_int_eq(l->keys_fail, -1);
	ck_assert_uint_eq(keys_count(l->keys), 0);
	ck_assert_uint_eq(auth_count(l->auth), 0);
}

#endif
