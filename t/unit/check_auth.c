/*
 * Unit test of auth.c, users.c, held.c and hasher.c: who gets in, by which
 * proof, and that nobody else does.
 */
#include "worker/guard/auth.h"

#include <event2/event.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t/unit/login_lab.h"
#include "worker/guard/hasher.h"
#include "worker/guard/held.h"

#define PATIENT_MS 3600000 /* for hashes that must get their turn */
#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static struct lab *l;

static void
setup(void)
{
	ck_assert_int_ne(sodium_init(), -1);
	l = lab_new();
}

static void
teardown(void)
{
	lab_free(l);
}

static void
allow_any(void)
{
	ck_assert_int_eq(lab_give(l, false, MSG_AUTH_CONF, 0, "\1", 1), 0);
}

START_TEST(by_secret)
{
	lab_connect(l, LOGIN_SECRET, "secret1", "s1");
	ck_assert(!l->granted);
	ck_assert_int_eq(lab_confirm(l, "secret1", "s1"), 0);
	lab_accepted(l, LOGIN_SECRET, "secret1");
}
END_TEST

/* The client finds out first, and says so. */
START_TEST(by_wrong_secret)
{
	struct login_msg m = { .type = LOGIN_ABORT };

	lab_connect(l, LOGIN_SECRET, "secret1", "wrong");
	ck_assert_int_eq(lab_confirm(l, "secret1", "wrong"), -1);
	if (_i == 0)
		m.type = LOGIN_CONFIRM; /* or lies: with a tag of zeros */
	lab_say(l, &m);
	lab_refused(l, LOGIN_WRONG_SECRET);
}
END_TEST

/* A confirmation is good for its own handshake only. */
START_TEST(recorded_confirmation_is_worth_nothing)
{
	uint8_t ci[CPACE_CI_MAX];
	struct login_msg m, old = { .type = LOGIN_CONFIRM };
	struct cpace_input in;

	lab_connect(l, LOGIN_SECRET, "secret1", "s1");
	lab_heard(l, &m);
	in = lab_cpace(l, "secret1", "s1", ci);
	ck_assert_int_eq(
	    cpace_finish(&l->client.cpace, &in, m.yb, m.tag, old.tag, NULL), 0);
	lab_connect(l, LOGIN_SECRET, "secret1", "s1");
	lab_heard(l, &m);
	lab_say(l, &old);
	lab_refused(l, LOGIN_WRONG_SECRET);
}
END_TEST

START_TEST(by_key)
{
	lab_connect(l, LOGIN_KEY, "key1", "");
	lab_accepted(l, LOGIN_KEY, "key1");
}
END_TEST

START_TEST(by_wrong_key)
{
	noise_key_make(&l->client.key);
	lab_connect(l, LOGIN_KEY, "key1", "");
	lab_refused(l, LOGIN_WRONG_KEY);
}
END_TEST

START_TEST(by_hash)
{
	lab_connect(l, LOGIN_PLAIN, "hash1", "whatever");
	ck_assert_uint_eq(l->jobs, 1);
	ck_assert(!l->granted);
	ck_assert_uint_eq(l->job_id, LAB_CONN);
	auth_hashed(l->auth, l->job_id, l->job_number,
	    _i == 1 ? LOGIN_OK : LOGIN_WRONG_SECRET);
	lab_run(l);
	if (_i == 1)
		lab_accepted(l, LOGIN_PLAIN, "hash1");
	else
		lab_refused(l, LOGIN_WRONG_SECRET);
}
END_TEST

START_TEST(hash_for_another_login_is_not_taken)
{
	uint32_t old;

	lab_connect(l, LOGIN_PLAIN, "hash1", "whatever");
	old = l->job_number;
	lab_connect(l, LOGIN_PLAIN, "hash1", "whatever");
	auth_hashed(l->auth, LAB_CONN, old, LOGIN_OK);
	auth_hashed(l->auth, LAB_CONN + 1, l->job_number, LOGIN_OK);
	lab_run(l);
	ck_assert(!l->granted);
	/* Nor for one that waits for something else. */
	lab_connect(l, LOGIN_SECRET, "secret1", "s1");
	auth_hashed(l->auth, LAB_CONN, l->job_number + 1, LOGIN_OK);
	lab_run(l);
	ck_assert(!l->granted);
}
END_TEST

