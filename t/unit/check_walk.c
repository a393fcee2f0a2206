/*
 * Unit test of walk.c: a conversation in one direction is one string, what
 * the walker makes of it another, and no way to cut it changes that.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/http/walk.h"

#define MAX 512
#define H "Host: a\r\n"
#define GET "GET / HTTP/1.1\r\n" H "\r\n"
#define POST "POST / HTTP/1.1\r\n" H
#define CHUNKED "Transfer-Encoding: chunked\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\n"

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define BYTES(s) s, sizeof(s) - 1

/*
 * What comes out: H for a head, a digit run for that many bytes of body, E
 * for an end, W for hold (followed by what the case decides: opaque), O and
 * bytes, B and a status, and at the end of input i, e or c for idle, end, cut.
 */
static const struct {
	const char *what;
	const char *bytes;
	size_t n;
	const char *out;
} requests[] = {
	{ "nothing", BYTES(""), "i" },
	{ "one", BYTES(GET), "HEi" },
	{ "two", BYTES(GET GET), "HEHEi" },
	{ "blank lines between", BYTES(GET "\r\n\r\n" GET), "HEHEi" },
	{ "cut head", BYTES("GET / HT"), "c" },
	{ "length", BYTES(POST "Content-Length: 5\r\n\r\n12345" GET),
	    "H5EHEi" },
	{ "length 0", BYTES(POST "Content-Length: 0\r\n\r\n" GET), "HEHEi" },
	{ "length cut", BYTES(POST "Content-Length: 5\r\n\r\n1234"), "H4c" },
	{ "body like a head", BYTES(POST "Content-Length: 27\r\n\r\n" GET GET),
	    "H27EHEi" },
	{ "chunked", BYTES(POST CHUNKED "5\r\n12345\r\n0\r\n\r\n" GET),
	    "H15EHEi" },
	{ "chunked, nothing in it", BYTES(POST CHUNKED "0\r\n\r\n" GET),
	    "H5EHEi" },
	{ "chunked, zeros",
	    BYTES(POST CHUNKED "0a\r\n1234567890\r\n000\r\n\r\n"), "H23Ei" },
	{ "chunked, two",
	    BYTES(POST CHUNKED "1\r\na\r\nA\r\n1234567890\r\n"
			       "0\r\n\r\n"),
	    "H26Ei" },
	{ "chunked, data like a chunk",
	    BYTES(POST CHUNKED "5\r\n0\r\n\r\n\r\n0\r\n\r\n"), "H15Ei" },
	{ "chunked, cut", BYTES(POST CHUNKED "5\r\n12345\r\n"), "H10c" },
	{ "chunked, cut in data", BYTES(POST CHUNKED "5\r\n12"), "H5c" },
	{ "chunked, cut in trailers", BYTES(POST CHUNKED "0\r\nA: b\r\n"),
	    "H9c" },
	{ "chunked, extension",
	    BYTES(POST CHUNKED "1;a=b;c=\"d\"\r\nx\r\n"
			       "0;e\r\n\r\n"),
	    "H23Ei" },
	{ "chunked, blanks before extension",
	    BYTES(POST CHUNKED "1 \t;a\r\nx\r\n0 ;b\r\n\r\n"), "H18Ei" },
	{ "chunked, LF in extension", BYTES(POST CHUNKED "1;a\nx\r\n"),
	    "H3B400" },
	{ "chunked, CR in extension", BYTES(POST CHUNKED "1;a\rb\r\nx\r\n"),
	    "H4B400" },
	{ "chunked, NUL in extension", BYTES(POST CHUNKED "1;\0\r\nx\r\n"),
	    "H2B400" },
	{ "chunked, no size", BYTES(POST CHUNKED "\r\n"), "HB400" },
	{ "chunked, no size but extension", BYTES(POST CHUNKED ";a\r\n"),
	    "HB400" },
	{ "chunked, size g", BYTES(POST CHUNKED "g\r\n"), "HB400" },
	{ "chunked, size -1", BYTES(POST CHUNKED "-1\r\n"), "HB400" },
	{ "chunked, size +1", BYTES(POST CHUNKED "+1\r\n"), "HB400" },
	{ "chunked, size 0x1", BYTES(POST CHUNKED "0x1\r\n"), "H1B400" },
	{ "chunked, blank before size", BYTES(POST CHUNKED " 1\r\n"), "HB400" },
	{ "chunked, blank behind size", BYTES(POST CHUNKED "1 \r\n"),
	    "H2B400" },
	{ "chunked, size and LF", BYTES(POST CHUNKED "1\nx\r\n"), "H1B400" },
	{ "chunked, size and CR", BYTES(POST CHUNKED "1\rx\r\n"), "H2B400" },
	{ "chunked, fifteen digits", BYTES(POST CHUNKED "fffffffffffffff\r\nx"),
	    "H18c" },
	{ "chunked, sixteen digits",
	    BYTES(POST CHUNKED "0000000000000001\r\nx\r\n"), "H15B400" },
	{ "chunked, data too long", BYTES(POST CHUNKED "1\r\nxy\r\n"),
	    "H4B400" },
	{ "chunked, data and LF", BYTES(POST CHUNKED "1\r\nx\n0\r\n\r\n"),
	    "H4B400" },
	{ "chunked, data and CR", BYTES(POST CHUNKED "1\r\nx\r0\r\n\r\n"),
	    "H5B400" },
	{ "chunked, last and LF", BYTES(POST CHUNKED "0\r\n\n" GET), "H3B400" },
	{ "chunked, last and CR", BYTES(POST CHUNKED "0\r\n\rG"), "H4B400" },
	{ "trailers", BYTES(POST CHUNKED "0\r\nA:b\r\nX-Sum: c \t\r\n\r\n" GET),
	    "H22EHEi" },
	{ "trailer folded", BYTES(POST CHUNKED "0\r\nA:b\r\n c\r\n\r\n"),
	    "H8B400" },
	{ "trailer with blank", BYTES(POST CHUNKED "0\r\nA :b\r\n\r\n"),
	    "H4B400" },
	{ "trailer without name", BYTES(POST CHUNKED "0\r\n:b\r\n\r\n"),
	    "H3B400" },
	{ "trailer without colon", BYTES(POST CHUNKED "0\r\nab\r\n\r\n"),
	    "H5B400" },
	{ "trailer with LF", BYTES(POST CHUNKED "0\r\na:b\n\r\n"), "H6B400" },
	{ "trailer with CR", BYTES(POST CHUNKED "0\r\na:b\rc\r\n"), "H7B400" },
	{ "trailer with NUL", BYTES(POST CHUNKED "0\r\na:\0\r\n\r\n"),
	    "H5B400" },
	{ "trailer Content-Length",
	    BYTES(POST CHUNKED "0\r\nContent-Length: 1\r\n\r\n"), "H17B400" },
	{ "trailer Transfer-Encoding, a twin",
	    BYTES(POST CHUNKED "0\r\ntransfer_encoding: x\r\n\r\n"),
	    "H20B400" },
	{ "trailer Host", BYTES(POST CHUNKED "0\r\nhost: x\r\n\r\n"),
	    "H7B400" },
	{ "trailer X-Forwarded-For",
	    BYTES(POST CHUNKED "0\r\nX-Forwarded-For: x\r\n\r\n"), "H18B400" },
	{ "trailer X_Forwarded_A_Long_Name_Indeed",
	    BYTES(POST CHUNKED "0\r\nX_Forwarded_A_Long_Name_Indeed: x\r\n"),
	    "H33B400" },
	{ "trailer Authorization",
	    BYTES(POST CHUNKED "0\r\nAuthorization: x\r\n\r\n"), "H16B400" },
	{ "length and chunked",
	    BYTES(POST "Content-Length: 5\r\n" CHUNKED "0\r\n\r\n"), "B400" },
	{ "unknown coding", BYTES(POST "Transfer-Encoding: gzip\r\n\r\n"),
	    "B501" },
	{ "version", BYTES("GET / HTTP/3.0\r\n\r\n"), "B505" },
	{ "smuggled behind a good one", BYTES(GET " " GET), "HEB400" },
	{ "connect, then anything",
	    BYTES("CONNECT a:1 HTTP/1.1\r\n" H "\r\n\0SSH\n"), "HEWO5e" },
	{ "upgrade, then anything",
	    BYTES("GET / HTTP/1.1\r\n" H "Connection: upgrade\r\n"
		  "Upgrade: websocket\r\n\r\n\0\1\2"),
	    "HEWO3e" },
	{ "upgrade with body",
	    BYTES(POST "Connection: upgrade\r\nContent-Length: 1\r\n"
		       "Upgrade: websocket\r\n\r\nx\0\1\2"),
	    "H1EWO3e" },
	{ "h2c is no upgrade",
	    BYTES("GET / HTTP/1.1\r\n" H "Connection: upgrade\r\n"
		  "Upgrade: h2c\r\n\r\nPRI * HTTP/2.0\r\n\r\n"),
	    "HEB505" },
};

