/* Unit test of edit.c: every request, at every split of its bytes. */
#include "client/engine/edit.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "client/engine/rules.h"

static struct rules rules;
static struct outq out;
static struct edit *e;

static void
set_up(void)
{
	static char cookie[] = "Cookie", forwarded[] = "X-Forwarded-For";

	memset(&rules, 0, sizeof(rules));
	memset(&out, 0, sizeof(out));
	strcpy(rules.conf.host, "local:81");
	rules.conf.remove[0] = cookie;
	rules.conf.remove[1] = forwarded;
	rules.conf.nremove = 2;
	ck_assert_ptr_nonnull(e = edit_new(&rules));
}

static void
tear_down(void)
{
	edit_free(e);
	outq_free(&out);
}

static void
restart(void)
{
	tear_down();
	memset(&out, 0, sizeof(out));
	ck_assert_ptr_nonnull(e = edit_new(&rules));
}

/* All that was passed on is just this text; it is taken. */
static void
passed(const char *text, const char *what)
{
	ck_assert_msg(outq_left(&out) == strlen(text) &&
		memcmp(out.p + out.head, text, strlen(text)) == 0,
	    "%s: %.*s", what, (int)outq_left(&out), out.p + out.head);
	outq_free(&out);
}

static int
request(const char *text)
{
	return edit_request(e, text, strlen(text), &out);
}

static int
response(const char *text)
{
	bool go_on = false;
	int ret = edit_response(e, text, strlen(text), &go_on);

	return ret == -1 ? -1 : go_on;
}

/* Requests as they come, and as they go on. */
static const struct {
	const char *in, *out;
} cases[] = {
	{ "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: local:81\r\n\r\n" },
	{ "GET / HTTP/1.1\r\nA: 1\r\nhOSt: a.b:7\r\nCookie: x\r\nB: 2\r\n"
	  "cookie: y\r\nX_Forwarded_For: 1\r\nX-Forwarded-For: 2\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: local:81\r\nA: 1\r\nB: 2\r\n\r\n" },
	{ "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nHost:"
	  "GET /2 HTTP/1.1\r\nHost: a\r\nCookie: z\r\n\r\n",
	    "POST /p HTTP/1.1\r\nHost: local:81\r\nContent-Length: 5\r\n\r\n"
	    "Host:GET /2 HTTP/1.1\r\nHost: local:81\r\n\r\n" },
	{ "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	  "a;x=y\r\n0123456789\r\n0\r\nX-End: t\r\n\r\n"
	  "HEAD /3 HTTP/1.1\r\nHost: b\r\n\r\n",
	    "POST /c HTTP/1.1\r\nHost: local:81\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n"
	    "a;x=y\r\n0123456789\r\n0\r\nX-End: t\r\n\r\n"
	    "HEAD /3 HTTP/1.1\r\nHost: local:81\r\n\r\n" },
	{ "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
	  "Content-Length: 3\r\n\r\nabc",
	    "PUT / HTTP/1.1\r\nHost: local:81\r\nExpect: 100-continue\r\n"
	    "Content-Length: 3\r\n\r\nabc" },
};

#define CASES (int)(sizeof(cases) / sizeof(cases[0]))

/* The order of fields is the rewriter's: only that it is always the same. */
static char whole[4096];

static void
take_whole(void)
{
	size_t n = outq_left(&out);

	ck_assert_uint_lt(n, sizeof(whole));
	if (n > 0)
		memcpy(whole, out.p + out.head, n);
	whole[n] = '\0';
	outq_free(&out);
}

START_TEST(rewrites_every_request_at_every_split)
{
	const char *in = cases[_i].in;
	size_t n = strlen(in);

	ck_assert_int_eq(request(in), 0);
	take_whole();
	ck_assert_ptr_null(strstr(whole, "ookie"));
	ck_assert_ptr_null(strstr(whole, "orwarded"));
	ck_assert_uint_eq(strlen(whole), strlen(cases[_i].out));
	for (size_t split = 1; split < n; split++) {
		restart();
		ck_assert_int_eq(edit_request(e, in, split, &out), 0);
		ck_assert_int_eq(
		    edit_request(e, in + split, n - split, &out), 0);
		passed(whole, "in two");
	}
	restart();
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(edit_request(e, in + i, 1, &out), 0);
	passed(whole, "byte by byte");
}
END_TEST

START_TEST(hosts_are_replaced)
{
	ck_assert_int_eq(request(cases[0].in), 0);
	passed(cases[0].out, "Host");
}
END_TEST

#define UPGRADE                                                  \
	"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n" \
	"Upgrade: websocket\r\n\r\n"