START_TEST(too_many_hashes)
{
	struct login_msg m;

	l->jobs_full = true;
	lab_connect(l, LOGIN_PLAIN, "hash1", "whatever");
	lab_heard(l, &m);
	ck_assert_int_eq(m.type, LOGIN_REFUSED);
	ck_assert_int_eq(m.code, LOGIN_BUSY);
	ck_assert_uint_eq(m.retry, AUTH_RETRY_BUSY);
	/* Others do not wait behind it. */
	lab_connect(l, LOGIN_SECRET, "secret1", "s1");
	ck_assert_int_eq(lab_confirm(l, "secret1", "s1"), 0);
	ck_assert(l->granted);
}
END_TEST

/* Whoever uses another method than its own is told which. */
static const struct {
	const char *id;
	uint8_t method;
	bool any;
	enum login_code code;
} methods[] = {
	{ "secret1", LOGIN_KEY, false, LOGIN_NEED_SECRET },
	{ "secret1", LOGIN_PLAIN, false, LOGIN_NEED_SECRET },
	{ "key1", LOGIN_SECRET, false, LOGIN_NEED_KEY },
	{ "key1", LOGIN_PLAIN, false, LOGIN_NEED_KEY },
	{ "hash1", LOGIN_SECRET, false, LOGIN_NEED_PLAIN },
	{ "hash1", LOGIN_KEY, false, LOGIN_NEED_PLAIN },
	{ "secret1", LOGIN_PLAIN, true, LOGIN_NEED_SECRET },
	{ "nobody", LOGIN_SECRET, false, LOGIN_UNKNOWN_ID },
	{ "nobody", LOGIN_KEY, false, LOGIN_UNKNOWN_ID },
	{ "nobody", LOGIN_PLAIN, false, LOGIN_UNKNOWN_ID },
	{ "secret", LOGIN_SECRET, false, LOGIN_UNKNOWN_ID },
	{ "secret11", LOGIN_SECRET, false, LOGIN_UNKNOWN_ID },
	{ "nobody", LOGIN_SECRET, true, LOGIN_NEED_PLAIN },
	{ "nobody", LOGIN_KEY, true, LOGIN_NEED_PLAIN },
};

START_TEST(an_id_has_one_method)
{
	if (methods[_i].any)
		allow_any();
	/* With the right secret of secret1, which must not help. */
	lab_connect(l, methods[_i].method, methods[_i].id, "s1");
	lab_refused(l, methods[_i].code);
	ck_assert_uint_eq(l->jobs, 0);
}
END_TEST

START_TEST(first_secret_holds_an_id)
{
	allow_any();
	lab_connect(l, LOGIN_PLAIN, "new", "first");
	lab_accepted(l, LOGIN_PLAIN, "new");
	l->granted = false;
	l->keys_at = 0;
	lab_connect(l, LOGIN_PLAIN, "new", "second");
	lab_refused(l, LOGIN_WRONG_SECRET);
	l->keys_fail = -1;
	lab_connect(l, LOGIN_PLAIN, "new", "first");
	lab_accepted(l, LOGIN_PLAIN, "new");
	/* Released, it is anybody's. */
	ck_assert_int_eq(lab_give(l, false, MSG_RELEASE, 0, "\3new", 4), 0);
	l->granted = false;
	l->keys_at = 0;
	lab_connect(l, LOGIN_PLAIN, "new", "second");
	lab_accepted(l, LOGIN_PLAIN, "new");
}
END_TEST

START_TEST(nobody_before_the_users_are_known)
{
	struct login_msg m;

	allow_any();
	auth_use(l->auth, NULL);
	lab_connect(l, LOGIN_PLAIN, "new", "first");
	lab_heard(l, &m);
	ck_assert_int_eq(m.code, LOGIN_BUSY);
	ck_assert(!l->granted);
}
END_TEST