/* What the answered requests were, in order: G, H, C, or U for an upgrade. */
static const struct {
	const char *what;
	const char *asked;
	const char *bytes;
	size_t n;
	const char *out;
} responses[] = {
	{ "nothing asked, nothing said", "", BYTES(""), "i" },
	{ "nothing asked", "", BYTES(OK "\r\n"), "B502" },
	{ "no answer", "G", BYTES(""), "c" },
	{ "length", "G", BYTES(OK "Content-Length: 2\r\n\r\nab"), "H2Ei" },
	{ "until close", "G", BYTES(OK "\r\nabc"), "H3e" },
	{ "until close, empty", "G", BYTES(OK "\r\n"), "He" },
	{ "chunked", "G", BYTES(OK CHUNKED "1\r\na\r\n0\r\n\r\n"), "H11Ei" },
	{ "chunked, cut", "G", BYTES(OK CHUNKED "1\r\na\r\n0\r\n\r"), "H10c" },
	{ "bad chunk", "G", BYTES(OK CHUNKED "x\r\n"), "HB502" },
	{ "two", "GG",
	    BYTES(OK "Content-Length: 2\r\n\r\nab" OK
		     "Content-Length: 0\r\n\r\n"),
	    "H2EHEi" },
	{ "one more than asked", "G",
	    BYTES(OK "Content-Length: 0\r\n\r\n" OK "\r\n"), "HEB502" },
	{ "HEAD", "HG",
	    BYTES(OK "Content-Length: 2\r\n\r\n" OK
		     "Content-Length: 2\r\n\r\nab"),
	    "HEH2Ei" },
	{ "HEAD of chunked", "H", BYTES(OK CHUNKED), "HEi" },
	{ "HEAD with a body", "H", BYTES(OK "Content-Length: 2\r\n\r\nab"),
	    "HEB502" },
	{ "204", "GG", BYTES("HTTP/1.1 204 No\r\n\r\n" OK "\r\nx"), "HEH1e" },
	{ "304", "GG",
	    BYTES("HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n" OK "\r\nx"),
	    "HEH1e" },
	{ "100", "G",
	    BYTES("HTTP/1.1 100 Go\r\n\r\n" OK "Content-Length: 1\r\n\r\nx"),
	    "HH1Ei" },
	{ "103 twice", "G",
	    BYTES("HTTP/1.1 103 a\r\nLink: b\r\n\r\nHTTP/1.1 103 a\r\n\r\n" OK
		  "Content-Length: 1\r\n\r\nx"),
	    "HHH1Ei" },
	{ "100 and no more", "G", BYTES("HTTP/1.1 100 Go\r\n\r\n"), "Hc" },
	{ "101", "U", BYTES("HTTP/1.1 101 Go\r\n\r\nabc"), "HO3e" },
	{ "101 unasked", "G", BYTES("HTTP/1.1 101 Go\r\n\r\nabc"), "B502" },
	{ "upgrade ignored", "UG",
	    BYTES(OK "Content-Length: 1\r\n\r\nx" OK "\r\n"), "H1EHe" },
	{ "connect", "C", BYTES(OK "\r\n\0ab"), "HO3e" },
	{ "connect refused", "CG",
	    BYTES("HTTP/1.1 403 No\r\nContent-Length: 1\r\n\r\nx" OK "\r\n"),
	    "H1EHe" },
	{ "two lengths", "G",
	    BYTES(OK "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx"),
	    "B502" },
	{ "length and chunked", "G",
	    BYTES(OK "Content-Length: 1\r\n" CHUNKED "0\r\n\r\n"), "B502" },
	{ "bare LF", "G", BYTES("HTTP/1.1 200 OK\n\n"), "B502" },
	{ "no HTTP", "G", BYTES("SSH-2.0-x\r\n"), "B502" },
	{ "cut head", "G", BYTES("HTTP/1.1 200 OK\r\nA: b\r\n"), "c" },
};

