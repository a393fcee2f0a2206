/* Unit test of login.c: round trips, every truncation, every bound. */
#include "common/tunnel/login.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define L63 "a23456789012345678901234567890123456789012345678901234567890123"

static const struct login logins[] = {
	{ .method = LOGIN_SECRET, .id = "id1", .version = "0.1", .ya = { 7 } },
	{ .method = LOGIN_KEY, .cipher = 2, .id = L63, .instance = { 3 } },
	{ .method = LOGIN_PLAIN, .id = "a-b", .secret = "s3cret" },
	{ .method = LOGIN_PLAIN, .id = "0", .secret = "" },
};

START_TEST(login_round_trip)
{
	uint8_t p[LOGIN_MAX + 1];
	struct login got;
	size_t n = login_put(p, &logins[_i]);

	ck_assert_uint_gt(n, 0);
	ck_assert_int_eq(login_get(&got, p, n), 0);
	ck_assert_mem_eq(&got, &logins[_i], sizeof(got));
	p[n] = 0;
	ck_assert_int_eq(login_get(&got, p, n + 1), -1);
	for (size_t cut = 0; cut < n; cut++) {
		uint8_t *exact = malloc(cut + 1);

		memcpy(exact, p, cut);
		ck_assert_int_eq(login_get(&got, exact, cut), -1);
		free(exact);
	}
}
END_TEST

START_TEST(longest_login_fits)
{
	struct login l = { .method = LOGIN_PLAIN, .id = L63 }, got;
	uint8_t p[LOGIN_MAX];
	size_t n;

	memset(l.version, 'v', LOGIN_VERSION_MAX);
	memset(l.secret, 's', LOGIN_SECRET_MAX);
	n = login_put(p, &l);
	ck_assert_uint_gt(n, 0);
	ck_assert_int_eq(login_get(&got, p, n), 0);
	ck_assert_mem_eq(&got, &l, sizeof(got));
}
END_TEST

/* An id has one form; another is not corrected, but refused. */
START_TEST(ids_are_labels_already)
{
	static const char *const ids[] = { "", "A", "a.b", "-a", "a_b", "a ",
		"\xc3\xa4" };
	struct login l = { .method = LOGIN_KEY }, got;
	uint8_t p[LOGIN_MAX];
	size_t n;

	strcpy(l.id, ids[_i]);
	n = login_put(p, &l);
	ck_assert_uint_gt(n, 0);
	ck_assert_int_eq(login_get(&got, p, n), -1);
}
END_TEST

START_TEST(methods_are_known)
{
	struct login l = { .method = (uint8_t)_i, .id = "a" }, got;
	uint8_t p[LOGIN_MAX];
	size_t n = login_put(p, &l);

	ck_assert_int_eq(login_get(&got, p, n),
	    _i >= LOGIN_SECRET && _i <= LOGIN_PLAIN ? 0 : -1);
}
END_TEST

START_TEST(hello_round_trip)
{
	struct login_hello h = { "0.1.0", 7 }, got;
	uint8_t p[LOGIN_MAX];
	size_t n;

	memset(h.version, 'v', _i == 0 ? 0 : LOGIN_VERSION_MAX);
	n = login_hello_put(p, &h);
	ck_assert_uint_gt(n, 0);
	ck_assert_int_eq(login_hello_get(&got, p, n), 0);
	ck_assert_str_eq(got.version, h.version);
	ck_assert_uint_eq(got.ciphers, 7);
	for (size_t cut = 0; cut < n; cut++)
		ck_assert_int_eq(login_hello_get(&got, p, cut), -1);
	p[n] = 0;
	ck_assert_int_eq(login_hello_get(&got, p, n + 1), -1);
}
END_TEST

static const struct login_msg messages[] = {
	{ .type = LOGIN_CHALLENGE,
	    .yb = { 1, [31] = 2 },
	    .tag = { 3, [63] = 4 } },
	{ .type = LOGIN_CONFIRM, .tag = { 5, [63] = 6 } },
	{ .type = LOGIN_ABORT },
	{ .type = LOGIN_ACCEPTED, .domain = "example.com", .tunnels = 3 },
	{ .type = LOGIN_ACCEPTED },
	{ .type = LOGIN_REFUSED, .code = LOGIN_BUSY, .retry = 70000 },
	{ .type = LOGIN_REFUSED, .code = LOGIN_CODES - 1 },
};

