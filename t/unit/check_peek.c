/* Unit test of peek.c and host.c: first bytes, and names of hosts. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/http/host.h"
#include "common/http/peek.h"

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define BYTES(s) s, sizeof(s) - 1

static const struct {
	const char *bytes;
	size_t n;
	enum peek kind;
} peeks[] = {
	{ BYTES(""), PEEK_MORE },
	{ BYTES("\x8e"), PEEK_MORE },
	{ BYTES("\x8ep"), PEEK_MORE },
	{ BYTES("\x8ept"), PEEK_MORE },
	{ BYTES("\x8eptp"), PEEK_TUNNEL },
	{ BYTES("\x8eptp\1\2\3"), PEEK_TUNNEL },
	{ BYTES("\x8eq"), PEEK_BAD },
	{ BYTES("\x8eptq"), PEEK_BAD },
	{ BYTES("\x16"), PEEK_MORE },
	{ BYTES("\x16\3"), PEEK_TLS },
	{ BYTES("\x16\3\1\2"), PEEK_TLS },
	{ BYTES("\x16\2"), PEEK_BAD },
	{ BYTES("G"), PEEK_HTTP },
	{ BYTES("GET / HTTP/1.1\r\n"), PEEK_HTTP },
	{ BYTES("\r\nGET"), PEEK_HTTP },
	{ BYTES("\nGET"), PEEK_HTTP },
	{ BYTES(" GET"), PEEK_HTTP },
	{ BYTES("\tGET"), PEEK_HTTP },
	{ BYTES("\0"), PEEK_BAD },
	{ BYTES("\x80\x2e\1"), PEEK_BAD },
	{ BYTES("\xff"), PEEK_BAD },
};

START_TEST(tells_what_is_spoken)
{
	ck_assert_int_eq(
	    peek_kind(peeks[_i].bytes, peeks[_i].n), peeks[_i].kind);
}
END_TEST

static const struct {
	const char *bytes;
	size_t n;
	bool whole; /* of at most 16 bytes of head */
} wholes[] = {
	{ BYTES(""), false },
	{ BYTES("G"), false },
	{ BYTES("GET / H\r\n"), false },
	{ BYTES("GET / H\r\n\r"), false },
	{ BYTES("GET / H\r\n\r\n"), true },
	{ BYTES("GET / H\n\n"), true },
	{ BYTES("GET / H\n\r\n"), true },
	{ BYTES("GET / H\r\n\r\nX"), true },
	{ BYTES("GET / HTTP/1.1\r\n"), false }, /* 16 */
	{ BYTES("GET / HTTP/1.1\r\nX"), true }, /* 17: too large */
	{ BYTES("\r\n\r\n"), true },
	{ BYTES("\x8eptp"), false },
	{ BYTES("\x8eptp\1\1\1\0aaaaaaaaaaaaaaa"), false }, /* 23 */
	{ BYTES("\x8eptp\1\1\1\0aaaaaaaaaaaaaaaa"), true }, /* 24 */
	{ BYTES("\x16"), false },
	{ BYTES("\x16\3"), true },
	{ BYTES("\0"), true },
};

