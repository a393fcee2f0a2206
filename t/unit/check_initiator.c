/* Unit test of initiator.c: against servers that are right, and wrong. */
#include "client/initiator.h"

#include <check.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/crypto/cpace.h"
#include "common/crypto/record.h"
#include "common/crypto/ticket.h"
#include "common/tunnel/prologue.h"

#define CONN 7
#define SAID_MAX 8
#define ALL_CIPHERS 7

/* A server that does what the test says, and all that the client said. */
static struct {
	struct initiator *client;
	struct noise_key key;
	struct noise noise;
	struct noise_cipher tx, rx;
	uint8_t sid[NOISE_HASH];
	struct cpace cpace;
	struct login login;
	struct identity id;
	struct noise_key fresh;
	size_t said;
	uint8_t type[SAID_MAX];
	uint8_t p[SAID_MAX][1024];
	size_t n[SAID_MAX];
} x;

static void
say(void *arg, uint8_t type, uint32_t conn, const void *p, size_t n)
{
	ck_assert_ptr_eq(arg, &x);
	ck_assert_uint_eq(conn, CONN);
	ck_assert_uint_lt(x.said, SAID_MAX);
	ck_assert_uint_le(n, sizeof(x.p[0]));
	x.type[x.said] = type;
	x.n[x.said] = n;
	memcpy(x.p[x.said++], p, n);
}

/* The client has said just that, and it is taken. */
static const uint8_t *
heard(uint8_t type, size_t *n)
{
	static uint8_t taken[1024];

	ck_assert_uint_ge(x.said, 1);
	ck_assert_uint_eq(x.type[0], type);
	*n = x.n[0];
	memcpy(taken, x.p[0], *n);
	x.said--;
	memmove(x.type, x.type + 1, x.said);
	memmove(x.p, x.p + 1, x.said * sizeof(x.p[0]));
	memmove(x.n, x.n + 1, x.said * sizeof(x.n[0]));
	return taken;
}

static void
heard_failure(enum login_code code)
{
	size_t n;

	ck_assert_uint_eq(heard(MSG_HS_FAIL, &n)[0], code);
	ck_assert_uint_eq(x.said, 0);
	ck_assert(initiator_ended(x.client));
}

/* Begin, up to message 1 at the server. */
static void
begin(uint8_t method, bool plain, uint8_t cipher)
{
	static const struct preface f = { PREFACE_VERSION, PREFACE_VERSION,
		PREFACE_SESSION, 0, { 0 } };
	uint8_t preface[PREFACE_MAX], prologue[PROLOGUE_MAX], out[1024];
	struct identity_start s = { .preface = preface, .plain = plain };
	size_t n;

	ck_assert_int_ne(sodium_init(), -1);
	memset(&x, 0, sizeof(x));
	noise_key_make(&x.key);
	noise_key_make(&x.fresh);
	x.id = (struct identity){ .method = method, .cipher = cipher };
	strcpy(x.id.id, "id1");
	strcpy(x.id.secret, "secret1");
	randombytes_buf(x.id.key, sizeof(x.id.key));
	s.preface_len = preface_make(preface, &f);
	n = prologue_make(prologue, preface, s.preface_len, 0, NULL, 0);
	noise_init(&x.noise, false, prologue, n, &x.key, NULL);
	x.client = initiator_new(CONN, &x.id, &x.fresh, &s, say, &x);
	ck_assert_ptr_nonnull(x.client);
	ck_assert_uint_eq(initiator_conn(x.client), CONN);
	memcpy(out, heard(MSG_HS_OUT, &n), sizeof(out));
	ck_assert_int_eq(noise_read(&x.noise, out, n, out + 512, 0, &n), 0);
}

/* HELLO, and the client shows whom it has met. */
static void
hello(uint8_t ciphers)
{
	struct login_hello h = { .version = "t", .ciphers = ciphers };
	uint8_t payload[LOGIN_MAX], out[1024];
	const uint8_t *p;
	size_t n = login_hello_put(payload, &h);

	ck_assert_int_eq(
	    noise_write(&x.noise, payload, n, out, sizeof(out), &n), 0);
	memcpy(x.sid, noise_hash(&x.noise), sizeof(x.sid));
	initiator_blob(x.client, out, n);
	if (x.said > 0 && x.type[0] == MSG_HS_FAIL)
		return;
	p = heard(MSG_SERVER_KEY, &n);
	ck_assert_uint_eq(n, NOISE_KEY);
	ck_assert_mem_eq(p, x.key.public, NOISE_KEY);
	ck_assert_uint_eq(x.said, 0);
}