/* From an address with too many failures only a key helps; and only once. */
START_TEST(locked_address)
{
	struct login_msg m;

	allow_any();
	ck_assert_int_eq(
	    lab_give(l, false, MSG_HS_LOCKED, LAB_CONN, NULL, 0), 0);
	if (_i == 0) {
		lab_connect(l, LOGIN_KEY, "key1", "");
		lab_accepted(l, LOGIN_KEY, "key1");
		return;
	}
	if (_i == 1)
		lab_connect(l, LOGIN_SECRET, "secret1", "s1");
	else
		lab_connect(
		    l, LOGIN_PLAIN, _i == 2 ? "hash1" : "new", "password");
	lab_heard(l, &m);
	ck_assert_int_eq(m.type, LOGIN_REFUSED);
	ck_assert_int_eq(m.code, LOGIN_LOCKED);
	ck_assert(!l->granted);
	ck_assert_uint_eq(l->jobs, 0);
	lab_connect(l, LOGIN_SECRET, "secret1", "s1");
	ck_assert_int_eq(lab_confirm(l, "secret1", "s1"), 0);
	ck_assert(l->granted);
}
END_TEST

/* What may follow LOGIN, and when. */
START_TEST(out_of_order_is_refused)
{
	struct login_msg m = { .type = LOGIN_CHALLENGE };

	if (_i == 0) {
		/* No CONFIRM is due while argon2 is at it. */
		lab_connect(l, LOGIN_PLAIN, "hash1", "x");
		ck_assert_int_eq(
		    lab_give(l, false, MSG_HS_MORE, LAB_CONN, "\3", 1), 0);
	} else if (_i == 1) {
		lab_connect(l, LOGIN_SECRET, "secret1", "s1");
		lab_heard(l, &m);
		m.type = LOGIN_CHALLENGE;
		lab_say(l, &m);
	} else {
		lab_connect(l, LOGIN_SECRET, "secret1", "s1");
		ck_assert_int_eq(
		    lab_give(l, false, MSG_HS_MORE, LAB_CONN, "\2", 1), 0);
	}
	lab_run(l);
	ck_assert_int_eq(l->auth_fail, LOGIN_BAD);
	ck_assert(!l->granted);
	ck_assert_uint_eq(auth_count(l->auth), 0);
}
END_TEST

START_TEST(malformed_cases_are_refused)
{
	struct login_case c = { .login = (const uint8_t *)"\1\2", .n = 2 };
	uint8_t p[512];
	size_t n;

	ck_assert_int_eq(login_case_put(p, sizeof(p), &n, &c), 0);
	for (size_t cut = 0; cut <= n; cut++) {
		l->auth_fail = -1;
		ck_assert_int_eq(
		    lab_give(l, false, MSG_HS_LOGIN, LAB_CONN, p, cut), 0);
		ck_assert_int_eq(l->auth_fail, LOGIN_BAD);
		l->nqueue = 0;
	}
	ck_assert(!l->granted);
	ck_assert_uint_eq(auth_count(l->auth), 0);
	ck_assert_int_eq(lab_give(l, false, MSG_HS_LOGIN, 0, p, n), -1);
	ck_assert_int_eq(lab_give(l, false, MSG_AUTH_CONF, 0, "\4", 1), -1);
	ck_assert_int_eq(lab_give(l, false, MSG_RELEASE, 0, "\2a", 2), -1);
}
END_TEST

START_TEST(gone_is_forgotten)
{
	uint8_t code = LOGIN_BAD;

	lab_connect(l, LOGIN_SECRET, "secret1", "s1");
	ck_assert_uint_eq(auth_count(l->auth), 1);
	ck_assert_int_eq(
	    lab_give(l, false, MSG_HS_FAIL, LAB_CONN, &code, 1), 0);
	ck_assert_uint_eq(auth_count(l->auth), 0);
	ck_assert_int_eq(
	    lab_give(l, false, MSG_HS_FAIL, LAB_CONN, &code, 1), 0);
	ck_assert_int_eq(lab_give(l, false, MSG_HS_MORE, LAB_CONN, "\2", 1), 0);
	ck_assert_int_eq(l->auth_fail, -1);
}
END_TEST

START_TEST(undecided_logins_are_bounded)
{
	struct login login = { .method = LOGIN_SECRET, .id = "secret1" };
	struct login_case c = { .n = 0 };
	uint8_t p[LOGIN_MAX], frame[1200];
	size_t n;

	crypto_core_ristretto255_random(login.ya);
	c.login = p;
	c.n = login_put(p, &login);
	ck_assert_int_eq(login_case_put(frame, sizeof(frame), &n, &c), 0);
	for (uint32_t id = 1; id <= AUTH_LOGINS_MAX + 1; id++) {
		ck_assert_int_eq(l->auth_fail, -1);
		ck_assert_int_eq(
		    lab_give(l, false, MSG_HS_LOGIN, id, frame, n), 0);
		l->nqueue = 0;
	}
	ck_assert_int_eq(l->auth_fail, LOGIN_BUSY);
	ck_assert_uint_eq(auth_count(l->auth), AUTH_LOGINS_MAX);
}
END_TEST