struct run {
	struct walk w;
	const char *asked;
	char out[128];
	size_t body; /* bytes of a body or of opaque bytes not yet printed */
	bool opaque;
	bool over;
};

static void
print(struct run *r, const char *s)
{
	size_t n = strlen(r->out);

	if (r->body > 0)
		n += (size_t)sprintf(
		    r->out + n, "%s%zu", r->opaque ? "O" : "", r->body);
	r->body = 0;
	strcpy(r->out + n, s);
}

static void
ask(struct run *r)
{
	static const char letters[] = "GHCU";
	static const enum head_method methods[] = { HEAD_METHOD_GET,
		HEAD_METHOD_HEAD, HEAD_METHOD_CONNECT, HEAD_METHOD_GET };

	if (r->asked == NULL || *r->asked == '\0')
		return;
	walk_expect(&r->w, methods[strchr(letters, *r->asked) - letters],
	    *r->asked == 'U');
	r->asked++;
}

static void
begin(struct run *r, const char *asked)
{
	memset(r, 0, sizeof(*r));
	r->asked = asked;
	if (asked != NULL)
		walk_init_response(&r->w, MAX);
	else
		walk_init_request(&r->w, MAX);
	ask(r);
}

/* One event of n bytes at p. Returns how many were taken, -1 for none yet. */
static long
step(struct run *r, const char *p, size_t n)
{
	char bad[16];
	struct head head;
	size_t len = 77;

	switch (walk_step(&r->w, p, n, &len, &head)) {
	case WALK_MORE:
		ck_assert_uint_eq(len, 0);
		return -1;
	case WALK_HEAD:
		ck_assert_uint_eq(head.size, len);
		print(r, "H");
		break;
	case WALK_BODY:
		ck_assert_uint_gt(len, 0);
		r->body += len;
		break;
	case WALK_OPAQUE:
		ck_assert_uint_eq(len, n);
		r->opaque = true;
		r->body += len;
		break;
	case WALK_END:
		ck_assert_uint_eq(len, 0);
		print(r, "E");
		ask(r);
		break;
	case WALK_HOLD:
		ck_assert_uint_eq(len, 0);
		print(r, "W");
		walk_opaque(&r->w);
		break;
	case WALK_BAD:
		ck_assert_uint_eq(len, 0);
		sprintf(bad, "B%d", walk_status(&r->w));
		print(r, bad);
		r->over = true;
		return -1;
	}
	ck_assert_uint_le(len, n);
	return (long)len;
}