#define RAW "GET / HTTP/1.1\r\nHost: not a request\r\n\r\n"

START_TEST(upgraded_bytes_pass_untouched)
{
	ck_assert_int_eq(request(UPGRADE RAW), 0);
	take_whole();
	ck_assert_ptr_nonnull(strstr(whole, "Host: local:81"));
	ck_assert_ptr_null(strstr(whole, "not a request"));
	ck_assert_int_eq(
	    response("HTTP/1.1 101 Switching Protocols\r\nConnection: "
		     "upgrade\r\nUpgrade: websocket\r\n\r\nframe"),
	    1);
	ck_assert_int_eq(request(""), 0);
	passed(RAW, "what was held");
	ck_assert_int_eq(request(RAW), 0);
	passed(RAW, "what comes later");
	ck_assert_int_eq(response("any bytes"), 0);
}
END_TEST

START_TEST(refused_upgrade_goes_on_with_requests)
{
	ck_assert_int_eq(request(UPGRADE), 0);
	outq_free(&out);
	ck_assert_int_eq(request(cases[0].in), 0);
	ck_assert_uint_eq(outq_left(&out), 0);
	ck_assert_int_eq(response("HTTP/1.1 100 Continue\r\n\r\n"), 0);
	ck_assert_int_eq(
	    response("HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\n"), 1);
	ck_assert_int_eq(request(""), 0);
	passed(cases[0].out, "the next request");
	ck_assert_int_eq(response("no"), 0);
	ck_assert_int_eq(
	    response("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), 0);
}
END_TEST

/* The answers before an upgrade's do not count for it, however cut. */
START_TEST(upgrade_behind_others)
{
	static const char answers[] =
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "3\r\n101\r\n0\r\n\r\n"
	    "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"
	    "HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: "
	    "websocket\r\n\r\n";
	size_t n = sizeof(answers) - 1;
	bool go_on = false;

	ck_assert_int_eq(
	    request("GET / HTTP/1.1\r\nHost: a\r\n\r\n"
		    "GET / HTTP/1.1\r\nHost: a\r\n\r\n" UPGRADE "held"),
	    0);
	outq_free(&out);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(edit_response(e, answers + i, 1, &go_on), 0);
		ck_assert(go_on == (i == n - 1));
	}
	ck_assert_int_eq(request(""), 0);
	passed("held", "after 101");
}
END_TEST

static const char *const bad[] = {
	"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
	"GET / HTTP/1.1\nHost: a\n\n",
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: "
	"2\r\n\r\n",
	"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello of TLS\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
};

START_TEST(refuses_what_has_two_meanings)
{
	ck_assert_int_eq(request(bad[_i]), -1);
}
END_TEST

START_TEST(bounds_what_waits)
{
	static char bytes[EDIT_HELD_MAX];

	/* Too many requests without an answer. */
	for (int i = 0; i < EDIT_PIPELINE; i++)
		ck_assert_int_eq(request(cases[0].in), 0);
	ck_assert_int_eq(request(cases[0].in), -1);
	/* Too many bytes behind an upgrade. */
	restart();
	ck_assert_int_eq(request(UPGRADE), 0);
	ck_assert_int_eq(edit_request(e, bytes, sizeof(bytes), &out), 0);
	ck_assert_int_eq(edit_request(e, bytes, 1, &out), -1);
	/* A head that does not end. */
	restart();
	ck_assert_int_eq(request("GET / HTTP/1.1\r\nA: "), 0);
	memset(bytes, 'a', sizeof(bytes));
	ck_assert_int_eq(edit_request(e, bytes, sizeof(bytes) / 2, &out), -1);
}
END_TEST

START_TEST(answers_that_nobody_asked_for)
{
	ck_assert_int_eq(response("HTTP/1.1 408 Timeout\r\n\r\n"), 0);
	/* Requests still pass; an upgrade cannot be followed any more. */
	ck_assert_int_eq(request(cases[0].in), 0);
	ck_assert_int_eq(request(UPGRADE), -1);
	restart();
	ck_assert_int_eq(request(UPGRADE), 0);
	ck_assert_int_eq(response("garbage\r\n\r\n"), -1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("edit");
	TCase *t = tcase_create("requests");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, rewrites_every_request_at_every_split, 0, CASES);
	tcase_add_test(t, hosts_are_replaced);
	tcase_add_test(t, upgraded_bytes_pass_untouched);
	tcase_add_test(t, refused_upgrade_goes_on_with_requests);
	tcase_add_test(t, upgrade_behind_others);
	tcase_add_loop_test(t, refuses_what_has_two_meanings, 0,
	    (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(t, bounds_what_waits);
	tcase_add_test(t, answers_that_nobody_asked_for);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