/* The server's key is believed; LOGIN comes. */
static void
trusted(enum trust trust)
{
	uint8_t payload[1024];
	const uint8_t *p;
	size_t n;

	initiator_trust(x.client, trust);
	if (x.said == 0 || x.type[0] == MSG_HS_FAIL)
		return;
	p = heard(MSG_HS_OUT, &n);
	ck_assert_int_eq(
	    noise_read(&x.noise, p, n, payload, sizeof(payload), &n), 0);
	ck_assert_int_eq(login_get(&x.login, payload, n), 0);
	ck_assert_int_eq(noise_split(&x.noise, &x.tx, &x.rx), 0);
	ck_assert_str_eq(x.login.id, "id1");
}

static void
answer(const struct login_msg *m)
{
	uint8_t plain[LOGIN_MAX], out[1024];
	size_t n = login_msg_put(plain, m);

	ck_assert_uint_gt(n, 0);
	ck_assert_int_eq(noise_cipher_seal(&x.tx, NULL, 0, plain, n, out), 0);
	initiator_blob(x.client, out, n + NOISE_TAG);
}

static void
challenge(const char *secret)
{
	struct login_msg m = { .type = LOGIN_CHALLENGE };
	uint8_t ci[CPACE_CI_MAX];
	struct cpace_input in = { .secret = secret,
		.secret_len = strlen(secret),
		.ci = ci,
		.sid = x.sid,
		.sid_len = sizeof(x.sid) };

	in.ci_len = cpace_ci(ci, "id1", noise_remote(&x.noise), x.key.public);
	ck_assert_int_eq(
	    cpace_respond(&x.cpace, &in, NULL, x.login.ya, m.yb, m.tag), 0);
	answer(&m);
}

/* What the client says sealed. */
static void
client_said(struct login_msg *m)
{
	uint8_t plain[1024];
	const uint8_t *p;
	size_t n;

	p = heard(MSG_HS_OUT, &n);
	ck_assert_int_eq(noise_cipher_open(&x.rx, NULL, 0, p, n, plain), 0);
	ck_assert_int_eq(login_msg_get(m, plain, n - NOISE_TAG), 0);
}

/* ACCEPTED, and the keys are those that the server has. */
static void
accepted(uint8_t cipher)
{
	struct login_msg m = { .type = LOGIN_ACCEPTED, .tunnels = 10 };
	uint8_t root[TICKET_KEY];
	const uint8_t *p;
	size_t n;

	answer(&m);
	p = heard(MSG_HS_KEYS, &n);
	ck_assert_uint_eq(n, 1 + 3 * NOISE_KEY);
	noise_cipher_rekey(&x.tx);
	noise_cipher_rekey(&x.rx);
	ticket_root(root, x.rx.key, x.tx.key);
	ck_assert_uint_eq(p[0], cipher);
	ck_assert_mem_eq(p + 1, x.rx.key, NOISE_KEY);
	ck_assert_mem_eq(p + 33, x.tx.key, NOISE_KEY);
	ck_assert_mem_eq(p + 65, root, TICKET_KEY);
	ck_assert(initiator_ended(x.client));
}

static void
done(void)
{
	initiator_free(x.client);
}

START_TEST(login_by_secret)
{
	struct login_msg m;

	begin(LOGIN_SECRET, false, IDENTITY_CIPHER_AUTO);
	hello(ALL_CIPHERS);
	trusted(TRUST_FIRST);
	ck_assert_uint_eq(x.login.method, LOGIN_SECRET);
	ck_assert_uint_eq(x.login.cipher, (uint8_t)record_cipher_best());
	ck_assert_mem_eq(noise_remote(&x.noise), x.fresh.public, NOISE_KEY);
	challenge("secret1");
	client_said(&m);
	ck_assert_uint_eq(m.type, LOGIN_CONFIRM);
	ck_assert_int_eq(cpace_confirm(&x.cpace, m.tag, NULL), 0);
	accepted(x.login.cipher);
	done();
}
END_TEST

