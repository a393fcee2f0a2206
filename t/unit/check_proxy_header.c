/* Unit test of proxy_header.c. */
#include "common/net/proxy_header.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define MAGIC "\r\n\r\n\0\r\nQUIT\n"

/* The answer for exactly n bytes, in memory of their own. */
static int
judge(struct proxy_header *h, const void *p, size_t n)
{
	uint8_t *exact = malloc(n + 1);
	int rc;

	memset(h, 0x55, sizeof(*h));
	memcpy(exact + 1, p, n);
	rc = proxy_header_parse(h, exact + 1, n);
	free(exact);
	return rc;
}

static const struct {
	const char *bytes;
	size_t n;
	const char *peer, *local; /* NULL: not known */
} good[] = {
#define X(s) s, sizeof(s) - 1
	{ X("PROXY TCP4 1.2.3.4 5.6.7.8 1000 80\r\n"), "1.2.3.4:1000",
	    "5.6.7.8:80" },
	{ X("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
	    "255.255.255.255:65535", "255.255.255.255:65535" },
	{ X("PROXY TCP4 0.0.0.0 1.1.1.1 0 0\r\n"), "0.0.0.0:0", "1.1.1.1:0" },
	{ X("PROXY TCP6 2001:db8::1 ::1 1 2\r\n"), "[2001:db8::1]:1",
	    "[::1]:2" },
	{ X("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
	    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535" },
	{ X("PROXY TCP6 ::ffff:1.2.3.4 ::ffff:5.6.7.8 1 2\r\n"), "1.2.3.4:1",
	    "5.6.7.8:2" },
	{ X("PROXY UNKNOWN\r\n"), NULL, NULL },
	{ X("PROXY UNKNOWN a b c d e f g\r\n"), NULL, NULL },
	{ X(MAGIC "\x21\x11\0\14\1\2\3\4\5\6\7\10\3\xe8\0\x50"), "1.2.3.4:1000",
	    "5.6.7.8:80" },
	{ X(MAGIC "\x21\x21\0\x24"
		  "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
		  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
		  "\0\1\0\2"),
	    "[2001:db8::1]:1", "[::1]:2" },
	/* with TLVs */
	{ X(MAGIC "\x21\x11\0\22\1\2\3\4\5\6\7\10\3\xe8\0\x50\4\0\3abc"),
	    "1.2.3.4:1000", "5.6.7.8:80" },
	/* LOCAL, with and without addresses; no family, unix, datagrams */
	{ X(MAGIC "\x20\0\0\0"), NULL, NULL },
	{ X(MAGIC "\x20\x11\0\14\1\2\3\4\5\6\7\10\3\xe8\0\x50"), NULL, NULL },
	{ X(MAGIC "\x21\0\0\0"), NULL, NULL },
	{ X(MAGIC "\x21\x31\0\4abcd"), NULL, NULL },
	{ X(MAGIC "\x21\x12\0\14\1\2\3\4\5\6\7\10\3\xe8\0\x50"), NULL, NULL },
#undef X
};

START_TEST(taken_from_any_split)
{
	uint8_t more[256];
	struct proxy_header h;
	char text[ADDR_TEXT];
	size_t n = good[_i].n;

	memcpy(more, good[_i].bytes, n);
	memcpy(more + n, "\r\nGET", 5);
	for (size_t k = 0; k < n; k++)
		ck_assert_int_eq(judge(&h, more, k), 0);
	for (size_t k = n; k <= n + 5; k++) {
		ck_assert_int_eq(judge(&h, more, k), 1);
		ck_assert_uint_eq(h.n, n);
		ck_assert_int_eq(h.known, good[_i].peer != NULL);
		if (!h.known)
			continue;
		ck_assert_str_eq(addr_format(text, &h.peer), good[_i].peer);
		ck_assert_str_eq(addr_format(text, &h.local), good[_i].local);
	}
}
END_TEST

/* Refused as soon as these bytes are there, whatever follows. */
static const struct {
	const char *bytes;
	size_t n;
} bad[] = {
#define X(s) { s, sizeof(s) - 1 }
	X("G"),
	X("PROXX"),
	X("PROXY\t"),
	X("\r\nG"),
	X("\r\n\r\n\1"),
	X("PROXY \n"),
	X("PROXY \r\n"),
	X("PROXY TCP4\r\n"),
	X("PROXY TCP4 1.2.3.4 5.6.7.8 1000 80\n"),
	X("PROXY TCP4 1.2.3.4 5.6.7.8 1000 80 \r\n"),
	X("PROXY  TCP4 1.2.3.4 5.6.7.8 1000 80\r\n"),
	X("PROXY TCP4 1.2.3.4 5.6.7.8 1000\r\n"),
	X("PROXY TCP4 1.2.3.4 5.6.7.8 1000 65536\r\n"),
	X("PROXY TCP4 1.2.3.4 5.6.7.8 1000 080\r\n"),
	X("PROXY TCP4 1.2.3.4 5.6.7.8 -1 80\r\n"),
	X("PROXY TCP4 1.2.3 5.6.7.8 1000 80\r\n"),
	X("PROXY TCP4 1.2.3.04 5.6.7.8 1000 80\r\n"),
	X("PROXY TCP4 ::1 ::1 1000 80\r\n"),
	X("PROXY TCP6 1.2.3.4 5.6.7.8 1000 80\r\n"),
	X("PROXY TCP6 ::g ::1 1000 80\r\n"),
	X("PROXY TCP5 1.2.3.4 5.6.7.8 1000 80\r\n"),
	X("PROXY UNKNOWNS\r\n"),
	X("PROXY unknown\r\n"),
	X("PROXY TCP4 1.2.3.4\0 5.6.7.8 1000 80\r\n"),
	X(MAGIC "\x11"),
	X(MAGIC "\x31"),
	X(MAGIC "\x22"),
	X(MAGIC "\x21\x41"),
	X(MAGIC "\x21\x13"),
	X(MAGIC "\x21\x11\xff\xff"),
	X(MAGIC "\x21\x11\x0f\xf1"),
	X(MAGIC "\x21\x11\0\13\1\2\3\4\5\6\7\10\3\xe8\0"),
	X(MAGIC "\x21\x21\0\14\1\2\3\4\5\6\7\10\3\xe8\0\x50"),
#undef X
};

START_TEST(refused)
{
	uint8_t more[256] = { 0 };
	struct proxy_header h;

	memcpy(more, bad[_i].bytes, bad[_i].n);
	for (size_t k = 0; k < bad[_i].n; k++)
		ck_assert_int_eq(judge(&h, more, k), 0);
	for (size_t k = bad[_i].n; k < sizeof(more); k += 7)
		ck_assert_int_eq(judge(&h, more, k), -1);
}
END_TEST

/* Without an end, at both bounds. */
START_TEST(bounds)
{
	uint8_t *p = calloc(1, PROXY_HEADER_MAX + 1);
	struct proxy_header h;

	memset(p, 'x', PROXY_V1_MAX);
	memcpy(p, "PROXY UNKNOWN ", 14);
	ck_assert_int_eq(judge(&h, p, PROXY_V1_MAX - 1), 0);
	ck_assert_int_eq(judge(&h, p, PROXY_V1_MAX), -1);
	p[PROXY_V1_MAX - 2] = '\r';
	p[PROXY_V1_MAX - 1] = '\n';
	ck_assert_int_eq(judge(&h, p, PROXY_V1_MAX), 1);
	ck_assert_uint_eq(h.n, PROXY_V1_MAX);
	memcpy(p, MAGIC "\x20\0\x0f\xf0", 16);
	ck_assert_int_eq(judge(&h, p, PROXY_HEADER_MAX - 1), 0);
	ck_assert_int_eq(judge(&h, p, PROXY_HEADER_MAX), 1);
	free(p);
}
END_TEST

static struct addr
address(const char *text)
{
	struct addr a = { .family = ADDR_ANY };

	if (text[0] != '*')
		ck_assert_int_eq(addr_parse_listen(&a, text), 0);
	return a;
}

static const struct {
	const char *peer, *local;
	const char *v1;
	size_t v2; /* bytes */
} made[] = {
	{ "1.2.3.4:1000", "5.6.7.8:80",
	    "PROXY TCP4 1.2.3.4 5.6.7.8 1000 80\r\n", 28 },
	{ "[2001:db8::1]:1", "[::1]:65535",
	    "PROXY TCP6 2001:db8::1 ::1 1 65535\r\n", 52 },
	{ "1.2.3.4:1", "[::1]:2", "PROXY TCP6 ::ffff:1.2.3.4 ::1 1 2\r\n", 52 },
	{ "[::1]:2", "1.2.3.4:1", "PROXY TCP6 ::1 ::ffff:1.2.3.4 2 1\r\n", 52 },
	{ "*", "1.2.3.4:1", "PROXY UNKNOWN\r\n", 16 },
	{ "1.2.3.4:1", "*", "PROXY UNKNOWN\r\n", 16 },
};

START_TEST(made_is_taken)
{
	struct addr peer = address(made[_i].peer);
	struct addr local = address(made[_i].local);
	uint8_t p[PROXY_HEADER_MADE];
	struct proxy_header h;
	size_t n;

	ck_assert_uint_eq(proxy_header_make(p, PROXY_NONE, &peer, &local), 0);
	n = proxy_header_make(p, PROXY_V1, &peer, &local);
	ck_assert_uint_eq(n, strlen(made[_i].v1));
	ck_assert_mem_eq(p, made[_i].v1, n);
	for (int v = 1; v <= 2; v++) {
		n = proxy_header_make(p, (enum proxy_version)v, &peer, &local);
		if (v == 2)
			ck_assert_uint_eq(n, made[_i].v2);
		ck_assert_int_eq(judge(&h, p, n), 1);
		ck_assert_uint_eq(h.n, n);
		ck_assert_int_eq(h.known, peer.family && local.family);
		if (!h.known)
			continue;
		ck_assert(addr_equal(&h.peer, &peer));
		ck_assert(addr_equal(&h.local, &local));
	}
}
END_TEST

START_TEST(longest_fits)
{
	struct addr a = address("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:"
				"65535");
	uint8_t p[PROXY_HEADER_MADE];

	ck_assert_uint_le(proxy_header_make(p, PROXY_V1, &a, &a), PROXY_V1_MAX);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("proxy_header");
	TCase *t = tcase_create("proxy_header");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, taken_from_any_split, 0, ROWS(good));
	tcase_add_loop_test(t, refused, 0, ROWS(bad));
	tcase_add_test(t, bounds);
	tcase_add_loop_test(t, made_is_taken, 0, ROWS(made));
	tcase_add_test(t, longest_fits);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