/* ---- the external check ---- */

/* A login of a fresh id from that source, with two names. */
static void
ask_from(uint32_t conn, uint8_t source)
{
	struct login login = {
		.method = LOGIN_PLAIN, .id = "new", .secret = "s"
	};
	struct login_case c = { .n = 0 };
	uint8_t p[LOGIN_MAX], frame[1200];
	size_t n;

	names_add(&login.asked, "web");
	names_add(&login.asked, "blog");
	if (source != 0)
		addr_parse_ip(
		    &c.source, source == 1 ? "192.0.2.1" : "192.0.2.9");
	c.login = p;
	c.n = login_put(p, &login);
	ck_assert_int_eq(login_case_put(frame, sizeof(frame), &n, &c), 0);
	ck_assert_int_eq(lab_give(l, false, MSG_HS_LOGIN, conn, frame, n), 0);
	l->nqueue = 0;
}

static int
vouched(uint32_t conn, uint32_t number, uint8_t answer, const char *name)
{
	struct names names = { 0 };
	uint8_t p[1024];
	struct buf b;
	int ret;

	if (name != NULL)
		names_add(&names, name);
	buf_write(&b, p, sizeof(p));
	buf_put_u32(&b, number);
	buf_put_u8(&b, answer);
	names_put(&b, &names);
	ret = lab_give(l, false, MSG_VOUCHED, conn, p, buf_used(&b));
	l->nqueue = 0;
	return ret;
}

static void
ask_outside(void)
{
	ck_assert_int_eq(lab_give(l, false, MSG_AUTH_CONF, 0, "\2", 1), 0);
	l->no_finish = true;
}

static uint32_t
number_of_question(void)
{
	uint32_t number = 0;
	struct buf b;

	buf_read(&b, l->vouch, l->nvouch);
	buf_get_u32(&b, &number);
	return number;
}

START_TEST(vouched_for_what_was_asked)
{
	struct names asked, allowed;
	char id[64], secret[256];
	uint32_t number;
	struct buf b;

	ask_outside();
	ask_from(7, 1);
	buf_read(&b, l->vouch, l->nvouch);
	buf_get_u32(&b, &number);
	buf_get_cstr8(&b, id, sizeof(id));
	buf_get_cstr8(&b, secret, sizeof(secret));
	ck_assert_int_eq(names_get(&b, &asked), 0);
	ck_assert(buf_done(&b));
	ck_assert_str_eq(id, "new");
	ck_assert_str_eq(secret, "s");
	ck_assert(names_have(&asked, "web") && names_have(&asked, "blog"));
	/* Of another login, and of this one under another number. */
	ck_assert_int_eq(vouched(8, number, VOUCH_YES, NULL), 0);
	ck_assert_int_eq(vouched(7, number + 1, VOUCH_YES, NULL), 0);
	ck_assert(!l->granted);
	ck_assert_int_eq(vouched(7, number, VOUCH_YES, "web"), 0);
	ck_assert(l->granted);
	buf_read(
	    &b, l->grant + 19 + l->grant[1], l->ngrant - 19u - l->grant[1]);
	ck_assert_uint_eq(*b.p++, 1);
	ck_assert_int_eq(names_get(&b, &allowed), 0);
	ck_assert(names_have(&allowed, "web") && !names_have(&allowed, "blog"));
	/* Only once. */
	l->granted = false;
	ck_assert_int_eq(vouched(7, number, VOUCH_YES, NULL), 0);
	ck_assert(!l->granted);
}
END_TEST

START_TEST(vouched_for_more_than_was_asked)
{
	struct names allowed;
	struct buf b;

	ask_outside();
	ask_from(7, 1);
	ck_assert_int_eq(
	    vouched(7, number_of_question(), VOUCH_YES, "other"), 0);
	ck_assert(l->granted);
	buf_read(
	    &b, l->grant + 20 + l->grant[1], l->ngrant - 20u - l->grant[1]);
	ck_assert_int_eq(names_get(&b, &allowed), 0);
	ck_assert_uint_eq(allowed.count, 0);
}
END_TEST