START_TEST(login_by_key)
{
	struct noise_key own;

	begin(LOGIN_KEY, false, RECORD_CHACHA20_POLY1305);
	hello(ALL_CIPHERS);
	trusted(TRUST_KNOWN);
	ck_assert_uint_eq(x.login.method, LOGIN_KEY);
	noise_key_from_secret(&own, x.id.key);
	ck_assert_mem_eq(noise_remote(&x.noise), own.public, NOISE_KEY);
	accepted(RECORD_CHACHA20_POLY1305);
	done();
}
END_TEST

START_TEST(plain_goes_to_verified_servers_only)
{
	static const enum trust trusts[] = { TRUST_PINNED, TRUST_KNOWN,
		TRUST_LOCAL, TRUST_FIRST };

	begin(LOGIN_SECRET, true, RECORD_NONE);
	hello(ALL_CIPHERS);
	trusted(trusts[_i]);
	if (trusts[_i] == TRUST_FIRST) {
		heard_failure(LOGIN_NEED_PLAIN);
	} else {
		ck_assert_uint_eq(x.login.method, LOGIN_PLAIN);
		ck_assert_str_eq(x.login.secret, "secret1");
		accepted(RECORD_NONE);
	}
	done();
}
END_TEST

START_TEST(changed_key_hears_nothing)
{
	begin(LOGIN_SECRET, _i, IDENTITY_CIPHER_AUTO);
	hello(ALL_CIPHERS);
	initiator_trust(x.client, TRUST_CHANGED);
	ck_assert_uint_eq(x.said, 0);
	ck_assert(initiator_ended(x.client));
	done();
}
END_TEST

START_TEST(server_without_the_secret_is_refused)
{
	struct login_msg m;

	begin(LOGIN_SECRET, false, IDENTITY_CIPHER_AUTO);
	hello(ALL_CIPHERS);
	trusted(TRUST_FIRST);
	challenge("another");
	client_said(&m);
	ck_assert_uint_eq(m.type, LOGIN_ABORT);
	heard_failure(LOGIN_WRONG_SECRET);
	done();
}
END_TEST

START_TEST(accepted_without_a_proof_is_refused)
{
	struct login_msg m = { .type = LOGIN_ACCEPTED };

	begin(LOGIN_SECRET, false, IDENTITY_CIPHER_AUTO);
	hello(ALL_CIPHERS);
	trusted(TRUST_PINNED);
	answer(&m);
	heard_failure(LOGIN_BAD);
	done();
}
END_TEST

START_TEST(second_challenge_is_refused)
{
	struct login_msg m;

	begin(LOGIN_SECRET, false, IDENTITY_CIPHER_AUTO);
	hello(ALL_CIPHERS);
	trusted(TRUST_PINNED);
	challenge("secret1");
	client_said(&m);
	challenge("secret1");
	heard_failure(LOGIN_BAD);
	done();
}
END_TEST

START_TEST(challenge_for_a_key_is_refused)
{
	begin(LOGIN_KEY, false, IDENTITY_CIPHER_AUTO);
	hello(ALL_CIPHERS);
	trusted(TRUST_PINNED);
	memset(x.login.ya, 1, sizeof(x.login.ya));
	answer(&(struct login_msg){ .type = LOGIN_CHALLENGE });
	heard_failure(LOGIN_BAD);
	done();
}
END_TEST

START_TEST(refusals_are_passed_on)
{
	struct login_msg m = { .type = LOGIN_REFUSED, .code = (uint8_t)_i };

	begin(LOGIN_SECRET, false, IDENTITY_CIPHER_AUTO);
	hello(ALL_CIPHERS);
	trusted(TRUST_PINNED);
	answer(&m);
	heard_failure((enum login_code)_i);
	done();
}
END_TEST