/* Show bytes[0..upto), of which `from` were taken; returns what is now. */
static size_t
show(struct run *r, const char *bytes, size_t from, size_t upto)
{
	long len;

	while (!r->over && (len = step(r, bytes + from, upto - from)) != -1)
		from += (size_t)len;
	return from;
}

static void
finish(struct run *r)
{
	static const char *const eof[] = { "i", "e", "c" };

	if (!r->over)
		print(r, eof[walk_eof(&r->w)]);
}

/* All at once, cut in two at every place, and byte by byte. */
static void
every_cut(const char *what, const char *asked, const char *bytes, size_t n,
    const char *out)
{
	struct run r;
	size_t from;

	for (size_t cut = 0; cut <= n; cut++) {
		begin(&r, asked);
		from = show(&r, bytes, 0, cut);
		show(&r, bytes, from, n);
		finish(&r);
		ck_assert_msg(strcmp(r.out, out) == 0, "%s, cut at %zu: %s",
		    what, cut, r.out);
	}
	begin(&r, asked);
	from = 0;
	for (size_t upto = 0; upto <= n; upto++)
		from = show(&r, bytes, from, upto);
	finish(&r);
	ck_assert_msg(
	    strcmp(r.out, out) == 0, "%s, byte by byte: %s", what, r.out);
}

START_TEST(walks_requests)
{
	every_cut(requests[_i].what, NULL, requests[_i].bytes, requests[_i].n,
	    requests[_i].out);
}
END_TEST

START_TEST(walks_responses)
{
	every_cut(responses[_i].what, responses[_i].asked, responses[_i].bytes,
	    responses[_i].n, responses[_i].out);
}
END_TEST

/* Walk s to its end and return the last event; the bytes taken in *taken. */
static enum walk_event
walk_all(struct walk *w, const char *s, size_t *taken)
{
	enum walk_event event = WALK_MORE, last;
	size_t n = strlen(s), len;
	struct head head;

	*taken = 0;
	do {
		last = event;
		event = walk_step(w, s + *taken, n - *taken, &len, &head);
		*taken += len;
	} while (event != WALK_MORE && event != WALK_BAD && event != WALK_HOLD);
	return event == WALK_MORE ? last : event;
}

