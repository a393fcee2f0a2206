/*
 * Unit test of what worker/edge makes of TLS and of the PROXY protocol, as a
 * pure function of the first bytes.
 */
#include "worker/edge/verdict.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "worker/edge/answer.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define HTTP "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define PREFACE "\x8eptp\1\1\1\0"
#define V1 "PROXY TCP4 192.0.2.7 198.51.100.1 5000 443\r\n"
#define V2 "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"

/* The rest of a hello: version, random, session, suites, compression. */
#define FIXED                              \
	"\3\3"                             \
	"01234567890123456789012345678901" \
	"\0"                               \
	"\0\2\x13\1"                       \
	"\1\0"
/* Without extensions, and with the name "a.b". */
#define NAMELESS "\x16\3\1\0\x2d\1\0\0\x29" FIXED
#define NAMED "\x16\3\1\0\x3b\1\0\0\x37" FIXED "\0\x0c\0\0\0\x08\0\6\0\0\3a.b"

#define X(s) s, sizeof(s) - 1

static const struct {
	const char *bytes;
	size_t n;
	bool sni, proxied;
	uint8_t kind;
	unsigned what; /* status, alert or enum msg_end */
	size_t skip;
} firsts[] = {
	{ X(NAMED), true, false, VERDICT_ROUTE, 0, 0 },
	{ X(NAMELESS), true, false, VERDICT_REFUSE, ALERT_MISSING_EXTENSION,
	    0 },
	{ X("\x16\3\1\0\0"), true, false, VERDICT_REFUSE, ALERT_DECODE_ERROR,
	    0 },
	{ X("\x16\3\1\0\1\2"), true, false, VERDICT_REFUSE,
	    ALERT_UNEXPECTED_MESSAGE, 0 },
	{ X("G"), true, false, VERDICT_REFUSE, 400, 0 },
	{ X(PREFACE), true, false, VERDICT_TUNNEL, 0, 0 },
	{ X("\x16\2"), true, false, VERDICT_DROP, END_GARBAGE, 0 },
	{ X("\0"), true, false, VERDICT_DROP, END_GARBAGE, 0 },
	{ X(V1 NAMED), true, true, VERDICT_ROUTE, 0, sizeof(V1) - 1 },
	{ X(V2 NAMED), true, true, VERDICT_ROUTE, 0, sizeof(V2) - 1 },
	{ X(V1 HTTP), false, true, VERDICT_ROUTE, 0, sizeof(V1) - 1 },
	{ X(V1 PREFACE), false, true, VERDICT_TUNNEL, 0, sizeof(V1) - 1 },
	{ X(V1 "\0"), false, true, VERDICT_DROP, END_GARBAGE, sizeof(V1) - 1 },
	{ X("G"), false, true, VERDICT_DROP, END_GARBAGE, 0 },
	{ X("PROXY\r"), false, true, VERDICT_DROP, END_GARBAGE, 0 },
	{ X("\x16"), true, true, VERDICT_DROP, END_GARBAGE, 0 },
	/* Without being told to, it is no header. */
	{ X("\r\n\r\n\0"), false, false, VERDICT_REFUSE, 400, 0 },
};

static void
is(const struct verdict *v, int i)
{
	ck_assert_int_eq(v->kind, firsts[i].kind);
	ck_assert_uint_eq(v->proxy.n, firsts[i].skip);
	if (v->kind == VERDICT_ROUTE)
		ck_assert_str_eq(v->name, firsts[i].sni ? "a.b" : "a");
	else if (v->kind == VERDICT_DROP)
		ck_assert_uint_eq(v->end, firsts[i].what);
	else if (v->kind == VERDICT_REFUSE)
		ck_assert_uint_eq(
		    v->alert != 0 ? v->alert : v->status, firsts[i].what);
}

/* Nothing, then the verdict, then the same for ever. */
START_TEST(verdict)
{
	struct verdict_rules rules = {
		.sni = firsts[_i].sni, .head_max = 16384, .mux_header = "Host"
	};
	uint8_t flags = firsts[_i].proxied ? EDGE_PROXIED : 0;
	size_t n = firsts[_i].n, need = 0;
	static struct head h;
	uint8_t more[256] = { 0 };
	struct verdict v;

	memcpy(more, firsts[_i].bytes, n);
	for (size_t k = 1; k <= n + 8; k++) {
		uint8_t *exact = malloc(k);

		memcpy(exact, more, k);
		verdict_give(&v, &h, &rules, flags, exact, k);
		free(exact);
		if (k < n) {
			ck_assert_int_eq(v.kind, 0);
			ck_assert(v.need == 0 || v.need > k);
			ck_assert_uint_le(v.need, n);
			need = v.need;
		} else {
			is(&v, _i);
		}
	}
	ck_assert_uint_le(need, n);
}
END_TEST

static const struct {
	const char *bytes;
	size_t n;
	bool sni, proxied, ended;
	uint8_t kind;
	unsigned what;
} lates[] = {
	{ X("GET"), false, false, true, VERDICT_REFUSE, 400 },
	{ X("GET"), false, false, false, VERDICT_REFUSE, 408 },
	{ X(V1 "GET"), false, true, false, VERDICT_REFUSE, 408 },
	{ X("PROXY "), false, true, false, VERDICT_DROP, END_TIMEOUT },
	{ X("PROXY "), false, true, true, VERDICT_DROP, END_GARBAGE },
	{ X("\x16\3\1"), true, false, true, VERDICT_REFUSE,
	    ALERT_DECODE_ERROR },
	{ X("\x16\3\1"), true, false, false, VERDICT_DROP, END_TIMEOUT },
	{ X("\x8ept"), true, false, true, VERDICT_DROP, END_GARBAGE },
	{ X(""), true, false, false, VERDICT_DROP, END_TIMEOUT },
};

START_TEST(too_late)
{
	struct verdict_rules rules = {
		.sni = lates[_i].sni, .head_max = 16384, .mux_header = "Host"
	};
	struct verdict v;

	verdict_late(&v, &rules, lates[_i].proxied ? EDGE_PROXIED : 0,
	    lates[_i].bytes, lates[_i].n, lates[_i].ended);
	ck_assert_int_eq(v.kind, lates[_i].kind);
	if (v.kind == VERDICT_DROP)
		ck_assert_uint_eq(v.end, lates[_i].what);
	else
		ck_assert_uint_eq(
		    v.alert != 0 ? v.alert : v.status, lates[_i].what);
}
END_TEST

START_TEST(bytes_wanted)
{
	struct verdict_rules http = { .head_max = 1024 }, sni = { .sni = true };

	ck_assert_uint_eq(verdict_bytes(&http, 0), 1025);
	ck_assert_uint_eq(verdict_bytes(&sni, 0), HELLO_MAX);
	ck_assert_uint_eq(
	    verdict_bytes(&http, EDGE_PROXIED), 1025 + PROXY_HEADER_MAX);
}
END_TEST

START_TEST(alerts)
{
	ck_assert_uint_eq(answer_alert(404), ALERT_UNRECOGNIZED_NAME);
	ck_assert_uint_eq(answer_alert(403), ALERT_ACCESS_DENIED);
	ck_assert_uint_eq(answer_alert(503), ALERT_INTERNAL_ERROR);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("edge: sni, PROXY");
	TCase *t = tcase_create("verdict");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, verdict, 0, ROWS(firsts));
	tcase_add_loop_test(t, too_late, 0, ROWS(lates));
	tcase_add_test(t, bytes_wanted);
	tcase_add_test(t, alerts);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