/* What is asked for, what the server has, what comes of it (-1: nothing). */
static const struct {
	uint8_t wish, offered;
	int chosen;
} choices[] = {
	{ IDENTITY_CIPHER_AUTO, 1 << RECORD_AES256_GCM, RECORD_AES256_GCM },
	{ IDENTITY_CIPHER_AUTO, 1 << RECORD_CHACHA20_POLY1305,
	    RECORD_CHACHA20_POLY1305 },
	{ IDENTITY_CIPHER_AUTO, 1 << RECORD_NONE, -1 }, /* never by itself */
	{ IDENTITY_CIPHER_AUTO, 0, -1 },
	{ RECORD_AES256_GCM, ALL_CIPHERS, RECORD_AES256_GCM },
	{ RECORD_AES256_GCM, 1 << RECORD_CHACHA20_POLY1305, -1 },
	{ RECORD_NONE, ALL_CIPHERS, RECORD_NONE },
	{ RECORD_NONE, ALL_CIPHERS & ~1, -1 },
};

START_TEST(chooses_a_cipher)
{
	begin(LOGIN_KEY, false, choices[_i].wish);
	hello(choices[_i].offered);
	if (choices[_i].chosen == -1) {
		heard_failure(LOGIN_CIPHER);
	} else {
		trusted(TRUST_PINNED);
		ck_assert_uint_eq(x.login.cipher, (uint8_t)choices[_i].chosen);
		accepted(x.login.cipher);
	}
	done();
}
END_TEST

START_TEST(garbage_ends_it)
{
	uint8_t garbage[1024];
	size_t n = (size_t)_i * 8;

	memset(garbage, 0x41, sizeof(garbage));
	begin(LOGIN_SECRET, false, IDENTITY_CIPHER_AUTO);
	initiator_blob(x.client, garbage, n > 1024 ? 1024 : n);
	heard_failure(LOGIN_BAD);
	done();
	begin(LOGIN_SECRET, false, IDENTITY_CIPHER_AUTO);
	hello(ALL_CIPHERS);
	trusted(TRUST_FIRST);
	initiator_blob(x.client, garbage, n > 1024 ? 1024 : n);
	heard_failure(LOGIN_BAD);
	done();
}
END_TEST

START_TEST(out_of_order_ends_it)
{
	uint8_t blob[64] = { 0 };

	begin(LOGIN_SECRET, true, IDENTITY_CIPHER_AUTO);
	initiator_trust(x.client, TRUST_PINNED); /* of no key yet */
	ck_assert(initiator_ended(x.client));
	ck_assert_uint_eq(x.said, 0);
	done();
	begin(LOGIN_SECRET, true, IDENTITY_CIPHER_AUTO);
	hello(ALL_CIPHERS);
	initiator_blob(x.client, blob, sizeof(blob)); /* before trust */
	heard_failure(LOGIN_BAD);
	done();
}
END_TEST

START_TEST(useless_prefaces_are_refused)
{
	uint8_t preface[PREFACE_MAX] = { 0 };
	struct identity_start s = { .preface = preface, .preface_len = 8 };

	begin(LOGIN_SECRET, false, IDENTITY_CIPHER_AUTO);
	ck_assert_ptr_null(initiator_new(CONN, &x.id, &x.fresh, &s, say, &x));
	s.preface_len = 0;
	ck_assert_ptr_null(initiator_new(CONN, &x.id, &x.fresh, &s, say, &x));
	done();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("initiator");
	TCase *t = tcase_create("login");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, login_by_secret);
	tcase_add_test(t, login_by_key);
	tcase_add_loop_test(t, plain_goes_to_verified_servers_only, 0, 4);
	tcase_add_loop_test(t, changed_key_hears_nothing, 0, 2);
	tcase_add_test(t, server_without_the_secret_is_refused);
	tcase_add_test(t, accepted_without_a_proof_is_refused);
	tcase_add_test(t, second_challenge_is_refused);
	tcase_add_test(t, challenge_for_a_key_is_refused);
	tcase_add_loop_test(t, refusals_are_passed_on, 1, LOGIN_CODES);
	tcase_add_loop_test(t, chooses_a_cipher, 0,
	    (int)(sizeof(choices) / sizeof(choices[0])));
	tcase_add_loop_test(t, garbage_ends_it, 0, 130);
	tcase_add_test(t, out_of_order_ends_it);
	tcase_add_test(t, useless_prefaces_are_refused);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