START_TEST(message_round_trip)
{
	uint8_t p[LOGIN_MAX];
	struct login_msg got;
	size_t n = login_msg_put(p, &messages[_i]);

	ck_assert_uint_gt(n, 0);
	ck_assert_int_eq(login_msg_get(&got, p, n), 0);
	ck_assert_mem_eq(&got, &messages[_i], sizeof(got));
	for (size_t cut = 0; cut < n; cut++)
		ck_assert_int_eq(login_msg_get(&got, p, cut), -1);
	p[n] = 0;
	ck_assert_int_eq(login_msg_get(&got, p, n + 1), -1);
}
END_TEST

START_TEST(messages_that_are_none)
{
	struct login_msg m = { .type = 0 };
	uint8_t p[LOGIN_MAX] = { 0 };

	ck_assert_uint_eq(login_msg_put(p, &m), 0);
	m.type = LOGIN_REFUSED + 1;
	ck_assert_uint_eq(login_msg_put(p, &m), 0);
	p[0] = 0;
	ck_assert_int_eq(login_msg_get(&m, p, 1), -1);
	p[0] = LOGIN_REFUSED + 1;
	ck_assert_int_eq(login_msg_get(&m, p, 1), -1);
	/* Refused without a reason, or for one that is none. */
	p[0] = LOGIN_REFUSED;
	p[1] = LOGIN_OK;
	ck_assert_int_eq(login_msg_get(&m, p, 6), -1);
	p[1] = LOGIN_CODES;
	ck_assert_int_eq(login_msg_get(&m, p, 6), -1);
	p[1] = LOGIN_BAD;
	ck_assert_int_eq(login_msg_get(&m, p, 6), 0);
}
END_TEST

START_TEST(every_code_has_a_text)
{
	ck_assert_str_ne(login_code_text((enum login_code)_i), "");
	if (_i > 0)
		ck_assert_str_ne(login_code_text((enum login_code)_i),
		    login_code_text((enum login_code)(_i - 1)));
	/* What waiting can cure is not final. */
	ck_assert_int_eq(login_code_final((enum login_code)_i),
	    _i != LOGIN_OK && _i != LOGIN_BUSY && _i != LOGIN_LIMIT &&
		_i != LOGIN_LOCKED && _i < LOGIN_CODES);
}
END_TEST

START_TEST(case_round_trip)
{
	struct login_case c = { .h = { 1, [63] = 2 },
		.client_static = { 3 },
		.server_static = { 4 },
		.login = (const uint8_t *)"login",
		.n = 5 };
	struct login_case got;
	uint8_t p[512];
	size_t n = 0;

	ck_assert_int_eq(addr_parse_ip(&c.source, "2001:db8::"), 0);
	ck_assert_int_eq(login_case_put(p, sizeof(p), &n, &c), 0);
	ck_assert_int_eq(login_case_get(&got, p, n), 0);
	ck_assert(addr_equal(&got.source, &c.source));
	ck_assert_mem_eq(got.h, c.h, sizeof(c.h));
	ck_assert_mem_eq(got.client_static, c.client_static, 32);
	ck_assert_mem_eq(got.server_static, c.server_static, 32);
	ck_assert_uint_eq(got.n, 5);
	ck_assert_mem_eq(got.login, "login", 5);
	for (size_t cut = 0; cut < n - 5; cut++)
		ck_assert_int_eq(login_case_get(&got, p, cut), -1);
	for (size_t cap = 0; cap < n; cap++)
		ck_assert_int_eq(login_case_put(p, cap, &n, &c), -1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("login");
	TCase *t = tcase_create("login");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, login_round_trip, 0, ROWS(logins));
	tcase_add_test(t, longest_login_fits);
	tcase_add_loop_test(t, ids_are_labels_already, 0, 7);
	tcase_add_loop_test(t, methods_are_known, 0, 256);
	tcase_add_loop_test(t, hello_round_trip, 0, 2);
	tcase_add_loop_test(t, message_round_trip, 0, ROWS(messages));
	tcase_add_test(t, messages_that_are_none);
	tcase_add_loop_test(t, every_code_has_a_text, 0, LOGIN_CODES + 1);
	tcase_add_test(t, case_round_trip);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