START_TEST(not_vouched_for)
{
	ask_outside();
	ask_from(7, 1);
	ck_assert_int_eq(vouched(7, number_of_question(), VOUCH_NO, NULL), 0);
	ck_assert_int_eq(l->auth_fail, LOGIN_WRONG_SECRET);
	ask_from(7, 1);
	ck_assert_int_eq(vouched(7, number_of_question(), VOUCH_DOWN, NULL), 0);
	ck_assert_int_eq(l->auth_fail, LOGIN_BUSY);
	ask_from(7, 1);
	ck_assert_int_eq(vouched(7, number_of_question(), VOUCHES, NULL), -1);
	ck_assert(!l->granted);
}
END_TEST

START_TEST(questions_are_bounded)
{
	ask_outside();
	ask_from(1, 9);
	ck_assert_uint_eq(l->vouches, 1);
	ask_from(2, 9); /* the same source */
	ck_assert_int_eq(l->auth_fail, LOGIN_BUSY);
	ck_assert_uint_eq(l->vouches, 1);
	for (uint32_t id = 3; id <= AUTH_ASKS_MAX + 1; id++)
		ask_from(id, 0);
	ck_assert_uint_eq(l->vouches, AUTH_ASKS_MAX);
	ask_from(200, 0);
	ck_assert_uint_eq(l->vouches, AUTH_ASKS_MAX);
	/* One is gone, then all. */
	ck_assert_int_eq(lab_give(l, false, MSG_VOUCH_LOST, 1, NULL, 0), 0);
	ask_from(200, 9);
	ck_assert_uint_eq(l->vouches, AUTH_ASKS_MAX + 1);
	ck_assert_uint_eq(auth_count(l->auth), AUTH_ASKS_MAX);
	l->nqueue = 0;
	for (uint32_t id = 2; id <= 200; id++) {
		ck_assert_int_eq(
		    lab_give(l, false, MSG_VOUCH_LOST, id, NULL, 0), 0);
		l->nqueue = 0;
	}
	ck_assert_uint_eq(auth_count(l->auth), 0);
	ask_from(7, 9);
	ck_assert_int_eq(lab_give(l, false, MSG_VOUCH_LOST, 0, NULL, 0), 0);
	ck_assert_uint_eq(auth_count(l->auth), 0);
	ck_assert(!l->granted);
}
END_TEST

/* Users as the parser would, and would not, send them. */
static size_t
users_frame(uint8_t p[1024], uint32_t total, const char *const *ids, size_t n)
{
	struct buf b;

	buf_write(&b, p, 1024);
	buf_put_u32(&b, total);
	for (size_t i = 0; i < n; i++)
		lab_verifier(&b, ids[i], VERIFIER_SECRET, "s");
	return buf_used(&b);
}

START_TEST(users_come_in_frames)
{
	static const char *const first[] = { "a", "b" },
				 *const last[] = { "c" };
	struct users *u = users_new();
	uint8_t p[1024];
	size_t n;

	n = users_frame(p, 3, first, 2);
	ck_assert_int_eq(users_add(u, p, n), 0);
	ck_assert_ptr_null(users_find(u, "a"));
	n = users_frame(p, 3, last, 1);
	ck_assert_int_eq(users_add(u, p, n), 1);
	ck_assert_uint_eq(users_count(u), 3);
	for (const char *id = "abc"; *id != '\0'; id++) {
		char name[2] = { *id, '\0' };

		ck_assert_str_eq(users_find(u, name)->id, name);
	}
	ck_assert_ptr_null(users_find(u, ""));
	ck_assert_ptr_null(users_find(u, "aa"));
	ck_assert_ptr_null(users_find(u, "d"));
	ck_assert_int_eq(users_add(u, p, n), -1); /* no more of them */
	users_free(u);
}
END_TEST

START_TEST(no_users_are_a_set_too)
{
	struct users *u = users_new();
	uint8_t p[1024];

	ck_assert_int_eq(users_add(u, p, users_frame(p, 0, NULL, 0)), 1);
	ck_assert_ptr_null(users_find(u, "a"));
	users_free(u);
}
END_TEST