START_TEST(tells_whether_it_is_enough)
{
	const char *p = wholes[_i].bytes;
	size_t n = wholes[_i].n;
	bool was = false;

	ck_assert_int_eq(peek_is_whole(p, n, 0, 16), wholes[_i].whole);
	/* The same, byte by byte. */
	for (size_t k = 1; k <= n && !was; k++)
		was = peek_is_whole(p, k, k - 1, 16);
	ck_assert_int_eq(was, wholes[_i].whole);
}
END_TEST

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *value;
	const char *name; /* NULL: refused */
	uint16_t port;
} hosts[] = {
	{ "a", "a", 0 },
	{ "Id1.Example.COM", "id1.example.com", 0 },
	{ "a.b.", "a.b", 0 },
	{ "a.b.:80", "a.b", 80 },
	{ "a_b.c-d.9", "a_b.c-d.9", 0 },
	{ "192.168.1.1:3000", "192.168.1.1", 3000 },
	{ "a:65535", "a", 65535 },
	{ "[::1]", "[::1]", 0 },
	{ "[FE80::1.2.3.4]:8080", "[fe80::1.2.3.4]", 8080 },
	{ L63 "." L63 "." L63 "." L63, NULL, 0 },
	{ L63 "." L63 "." L63, L63 "." L63 "." L63, 0 },
	{ L63 "a.b", NULL, 0 },
	{ "", NULL, 0 },
	{ ".", NULL, 0 },
	{ ".a", NULL, 0 },
	{ "a..b", NULL, 0 },
	{ "a..", NULL, 0 },
	{ "-a", NULL, 0 },
	{ ":80", NULL, 0 },
	{ "a:", NULL, 0 },
	{ "a:0", NULL, 0 },
	{ "a:080", NULL, 0 },
	{ "a:65536", NULL, 0 },
	{ "a:100000", NULL, 0 },
	{ "a:8a", NULL, 0 },
	{ "a:+80", NULL, 0 },
	{ "a:80:80", NULL, 0 },
	{ "a b", NULL, 0 },
	{ " a", NULL, 0 },
	{ "a,b", NULL, 0 },
	{ "u@a", NULL, 0 },
	{ "a/b", NULL, 0 },
	{ "a%2e", NULL, 0 },
	{ "*.a", NULL, 0 },
	{ "\xc3\xa4", NULL, 0 },
	{ "::1", NULL, 0 },
	{ "[::1", NULL, 0 },
	{ "[]", NULL, 0 },
	{ "[:]", NULL, 0 },
	{ "[::g]", NULL, 0 },
	{ "[fe80::1%25a]", NULL, 0 },
	{ "[::1]a", NULL, 0 },
	{ "a[::1]", NULL, 0 },
};

START_TEST(takes_hosts_apart)
{
	const char *value = hosts[_i].value, *want = hosts[_i].name;
	char dst[HOST_NAME_SIZE] = "untouched";
	uint16_t port = 7;
	int got = host_name(dst, &port, value, strlen(value));

	ck_assert_msg(got == (want == NULL ? -1 : 0), "%s: %d", value, got);
	if (want == NULL) {
		ck_assert_int_eq(port, 7);
		return;
	}
	ck_assert_str_eq(dst, want);
	ck_assert_uint_eq(port, hosts[_i].port);
	ck_assert(host_valid(value, strlen(value)));
	ck_assert_int_eq(host_name(dst, NULL, value, strlen(value)), 0);
}
END_TEST

static const struct {
	const char *a, *b;
	uint16_t port;
	bool same;
} pairs[] = {
	{ "a", "A", 80, true },
	{ "a", "b", 80, false },
	{ "a", "aa", 80, false },
	{ "a:80", "a", 80, true },
	{ "a", "a:80", 80, true },
	{ "a:81", "a", 80, false },
	{ "a:81", "a:82", 80, false },
	{ "a:81", "a", 0, true },
	{ "a:81", "a:82", 0, false },
	{ "[::1]:81", "[::1]:81", 0, true },
	{ "[::1]", "[::2]", 0, false },
	{ "", "", 0, false },
};

START_TEST(compares_hosts)
{
	ck_assert(host_same(pairs[_i].a, strlen(pairs[_i].a), pairs[_i].b,
		      strlen(pairs[_i].b), pairs[_i].port) == pairs[_i].same);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("peek");
	TCase *t = tcase_create("peek");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, tells_whether_it_is_enough, 0, N(wholes));
	tcase_add_loop_test(t, tells_what_is_spoken, 0, N(peeks));
	tcase_add_loop_test(t, takes_hosts_apart, 0, N(hosts));
	tcase_add_loop_test(t, compares_hosts, 0, N(pairs));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
