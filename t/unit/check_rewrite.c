/* Unit test of rewrite.c: a head, the rules, and what must come out. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/http/rewrite.h"

#define MAX 16384
#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define GET "GET /x HTTP/1.1\r\n"
#define H "Host: a\r\n"

static const char *const remove_two[] = { "x-Secret", "X-Forwarded-Proto" };
static const char *const remove_kept[] = { "Host", "Content-Length",
	"Transfer-Encoding", "x_forwarded_for" };

#define STRIP \
	{ .strip_forwarded = true, .xff = "1.2.3.4", .xfp = "http", .xfh = "a" }
#define TRUST { .xff = "1.2.3.4", .xfp = "http", .xfh = "a" }
#define XFF "X-Forwarded-For: 1.2.3.4\r\n"
#define XFP "X-Forwarded-Proto: http\r\n"
#define XFH "X-Forwarded-Host: a\r\n"

static const struct {
	const char *in;
	struct rewrite rules;
	const char *out;
} cases[] = {
	{ GET H "A: b \r\n\r\n", { 0 }, GET H "A: b \r\n\r\n" },
	{ "\r\n" GET H "\r\n", { 0 }, GET H "\r\n" },
	{ GET H "A: b\r\n\r\n", { .host = "127.0.0.1:80" },
	    GET "Host: 127.0.0.1:80\r\nA: b\r\n\r\n" },
	{ GET "A: b\r\nhOST:\ta \r\n\r\n", { .host = "x" },
	    GET "A: b\r\nhOST:\tx \r\n\r\n" },
	{ "GET /x HTTP/1.0\r\n\r\n", { 0 }, "GET /x HTTP/1.0\r\n\r\n" },
	{ "GET /x HTTP/1.0\r\n\r\n", { .host = "x" },
	    "GET /x HTTP/1.0\r\nHost: x\r\n\r\n" },

	{ "GET http://a/x HTTP/1.1\r\n" H "\r\n", { 0 }, GET H "\r\n" },
	{ "GET http://a/x HTTP/1.1\r\n" H "\r\n", { .host = "b" },
	    GET "Host: b\r\n\r\n" },
	{ "GET http://a HTTP/1.1\r\n" H "\r\n", { 0 },
	    "GET / HTTP/1.1\r\n" H "\r\n" },
	{ "GET http://a?b HTTP/1.1\r\n" H "\r\n", { 0 },
	    "GET /?b HTTP/1.1\r\n" H "\r\n" },
	{ "OPTIONS http://a HTTP/1.1\r\n" H "\r\n", { 0 },
	    "OPTIONS * HTTP/1.1\r\n" H "\r\n" },
	{ "GET http://a:81 HTTP/1.0\r\n\r\n", { 0 },
	    "GET / HTTP/1.0\r\nHost: a:81\r\n\r\n" },
	{ "GET http://a:81 HTTP/1.0\r\n\r\n", { .host = "b" },
	    "GET / HTTP/1.0\r\nHost: b\r\n\r\n" },
	{ "CONNECT a:22 HTTP/1.1\r\n" H "\r\n", { .host = "b" },
	    "CONNECT a:22 HTTP/1.1\r\n" H "\r\n" },
	{ "CONNECT a:22 HTTP/1.0\r\n\r\n", { .host = "b" },
	    "CONNECT a:22 HTTP/1.0\r\n\r\n" },

	{ GET H "\r\n", STRIP, GET H XFF XFP XFH "\r\n" },
	{ GET "X-Forwarded-For: 6.6.6.6\r\n" H "x-forwarded-PROTO: https\r\n"
	      "X-Forwarded-Host: evil\r\nX-Real-IP: 6.6.6.6\r\nForwarded: 6\r\n"
	      "X-Forwarded-Port: 6\r\nX_Forwarded_For: 6\r\nX_Real-IP: 6\r\n"
	      "X-Forwarded-For: 6.6.6.7\r\nZ: z\r\n\r\n",
	    STRIP, GET H "Z: z\r\n" XFF XFP XFH "\r\n" },
	{ GET H "X-Forwarded-For: 6\r\nX_Forwarded_For: 6\r\n\r\n",
	    { .strip_forwarded = true }, GET H "\r\n" },
	{ GET H "X-Forwarded-For: 6\r\nX_Forwarded_For: 6\r\n\r\n", { 0 },
	    GET H "X-Forwarded-For: 6\r\nX_Forwarded_For: 6\r\n\r\n" },
	{ GET H "\r\n", TRUST, GET H XFF XFP XFH "\r\n" },
	{ GET H "X-Forwarded-For: 6, 7\r\nX-Forwarded-For:\r\nA: b\r\n"
		"X-Forwarded-For:8 \r\n\r\n",
	    { .xff = "1.2.3.4" },
	    GET H "A: b\r\nX-Forwarded-For: 6, 7, 8, 1.2.3.4\r\n\r\n" },
	{ GET H "X-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\n"
		"X-Real-IP: 6\r\nX_Forwarded_Host: c\r\n\r\n",
	    TRUST,
	    GET H "X-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\n"
		  "X-Real-IP: 6\r\n" XFF "\r\n" },

	{ GET H "Authorization: t\r\nX-Ptp-Token: t\r\nx-ptp-token: u\r\n\r\n",
	    { .drop = HEAD_BIT(HEAD_ID_X_PTP_TOKEN) },
	    GET H "Authorization: t\r\n\r\n" },
	{ GET "Authorization: t\r\n" H "A: b\r\n\r\n",
	    { .drop = HEAD_BIT(HEAD_ID_AUTHORIZATION) | HEAD_BIT(HEAD_ID_HOST) |
		    HEAD_BIT(HEAD_ID_OTHER) },
	    GET H "A: b\r\n\r\n" },
	{ GET H "X-SECRET: 1\r\nA: b\r\nX_Secret: 2\r\nX-Secrets: 3\r\n\r\n",
	    { .strip_forwarded = true,
		.xff = "1.2.3.4",
		.xfp = "http",
		.remove = remove_two,
		.nremove = 2 },
	    GET H "A: b\r\nX-Secrets: 3\r\n" XFF "\r\n" },
	{ "POST /x HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\n",
	    { .xff = "1", .remove = remove_kept, .nremove = 4 },
	    "POST /x HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\n" },
	{ "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n",
	    { .remove = remove_kept,
		.nremove = 4,
		.drop = HEAD_BIT(HEAD_ID_TRANSFER_ENCODING) },
	    "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n" },

	{ GET H "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n", { 0 },
	    GET H "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n" },
	{ GET H "Connection: upgrade\r\nUpgrade: h2c\r\nA: b\r\n\r\n", { 0 },
	    GET H "Connection: upgrade\r\nA: b\r\n\r\n" },
	{ GET H "Upgrade: websocket\r\n\r\n", { 0 }, GET H "\r\n" },
};

START_TEST(rewrites_requests)
{
	const struct rewrite *rules = &cases[_i].rules;
	const char *in = cases[_i].in, *want = cases[_i].out;
	char out[1024];
	struct head h;
	ssize_t n;

	ck_assert_int_gt(head_parse_request(&h, in, strlen(in), MAX), 0);
	n = rewrite_request(&h, rules, out, sizeof(out));
	ck_assert_int_gt(n, 0);
	ck_assert_msg(
	    (size_t)n == strlen(want) && memcmp(out, want, (size_t)n) == 0,
	    "%.*s", (int)n, out);
	ck_assert_uint_le((size_t)n, strlen(in) + rewrite_room(rules));

	ck_assert_int_eq(rewrite_request(&h, rules, out, (size_t)n), n);
	errno = 0;
	ck_assert_int_eq(rewrite_request(&h, rules, out, (size_t)n - 1), -1);
	ck_assert_int_eq(errno, ENOBUFS);
}
END_TEST

#define OK "HTTP/1.1 200 OK\r\n"

static const struct {
	const char *in, *out;
} closes[] = {
	{ OK "\r\n", OK "Connection: close\r\n\r\n" },
	{ OK "A: b\r\nconnection: keep-alive, x\r\nC: d\r\nKeep-Alive: 5\r\n"
	     "Connection: y\r\n\r\n",
	    OK "A: b\r\nC: d\r\nConnection: close\r\n\r\n" },
};

START_TEST(closes_responses)
{
	const char *in = closes[_i].in, *want = closes[_i].out;
	char out[256];
	struct head h;
	ssize_t n;

	ck_assert_int_gt(
	    head_parse_response(&h, in, strlen(in), MAX, HEAD_METHOD_GET), 0);
	n = rewrite_response_close(&h, out, sizeof(out));
	ck_assert_int_gt(n, 0);
	ck_assert_msg(
	    (size_t)n == strlen(want) && memcmp(out, want, (size_t)n) == 0,
	    "%.*s", (int)n, out);
	ck_assert_uint_le((size_t)n, strlen(in) + REWRITE_CLOSE_ROOM);
	ck_assert_int_eq(rewrite_response_close(&h, out, (size_t)n - 1), -1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("rewrite");
	TCase *t = tcase_create("rewrite");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, rewrites_requests, 0, N(cases));
	tcase_add_loop_test(t, closes_responses, 0, N(closes));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