START_TEST(malformed_users)
{
	static const char *const twice[] = { "a", "a" };
	static const char *const unsorted[] = { "b", "a" };
	static const char *const good[] = { "a", "b" };
	struct users *u = users_new();
	uint8_t p[1024];
	size_t n = 0;

	switch (_i) {
	case 0:
		n = users_frame(p, 2, twice, 2);
		break;
	case 1:
		n = users_frame(p, 2, unsorted, 2);
		break;
	case 2:
		n = users_frame(p, 1, good, 2);
		break;
	case 3:
		n = users_frame(p, VERIFIER_MAX + 1, good, 2);
		break;
	case 4:
		n = users_frame(p, 2, good, 2) - 1;
		break;
	case 5:
		n = 3;
		break;
	case 6:
		ck_assert_int_eq(
		    users_add(u, p, users_frame(p, 3, good, 1)), 0);
		n = users_frame(p, 4, good + 1, 1);
		break;
	}
	ck_assert_int_eq(users_add(u, p, n), -1);
	ck_assert_ptr_null(users_find(u, "a"));
	users_free(u);
}
END_TEST

START_TEST(held_ids_are_bounded)
{
	struct held *h = held_new();
	char id[16];

	for (int i = 0; i < HELD_IDS_MAX; i++) {
		snprintf(id, sizeof(id), "id%d", i);
		ck_assert_int_eq(held_check(h, id, "s"), LOGIN_OK);
	}
	ck_assert_int_eq(held_check(h, "more", "s"), LOGIN_LIMIT);
	ck_assert_int_eq(held_check(h, "id77", "s"), LOGIN_OK);
	ck_assert_int_eq(held_check(h, "id77", ""), LOGIN_WRONG_SECRET);
	held_release(h, "id7", 3);
	held_release(h, "id7", 3);
	ck_assert_uint_eq(held_count(h), HELD_IDS_MAX - 1);
	ck_assert_int_eq(held_check(h, "id77", "x"), LOGIN_WRONG_SECRET);
	ck_assert_int_eq(held_check(h, "more", "s"), LOGIN_OK);
	held_free(h);
}
END_TEST

/* The real process that hashes. */
struct answers {
	struct event_base *base;
	unsigned count, wanted;
	enum login_code code[HASHER_QUEUE];
	bool ended;
};

static void
on_done(void *arg, uint32_t id, uint32_t number, enum login_code code)
{
	struct answers *x = arg;

	ck_assert_uint_eq(number, id + 1);
	ck_assert_uint_eq(id, x->count);
	x->code[x->count++] = code;
	if (x->count == x->wanted)
		event_base_loopbreak(x->base);
}

static void
on_ended(void *arg)
{
	struct answers *x = arg;

	x->ended = true;
	event_base_loopbreak(x->base);
}

static const struct hasher_ops hasher_ops = { on_done, on_ended };

START_TEST(hashes_one_after_the_other)
{
	struct answers x = { .wanted = HASHER_QUEUE };
	int fd = hasher_fork(NULL, -1);
	struct addr source = { 0 };
	struct hasher *h;

	x.base = event_base_new();
	h = hasher_new(x.base, fd, PATIENT_MS, &hasher_ops, &x);
	for (uint32_t i = 0; i < HASHER_QUEUE; i++)
		ck_assert_int_eq(hasher_submit(h, i, i + 1, &source, LAB_HASH,
				     i % 2 == 0 ? "password" : "passwort"),
		    0);
	ck_assert_int_eq(hasher_submit(h, 99, 0, &source, LAB_HASH, "x"), -1);
	event_base_dispatch(x.base);
	ck_assert_uint_eq(x.count, HASHER_QUEUE);
	for (uint32_t i = 0; i < HASHER_QUEUE; i++)
		ck_assert_int_eq(
		    x.code[i], i % 2 == 0 ? LOGIN_OK : LOGIN_WRONG_SECRET);
	ck_assert(!x.ended);
	hasher_free(h);
	event_base_free(x.base);
	wait(NULL);
}
END_TEST