START_TEST(bounds_extensions_and_trailers)
{
	char s[MAX * 2];
	struct walk w;
	size_t taken;

	for (int over = 0; over <= 1; over++) {
		int n = CHUNK_EXTENSION_MAX + over - 1;

		walk_init_request(&w, MAX);
		snprintf(
		    s, sizeof(s), POST CHUNKED "1;%0*d\r\nx\r\n", n + 1, 0);
		ck_assert_int_eq(walk_all(&w, s, &taken) == WALK_BAD ||
			walk_step(&w, NULL, 0, &taken, NULL) == WALK_BAD,
		    over);

		/* The trailer's line and the empty one are MAX bytes. */
		walk_init_request(&w, MAX);
		snprintf(s, sizeof(s), POST CHUNKED "0\r\nA:%0*d\r\n\r\n",
		    MAX - 6 + over, 0);
		ck_assert_int_eq(
		    walk_all(&w, s, &taken), over ? WALK_BAD : WALK_END);
	}
}
END_TEST

START_TEST(bounds_heads)
{
	char s[MAX * 2];
	struct walk w;
	size_t taken;

	snprintf(s, sizeof(s), "GET / HTTP/1.1\r\n" H "A: %0*d", MAX, 0);
	walk_init_request(&w, MAX);
	ck_assert_int_eq(walk_all(&w, s, &taken), WALK_BAD);
	ck_assert_int_eq(walk_status(&w), 431);
	walk_init_response(&w, MAX);
	walk_expect(&w, HEAD_METHOD_GET, false);
	snprintf(s, sizeof(s), OK "A: %0*d", MAX, 0);
	ck_assert_int_eq(walk_all(&w, s, &taken), WALK_BAD);
	ck_assert_int_eq(walk_status(&w), 502);
}
END_TEST

START_TEST(skips_what_it_foresees)
{
	struct walk w;
	size_t taken;

	walk_init_request(&w, MAX);
	ck_assert(walk_idle(&w));
	ck_assert_uint_eq(walk_left(&w), 0);
	walk_all(&w, POST "Content-Length: 10\r\n\r\nab", &taken);
	ck_assert(!walk_idle(&w));
	ck_assert_uint_eq(walk_left(&w), 8);
	walk_skip(&w, 7);
	ck_assert_uint_eq(walk_left(&w), 1);
	walk_skip(&w, 1);
	ck_assert_uint_eq(walk_left(&w), 0);
	ck_assert_int_eq(walk_all(&w, "", &taken), WALK_END);
	ck_assert(walk_idle(&w));

	walk_all(&w, POST CHUNKED "ff\r\nab", &taken);
	ck_assert_uint_eq(walk_left(&w), 253);
	walk_skip(&w, 253);
	ck_assert_uint_eq(walk_left(&w), 0);
	ck_assert_int_eq(walk_all(&w, "\r\n0\r\n\r\n", &taken), WALK_END);

	walk_all(&w, "GET ", &taken);
	ck_assert(!walk_idle(&w));
	walk_init_response(&w, MAX);
	walk_expect(&w, HEAD_METHOD_GET, false);
	ck_assert(!walk_idle(&w));
	walk_all(&w, OK "\r\n", &taken);
	ck_assert_uint_eq(walk_left(&w), UINT64_MAX);
	walk_skip(&w, 1000);
	ck_assert_uint_eq(walk_left(&w), UINT64_MAX);
}
END_TEST

START_TEST(holds_until_it_is_told)
{
	static const char s[] = "CONNECT a:1 HTTP/1.1\r\n" H "\r\n" GET;
	struct walk w;
	size_t taken;

	walk_init_request(&w, MAX);
	ck_assert_int_eq(walk_all(&w, s, &taken), WALK_HOLD);
	ck_assert_int_eq(walk_all(&w, s + taken, &taken), WALK_HOLD);
	ck_assert_uint_eq(taken, 0);
	ck_assert(!walk_is_opaque(&w));
	ck_assert_int_eq(walk_eof(&w), WALK_EOF_IDLE);
	walk_resume(&w);
	ck_assert_int_eq(walk_all(&w, GET, &taken), WALK_END);
	ck_assert(walk_idle(&w));

	ck_assert_int_eq(walk_all(&w, s, &taken), WALK_HOLD);
	walk_opaque(&w);
	ck_assert(walk_is_opaque(&w));
	ck_assert_uint_eq(walk_left(&w), UINT64_MAX);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("walk");
	TCase *t = tcase_create("walk");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, walks_requests, 0, N(requests));
	tcase_add_loop_test(t, walks_responses, 0, N(responses));
	tcase_add_test(t, bounds_extensions_and_trailers);
	tcase_add_test(t, bounds_heads);
	tcase_add_test(t, skips_what_it_foresees);
	tcase_add_test(t, holds_until_it_is_told);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