START_TEST(one_hash_for_each_source)
{
	struct answers x = { .wanted = 2 };
	int fd = hasher_fork(NULL, -1);
	struct addr one = { 0 }, two = { 0 };
	struct hasher *h;

	addr_parse_ip(&one, "192.0.2.1");
	addr_parse_ip(&two, "192.0.2.2");
	x.base = event_base_new();
	h = hasher_new(x.base, fd, PATIENT_MS, &hasher_ops, &x);
	ck_assert_int_eq(hasher_submit(h, 0, 1, &one, LAB_HASH, "x"), 0);
	ck_assert_int_eq(hasher_submit(h, 9, 9, &one, LAB_HASH, "x"), -1);
	ck_assert_int_eq(hasher_submit(h, 1, 2, &two, LAB_HASH, "x"), 0);
	event_base_dispatch(x.base);
	x.wanted = 3;
	ck_assert_int_eq(hasher_submit(h, 2, 3, &one, LAB_HASH, "password"), 0);
	event_base_dispatch(x.base);
	ck_assert_int_eq(x.code[2], LOGIN_OK);
	hasher_free(h);
	event_base_free(x.base);
	wait(NULL);
}
END_TEST

/* One whose turn does not come in time is told so, and the next one runs. */
START_TEST(late_hashes)
{
	struct answers x = { .wanted = 4 };
	int fd = hasher_fork(NULL, -1);
	struct addr source = { 0 };
	struct timespec moment = { 0, 20000000 };
	struct hasher *h;

	x.base = event_base_new();
	h = hasher_new(x.base, fd, 10, &hasher_ops, &x);
	for (uint32_t i = 0; i < 4; i++)
		ck_assert_int_eq(
		    hasher_submit(h, i, i + 1, &source, LAB_HASH, "password"),
		    0);
	nanosleep(&moment, NULL);
	event_base_dispatch(x.base);
	ck_assert_int_eq(x.code[0], LOGIN_OK);
	for (uint32_t i = 1; i < 4; i++)
		ck_assert_int_eq(x.code[i], LOGIN_BUSY);
	x.wanted = 5;
	ck_assert_int_eq(
	    hasher_submit(h, 4, 5, &source, LAB_HASH, "password"), 0);
	event_base_dispatch(x.base);
	ck_assert_int_eq(x.code[4], LOGIN_OK);
	hasher_free(h);
	event_base_free(x.base);
	wait(NULL);
}
END_TEST

/* Its death is noticed; what it was asked is never answered with yes. */
START_TEST(dead_hasher)
{
	struct answers x = { .wanted = 1 };
	struct addr source = { 0 };
	struct hasher *h;
	int fds[2];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	x.base = event_base_new();
	h = hasher_new(x.base, fds[0], HASHER_WAIT_MS, &hasher_ops, &x);
	ck_assert_int_eq(hasher_submit(h, 0, 1, &source, LAB_HASH, "x"), 0);
	close(fds[1]);
	event_base_dispatch(x.base);
	ck_assert(x.ended);
	ck_assert_uint_eq(x.count, 0);
	hasher_free(h);
	event_base_free(x.base);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("auth");
	TCase *t = tcase_create("auth");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, by_secret);
	tcase_add_loop_test(t, by_wrong_secret, 0, 2);
	tcase_add_test(t, recorded_confirmation_is_worth_nothing);
	tcase_add_test(t, by_key);
	tcase_add_test(t, by_wrong_key);
	tcase_add_loop_test(t, by_hash, 0, 2);
	tcase_add_test(t, hash_for_another_login_is_not_taken);
	tcase_add_test(t, too_many_hashes);
	tcase_add_loop_test(t, an_id_has_one_method, 0, ROWS(methods));
	tcase_add_test(t, first_secret_holds_an_id);
	tcase_add_test(t, nobody_before_the_users_are_known);
	tcase_add_loop_test(t, locked_address, 0, 4);
	tcase_add_loop_test(t, out_of_order_is_refused, 0, 3);
	tcase_add_test(t, malformed_cases_are_refused);
	tcase_add_test(t, gone_is_forgotten);
	tcase_add_test(t, undecided_logins_are_bounded);
	tcase_add_test(t, vouched_for_what_was_asked);
	tcase_add_test(t, vouched_for_more_than_was_asked);
	tcase_add_test(t, not_vouched_for);
	tcase_add_test(t, questions_are_bounded);
	tcase_add_test(t, users_come_in_frames);
	tcase_add_test(t, no_users_are_a_set_too);
	tcase_add_loop_test(t, malformed_users, 0, 7);
	tcase_add_test(t, held_ids_are_bounded);
	tcase_add_test(t, hashes_one_after_the_other);
	tcase_add_test(t, one_hash_for_each_source);
	tcase_add_test(t, late_hashes);
	tcase_add_test(t, dead_hasher);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
