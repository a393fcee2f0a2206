/* Unit test of head.c: what is taken, what is refused, and what it means. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/http/head.h"

#define MAX 16384
#define H "Host: a\r\n"
#define REQ(fields) "GET / HTTP/1.1\r\n" H fields "\r\n"
#define RES(fields) "HTTP/1.1 200 OK\r\n" fields "\r\n"

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* A case that may hold NUL bytes. */
#define BYTES(s) s, sizeof(s) - 1

static const struct {
	const char *what;
	const char *bytes;
	size_t n;
	int status; /* 0: taken whole */
} requests[] = {
	{ "plain", BYTES(REQ("")), 0 },
	{ "one empty line before", BYTES("\r\n" REQ("")), 0 },
	{ "two empty lines before", BYTES("\r\n\r\n" REQ("")), 0 },
	{ "three empty lines before", BYTES("\r\n\r\n\r\n" REQ("")), -400 },
	{ "bare LF before", BYTES("\n" REQ("")), -400 },
	{ "bare CR before", BYTES("\rGET / HTTP/1.1\r\n" H "\r\n"), -400 },
	{ "blank before", BYTES(" " REQ("")), -400 },

	{ "no method", BYTES(" / HTTP/1.1\r\n" H "\r\n"), -400 },
	{ "bad method", BYTES("G(T / HTTP/1.1\r\n" H "\r\n"), -400 },
	{ "unknown method", BYTES("XP / HTTP/1.1\r\n" H "\r\n"), 0 },
	{ "small head", BYTES("head / HTTP/1.1\r\n" H "\r\n"), -400 },
	{ "small connect", BYTES("Connect a:1 HTTP/1.1\r\n" H "\r\n"), -400 },
	{ "long method",
	    BYTES("ABCDEFGHIJABCDEFGHIJABCDEFGHIJABC / HTTP/1.1\r\n" H "\r\n"),
	    -400 },
	{ "two blanks", BYTES("GET  / HTTP/1.1\r\n" H "\r\n"), -400 },
	{ "two blanks later", BYTES("GET /  HTTP/1.1\r\n" H "\r\n"), -400 },
	{ "tab", BYTES("GET\t/ HTTP/1.1\r\n" H "\r\n"), -400 },
	{ "tab later", BYTES("GET /\tHTTP/1.1\r\n" H "\r\n"), -400 },
	{ "blank at the end", BYTES("GET / HTTP/1.1 \r\n" H "\r\n"), -400 },
	{ "HTTP/0.9", BYTES("GET /\r\n"), -400 },
	{ "blank in target", BYTES("GET /a b HTTP/1.1\r\n" H "\r\n"), -400 },
	{ "NUL in target", BYTES("GET /\0 HTTP/1.1\r\n" H "\r\n"), -400 },
	{ "DEL in target", BYTES("GET /\x7f HTTP/1.1\r\n" H "\r\n"), -400 },
	{ "UTF-8 in target", BYTES("GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n"), 0 },
	{ "byte 128 in target", BYTES("GET \x80 HTTP/1.1\r\n" H "\r\n"), -400 },
	{ "fragment", BYTES("GET /#a HTTP/1.1\r\n" H "\r\n"), -400 },
	{ "relative", BYTES("GET a HTTP/1.1\r\n" H "\r\n"), -400 },
	{ "asterisk", BYTES("OPTIONS * HTTP/1.1\r\n" H "\r\n"), 0 },
	{ "asterisk of GET", BYTES("GET * HTTP/1.1\r\n" H "\r\n"), -400 },

	{ "version 1.0", BYTES("GET / HTTP/1.0\r\n\r\n"), 0 },
	{ "version 1.2", BYTES("GET / HTTP/1.2\r\n" H "\r\n"), -505 },
	{ "version 2.0", BYTES("PRI * HTTP/2.0\r\n\r\n"), -505 },
	{ "version 0.9", BYTES("GET / HTTP/0.9\r\n" H "\r\n"), -505 },
	{ "version 1.10", BYTES("GET / HTTP/1.10\r\n" H "\r\n"), -400 },
	{ "version 1,1", BYTES("GET / HTTP/1,1\r\n" H "\r\n"), -400 },
	{ "small version", BYTES("GET / http/1.1\r\n" H "\r\n"), -400 },
	{ "line ends by LF", BYTES("GET / HTTP/1.1\n" H "\r\n"), -400 },
	{ "line ends by CR", BYTES("GET / HTTP/1.1\r" H "\r\n"), -400 },
	{ "line ends by CR CR LF", BYTES("GET / HTTP/1.1\r\r\n" H "\r\n"),
	    -400 },

	{ "field ends by LF", BYTES("GET / HTTP/1.1\r\nHost: a\n\r\n"), -400 },
	{ "head ends by LF", BYTES("GET / HTTP/1.1\r\n" H "\n"), -400 },
	{ "CR in value", BYTES(REQ("A: b\rc\r\n")), -400 },
	{ "LF in value", BYTES(REQ("A: b\nc: d\r\n")), -400 },
	{ "NUL in value", BYTES(REQ("A: b\0c\r\n")), -400 },
	{ "NUL in long value", BYTES(REQ("A: 0123456789\0abcdefgh\r\n")),
	    -400 },
	{ "DEL in value",
	    BYTES(REQ("A: 0123456789\x7f"
		      "abcdefgh\r\n")),
	    -400 },
	{ "escape in value", BYTES(REQ("A: 012345\x1b[1mabcdefgh\r\n")), -400 },
	{ "tab in value", BYTES(REQ("A: 01234\t5678\t9abcdefgh\r\n")), 0 },
	{ "bytes over 128 in value", BYTES(REQ("A: \x80\xff\xc3\xa4\r\n")), 0 },
	{ "empty value", BYTES(REQ("A:\r\n")), 0 },
	{ "value of blanks", BYTES(REQ("A: \t \r\n")), 0 },
	{ "folded by blank", BYTES(REQ("A: b\r\n c\r\n")), -400 },
	{ "folded by tab", BYTES(REQ("A: b\r\n\tc\r\n")), -400 },
	{ "blank before first field", BYTES("GET / HTTP/1.1\r\n " H "\r\n"),
	    -400 },
	{ "blank before colon", BYTES(REQ("A : b\r\n")), -400 },
	{ "tab before colon", BYTES(REQ("A\t: b\r\n")), -400 },
	{ "blank in name", BYTES(REQ("A B: b\r\n")), -400 },
	{ "no name", BYTES(REQ(": b\r\n")), -400 },
	{ "no colon", BYTES(REQ("A\r\n")), -400 },
	{ "bad name", BYTES(REQ("A(b): c\r\n")), -400 },
	{ "name over 128", BYTES(REQ("A\xc3\xa4: c\r\n")), -400 },
	{ "NUL in name", BYTES(REQ("A\0: c\r\n")), -400 },

	{ "no Host", BYTES("GET / HTTP/1.1\r\n\r\n"), -400 },
	{ "two Hosts", BYTES(REQ("Host: b\r\n")), -400 },
	{ "two equal Hosts", BYTES(REQ("hOST: a\r\n")), -400 },
	{ "two Hosts in 1.0", BYTES("GET / HTTP/1.0\r\n" H "Host: b\r\n\r\n"),
	    -400 },
	{ "empty Host", BYTES("GET / HTTP/1.1\r\nHost:\r\n\r\n"), -400 },
	{ "list of Hosts", BYTES("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"), -400 },
	{ "blank in Host", BYTES("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), -400 },
	{ "user in Host", BYTES("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"), -400 },
	{ "path in Host", BYTES("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), -400 },
	{ "percent in Host", BYTES("GET / HTTP/1.1\r\nHost: %61\r\n\r\n"),
	    -400 },
	{ "underscore in Host", BYTES("GET / HTTP/1.1\r\nHost: a_b\r\n\r\n"),
	    0 },
	{ "port in Host", BYTES("GET / HTTP/1.1\r\nHost: a:80\r\n\r\n"), 0 },
	{ "bad port", BYTES("GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n"), -400 },
	{ "address in Host", BYTES("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
	    0 },

	{ "absolute", BYTES("GET http://a/b HTTP/1.1\r\n" H "\r\n"), 0 },
	{ "absolute in capitals",
	    BYTES("GET HTTP://A:80/b HTTP/1.1\r\n" H "\r\n"), 0 },
	{ "absolute https", BYTES("GET https://a:443 HTTP/1.1\r\n" H "\r\n"),
	    0 },
	{ "absolute of 1.0", BYTES("GET http://a HTTP/1.0\r\n\r\n"), 0 },
	{ "absolute without Host", BYTES("GET http://a HTTP/1.1\r\n\r\n"),
	    -400 },
	{ "absolute contradicts", BYTES("GET http://b/ HTTP/1.1\r\n" H "\r\n"),
	    -400 },
	{ "absolute contradicts port",
	    BYTES("GET http://a:81/ HTTP/1.1\r\n" H "\r\n"), -400 },
	{ "absolute contradicts by suffix",
	    BYTES("GET http://a.b/ HTTP/1.1\r\n" H "\r\n"), -400 },
	{ "absolute with user", BYTES("GET http://u@a/ HTTP/1.1\r\n" H "\r\n"),
	    -400 },
	{ "absolute without host", BYTES("GET http:/// HTTP/1.1\r\n" H "\r\n"),
	    -400 },
	{ "absolute of ftp", BYTES("GET ftp://a/ HTTP/1.1\r\n" H "\r\n"),
	    -400 },

	{ "connect", BYTES("CONNECT a:22 HTTP/1.1\r\n" H "\r\n"), 0 },
	{ "connect of 1.0", BYTES("CONNECT a:22 HTTP/1.0\r\n\r\n"), 0 },
	{ "connect to an address", BYTES("CONNECT [::1]:22 HTTP/1.0\r\n\r\n"),
	    0 },
	{ "connect without port", BYTES("CONNECT a HTTP/1.1\r\n" H "\r\n"),
	    -400 },
	{ "connect to an address without port",
	    BYTES("CONNECT [::1] HTTP/1.0\r\n\r\n"), -400 },
	{ "connect contradicts", BYTES("CONNECT b:22 HTTP/1.1\r\n" H "\r\n"),
	    -400 },
	{ "connect to a path", BYTES("CONNECT / HTTP/1.1\r\n" H "\r\n"), -400 },
	{ "connect with body",
	    BYTES("CONNECT a:22 HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\n"),
	    -400 },
	{ "authority of GET", BYTES("GET a:80 HTTP/1.1\r\n" H "\r\n"), -400 },

	{ "length", BYTES(REQ("Content-Length: 5\r\n")), 0 },
	{ "length at its bound",
	    BYTES(REQ("Content-Length: 999999999999999999\r\n")), 0 },
	{ "length above its bound",
	    BYTES(REQ("Content-Length: 1000000000000000000\r\n")), -400 },
	{ "length overflows",
	    BYTES(REQ("Content-Length: 18446744073709551621\r\n")), -400 },
	{ "length +5", BYTES(REQ("Content-Length: +5\r\n")), -400 },
	{ "length -5", BYTES(REQ("Content-Length: -5\r\n")), -400 },
	{ "length 0x5", BYTES(REQ("Content-Length: 0x5\r\n")), -400 },
	{ "length 05", BYTES(REQ("Content-Length: 05\r\n")), -400 },
	{ "length 5 5", BYTES(REQ("Content-Length: 5 5\r\n")), -400 },
	{ "length 5,5", BYTES(REQ("Content-Length: 5, 5\r\n")), -400 },
	{ "length empty", BYTES(REQ("Content-Length:\r\n")), -400 },
	{ "two lengths",
	    BYTES(REQ("Content-Length: 5\r\nContent-Length: 6\r\n")), -400 },
	{ "two equal lengths",
	    BYTES(REQ("Content-Length: 5\r\ncontent-length: 5\r\n")), -400 },
	{ "twin of length", BYTES(REQ("Content_Length: 5\r\n")), -400 },
	{ "chunked", BYTES(REQ("Transfer-Encoding: chunked\r\n")), 0 },
	{ "Chunked", BYTES(REQ("Transfer-Encoding:\tChunked \r\n")), 0 },
	{ "length and chunked",
	    BYTES(REQ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")),
	    -400 },
	{ "chunked and length",
	    BYTES(REQ("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n")),
	    -400 },
	{ "length and gzip",
	    BYTES(REQ("Transfer-Encoding: gzip\r\nContent-Length: 0\r\n")),
	    -400 },
	{ "chunked in 1.0",
	    BYTES("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
	    -400 },
	{ "two codings",
	    BYTES(REQ("Transfer-Encoding: chunked\r\n"
		      "Transfer-Encoding: chunked\r\n")),
	    -400 },
	{ "chunked twice",
	    BYTES(REQ("Transfer-Encoding: chunked, chunked\r\n")), -400 },
	{ "chunked not last",
	    BYTES(REQ("Transfer-Encoding: chunked, identity\r\n")), -400 },
	{ "gzip, chunked", BYTES(REQ("Transfer-Encoding: gzip, chunked\r\n")),
	    -501 },
	{ "identity", BYTES(REQ("Transfer-Encoding: identity\r\n")), -501 },
	{ "xchunked", BYTES(REQ("Transfer-Encoding: xchunked\r\n")), -501 },
	{ "quoted chunked", BYTES(REQ("Transfer-Encoding: \"chunked\"\r\n")),
	    -400 },
	{ "chunked;q=1", BYTES(REQ("Transfer-Encoding: chunked;q=1\r\n")),
	    -400 },
	{ "coding empty", BYTES(REQ("Transfer-Encoding:\r\n")), -400 },
	{ "coding with VT", BYTES(REQ("Transfer-Encoding: \vchunked\r\n")),
	    -400 },
	{ "chunked with comma", BYTES(REQ("Transfer-Encoding: chunked,\r\n")),
	    -400 },
	{ "twin of coding", BYTES(REQ("Transfer_Encoding: chunked\r\n")),
	    -400 },
	{ "half a twin of coding",
	    BYTES(REQ("transfer_encodinG: identity\r\n")), -400 },

	{ "Connection names Host", BYTES(REQ("Connection: close, host\r\n")),
	    -400 },
	{ "Connection names length",
	    BYTES(REQ("Connection: Content-Length\r\n")), -400 },
	{ "Connection names coding",
	    BYTES(REQ("Connection: transfer-encoding\r\n")), -400 },
	{ "Connection names X-Forwarded-For",
	    BYTES(REQ("Connection: X-Forwarded-For\r\n")), -400 },
	{ "Connection names X-Forwarded-Proto",
	    BYTES(REQ("Connection: a ,\tx-forwarded-proto\r\n")), -400 },
	{ "Connection names a twin",
	    BYTES(REQ("Connection: X_Forwarded_Host\r\n")), -400 },
	{ "second Connection names Host",
	    BYTES(REQ("Connection: close\r\nConnection: host\r\n")), -400 },
	{ "Connection of no tokens", BYTES(REQ("Connection: a b\r\n")), -400 },
	{ "Connection of another name", BYTES(REQ("Connection: x-a,\r\n")), 0 },
	{ "twin of forwarded", BYTES(REQ("X_Forwarded_For: 1\r\n")), 0 },
};

static const struct {
	const char *what;
	const char *bytes;
	size_t n;
	int status;
} responses[] = {
	{ "plain", BYTES(RES("")), 0 },
	{ "no reason", BYTES("HTTP/1.1 200 \r\n\r\n"), 0 },
	{ "no blank behind status", BYTES("HTTP/1.1 200\r\n\r\n"), 0 },
	{ "any reason", BYTES("HTTP/1.0 404 N\t\xc3\xb6!\r\n\r\n"), 0 },
	{ "empty line before", BYTES("\r\n" RES("")), -502 },
	{ "two digits", BYTES("HTTP/1.1 20 OK\r\n\r\n"), -502 },
	{ "four digits", BYTES("HTTP/1.1 2000 OK\r\n\r\n"), -502 },
	{ "status 099", BYTES("HTTP/1.1 099 OK\r\n\r\n"), -502 },
	{ "two blanks", BYTES("HTTP/1.1  200 OK\r\n\r\n"), -502 },
	{ "NUL in reason", BYTES("HTTP/1.1 200 O\0\r\n\r\n"), -502 },
	{ "LF", BYTES("HTTP/1.1 200 OK\n\r\n"), -502 },
	{ "ICY", BYTES("ICY 200 OK\r\n\r\n"), -502 },
	{ "HTTP/2", BYTES("HTTP/2 200 OK\r\n\r\n"), -502 },
	{ "HTTP/1.2", BYTES("HTTP/1.2 200 OK\r\n\r\n"), -502 },
	{ "ssh", BYTES("SSH-2.0-OpenSSH_9.2\r\n"), -502 },
	{ "folded", BYTES(RES("A: b\r\n c\r\n")), -502 },
	{ "blank before colon", BYTES(RES("A : b\r\n")), -502 },
	{ "CR in value", BYTES(RES("A: b\rc\r\n")), -502 },
	{ "LF in value", BYTES(RES("A: b\nc\r\n")), -502 },
	{ "two lengths",
	    BYTES(RES("Content-Length: 1\r\nContent-Length: 2\r\n")), -502 },
	{ "two equal lengths",
	    BYTES(RES("Content-Length: 1\r\nContent-Length: 1\r\n")), -502 },
	{ "list of lengths", BYTES(RES("Content-Length: 1,1\r\n")), -502 },
	{ "length and chunked",
	    BYTES(RES("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")),
	    -502 },
	{ "chunked twice", BYTES(RES("Transfer-Encoding: chunked,chunked\r\n")),
	    -502 },
	{ "gzip", BYTES(RES("Transfer-Encoding: gzip\r\n")), -502 },
	{ "chunked in 1.0",
	    BYTES("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
	    -502 },
	{ "twin of length", BYTES(RES("Content_Length: 5\r\n")), -502 },
	{ "204 with chunked",
	    BYTES("HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n"),
	    -502 },
	{ "204 with length",
	    BYTES("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n"), -502 },
	{ "204 with length 0",
	    BYTES("HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n"), 0 },
	{ "100 with length",
	    BYTES("HTTP/1.1 100 Go on\r\nContent-Length: 5\r\n\r\n"), -502 },
};

/*
 * Parse a copy of exactly n bytes, so that a sanitizer sees a look behind
 * them, and every shorter one: it is incomplete or refused like the whole.
 */
static int
parse(struct head *h, const char *bytes, size_t n, bool response)
{
	char *copy = malloc(n + 1);
	int got = 0;

	ck_assert_ptr_nonnull(copy);
	for (size_t k = 0; k <= n && got == 0; k++) {
		char *at = copy + 1 + n - k;

		memcpy(at, bytes, k);
		got = response
		    ? head_parse_response(h, at, k, MAX, HEAD_METHOD_GET)
		    : head_parse_request(h, at, k, MAX);
		if (got > 0)
			ck_assert_uint_eq(k, n);
	}
	free(copy);
	if (got == 0)
		return 0;
	/* The result points into the bytes given, which must outlive it. */
	return response ? head_parse_response(h, bytes, n, MAX, HEAD_METHOD_GET)
			: head_parse_request(h, bytes, n, MAX);
}

START_TEST(takes_or_refuses_requests)
{
	struct head h;
	int got = parse(&h, requests[_i].bytes, requests[_i].n, false);
	int want = requests[_i].status;

	if (want == 0)
		want = (int)requests[_i].n;
	ck_assert_msg(
	    got == want, "%s: %d, not %d", requests[_i].what, got, want);
}
END_TEST

START_TEST(takes_or_refuses_responses)
{
	struct head h;
	int got = parse(&h, responses[_i].bytes, responses[_i].n, true);
	int want = responses[_i].status;

	if (want == 0)
		want = (int)responses[_i].n;
	ck_assert_msg(
	    got == want, "%s: %d, not %d", responses[_i].what, got, want);
}
END_TEST

static const struct {
	const char *bytes;
	enum head_body body;
	uint64_t length;
	bool keepalive, upgrade, expect;
} meanings[] = {
	{ REQ(""), HEAD_BODY_NONE, 0, true, false, false },
	{ REQ("Content-Length: 0\r\n"), HEAD_BODY_NONE, 0, true, false, false },
	{ REQ("content-length: 10 \r\n"), HEAD_BODY_LENGTH, 10, true, false,
	    false },
	{ REQ("transfer-encoding: chunked\r\n"), HEAD_BODY_CHUNKED, 0, true,
	    false, false },
	{ REQ("Connection: Close\r\n"), HEAD_BODY_NONE, 0, false, false,
	    false },
	{ REQ("Connection: a,keep-alive\r\nConnection: b , close\r\n"),
	    HEAD_BODY_NONE, 0, false, false, false },
	{ "GET / HTTP/1.0\r\n\r\n", HEAD_BODY_NONE, 0, false, false, false },
	{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", HEAD_BODY_NONE, 0,
	    true, false, false },
	{ REQ("Connection: Upgrade\r\nUpgrade: websocket\r\n"), HEAD_BODY_NONE,
	    0, true, true, false },
	{ REQ("Upgrade: websocket\r\n"), HEAD_BODY_NONE, 0, true, false,
	    false },
	{ REQ("Connection: upgrade\r\n"), HEAD_BODY_NONE, 0, true, false,
	    false },
	{ REQ("Connection: upgrade\r\nUpgrade: h2c\r\n"), HEAD_BODY_NONE, 0,
	    true, false, false },
	{ REQ("Connection: upgrade\r\nUpgrade: websocket, h2c\r\n"),
	    HEAD_BODY_NONE, 0, true, false, false },
	{ REQ("Connection: upgrade\r\nUpgrade: HTTP/2.0\r\n"), HEAD_BODY_NONE,
	    0, true, false, false },
	{ "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n",
	    HEAD_BODY_NONE, 0, false, false, false },
	{ REQ("Expect: 100-Continue\r\n"), HEAD_BODY_NONE, 0, true, false,
	    true },
	{ REQ("Expect: 200-ok\r\n"), HEAD_BODY_NONE, 0, true, false, false },
};

START_TEST(tells_framing_of_requests)
{
	const char *s = meanings[_i].bytes;
	struct head h;

	ck_assert_int_eq(
	    head_parse_request(&h, s, strlen(s), MAX), (int)strlen(s));
	ck_assert_int_eq(h.body, meanings[_i].body);
	ck_assert_uint_eq(h.length, meanings[_i].length);
	ck_assert_msg(h.keepalive == meanings[_i].keepalive, "%s", s);
	ck_assert_msg(h.upgrade == meanings[_i].upgrade, "%s", s);
	ck_assert_msg(h.expect_continue == meanings[_i].expect, "%s", s);
}
END_TEST

#define LEN5 "Content-Length: 5\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"

static const struct {
	const char *bytes;
	enum head_method asked;
	enum head_body body;
	bool keepalive;
} bodies[] = {
	{ RES(LEN5), HEAD_METHOD_GET, HEAD_BODY_LENGTH, true },
	{ RES("Content-Length: 0\r\n"), HEAD_METHOD_GET, HEAD_BODY_NONE, true },
	{ RES(CHUNKED), HEAD_METHOD_GET, HEAD_BODY_CHUNKED, true },
	{ RES(""), HEAD_METHOD_GET, HEAD_BODY_UNTIL_CLOSE, false },
	{ RES("Connection: close\r\n" LEN5), HEAD_METHOD_OTHER,
	    HEAD_BODY_LENGTH, false },
	{ RES(LEN5), HEAD_METHOD_HEAD, HEAD_BODY_NONE, true },
	{ RES(CHUNKED), HEAD_METHOD_HEAD, HEAD_BODY_NONE, true },
	{ RES(""), HEAD_METHOD_HEAD, HEAD_BODY_NONE, true },
	{ RES(""), HEAD_METHOD_CONNECT, HEAD_BODY_OPAQUE, true },
	{ "HTTP/1.1 403 No\r\n" LEN5 "\r\n", HEAD_METHOD_CONNECT,
	    HEAD_BODY_LENGTH, true },
	{ "HTTP/1.1 204 No\r\n\r\n", HEAD_METHOD_GET, HEAD_BODY_NONE, true },
	{ "HTTP/1.1 304 No\r\n" LEN5 "\r\n", HEAD_METHOD_GET, HEAD_BODY_NONE,
	    true },
	{ "HTTP/1.1 304 No\r\n\r\n", HEAD_METHOD_GET, HEAD_BODY_NONE, true },
	{ "HTTP/1.1 100 Go\r\n\r\n", HEAD_METHOD_GET, HEAD_BODY_NONE, true },
	{ "HTTP/1.1 101 Go\r\n\r\n", HEAD_METHOD_GET, HEAD_BODY_OPAQUE, true },
	{ "HTTP/1.0 200 OK\r\n" LEN5 "\r\n", HEAD_METHOD_GET, HEAD_BODY_LENGTH,
	    false },
	{ "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n" LEN5 "\r\n",
	    HEAD_METHOD_GET, HEAD_BODY_LENGTH, true },
};

START_TEST(tells_framing_of_responses)
{
	const char *s = bodies[_i].bytes;
	struct head h;

	ck_assert_int_eq(
	    head_parse_response(&h, s, strlen(s), MAX, bodies[_i].asked),
	    (int)strlen(s));
	ck_assert_msg(h.body == bodies[_i].body, "%d: %s", (int)h.body, s);
	ck_assert_msg(h.keepalive == bodies[_i].keepalive, "%s", s);
	ck_assert_uint_eq(h.length, h.body == HEAD_BODY_LENGTH ? 5 : 0);
}
END_TEST

static const struct {
	const char *bytes, *method, *target, *path, *host;
	bool absolute;
} targets[] = {
	{ REQ(""), "GET", "/", "/", "a", false },
	{ "POST /x?y=http://z HTTP/1.1\r\nHost: A.b:80\r\n\r\n", "POST",
	    "/x?y=http://z", "/x?y=http://z", "A.b:80", false },
	{ "GET http://b:80/x HTTP/1.1\r\nhost:b\r\n\r\n", "GET",
	    "http://b:80/x", "/x", "b", true },
	{ "GET http://b?x HTTP/1.0\r\n\r\n", "GET", "http://b?x", "?x", "b",
	    true },
	{ "CONNECT b:22 HTTP/1.1\r\nHost: b\r\n\r\n", "CONNECT", "b:22", "",
	    "b:22", false },
	{ "OPTIONS * HTTP/1.0\r\n\r\n", "OPTIONS", "*", "*", "", false },
};

START_TEST(tells_target_and_host)
{
	const char *s = targets[_i].bytes;
	struct head h;

	ck_assert_int_gt(head_parse_request(&h, s, strlen(s), MAX), 0);
	ck_assert(head_view_is(h.method, targets[_i].method));
	ck_assert(head_view_is(h.target, targets[_i].target));
	ck_assert(head_view_is(h.path, targets[_i].path));
	ck_assert(head_view_is(h.host, targets[_i].host));
	ck_assert(h.absolute == targets[_i].absolute);
}
END_TEST

START_TEST(finds_fields_that_are_unique)
{
	static const char s[] = REQ("X-Id: 1\r\nTwice: 1\r\ntwice: 2\r\n"
				    "X_Ptp_Token: no\r\nAuthorization: b c \r\n"
				    "X-Twin: 1\r\nX_Twin: 2\r\n"
				    "X_Real_IP: 1\r\nx-forwarded-port: 1\r\n");
	struct head_view v = { NULL, 0 };
	struct head h;

	ck_assert_int_gt(head_parse_request(&h, s, sizeof(s) - 1, MAX), 0);
	ck_assert_int_eq(head_find(&h, "x-id", &v), 1);
	ck_assert(head_view_is(v, "1"));
	ck_assert_int_eq(head_find(&h, "x-i", &v), 0);
	ck_assert_int_eq(head_find(&h, "Twice", &v), -1);
	ck_assert_int_eq(head_find(&h, "x-twin", &v), -1);
	ck_assert_int_eq(head_find(&h, "X-Ptp-Token", &v), -1);
	ck_assert_int_eq(head_known(&h, HEAD_ID_X_PTP_TOKEN, &v), 0);
	ck_assert_int_eq(head_known(&h, HEAD_ID_AUTHORIZATION, &v), 1);
	ck_assert(head_view_is(v, "b c"));
	ck_assert_int_eq(head_known(&h, HEAD_ID_X_REAL_IP, &v), 0);
	ck_assert_int_eq(head_known(&h, HEAD_ID_FORWARDED_TWIN, &v), 1);
	ck_assert_int_eq(head_known(&h, HEAD_ID_X_FORWARDED_OTHER, &v), 1);
}
END_TEST

START_TEST(knows_every_name)
{
	static const struct {
		const char *name;
		enum head_id id;
	} names[] = {
		{ "Host", HEAD_ID_HOST },
		{ "CONTENT-LENGTH", HEAD_ID_CONTENT_LENGTH },
		{ "Transfer-Encoding", HEAD_ID_TRANSFER_ENCODING },
		{ "connection", HEAD_ID_CONNECTION },
		{ "Upgrade", HEAD_ID_UPGRADE },
		{ "Expect", HEAD_ID_EXPECT },
		{ "Forwarded", HEAD_ID_FORWARDED },
		{ "X-Real-IP", HEAD_ID_X_REAL_IP },
		{ "X-Forwarded-For", HEAD_ID_X_FORWARDED_FOR },
		{ "X-Forwarded-Proto", HEAD_ID_X_FORWARDED_PROTO },
		{ "X-Forwarded-Host", HEAD_ID_X_FORWARDED_HOST },
		{ "X-Forwarded-Ssl", HEAD_ID_X_FORWARDED_OTHER },
		{ "X-Forwarded_For", HEAD_ID_FORWARDED_TWIN },
		{ "X_Forwarded-Groups-Of-Users", HEAD_ID_FORWARDED_TWIN },
		{ "Authorization", HEAD_ID_AUTHORIZATION },
		{ "Proxy-Authorization", HEAD_ID_PROXY_AUTHORIZATION },
		{ "X-Ptp-Token", HEAD_ID_X_PTP_TOKEN },
		{ "Accept", HEAD_ID_ACCEPT },
		{ "Keep-Alive", HEAD_ID_KEEP_ALIVE },
		{ "TE", HEAD_ID_TE },
		{ "Trailer", HEAD_ID_TRAILER },
		{ "Proxy_Authorization", HEAD_ID_OTHER },
		{ "Hose", HEAD_ID_OTHER },
		{ "X-Forwarded", HEAD_ID_OTHER },
	};
	char s[128];
	struct head h;

	for (int i = 0; i < N(names); i++) {
		const char *value = names[i].id == HEAD_ID_HOST ? "a" : "1";

		if (names[i].id == HEAD_ID_TRANSFER_ENCODING)
			value = "chunked";
		snprintf(s, sizeof(s), "GET / HTTP/1.1\r\n%s: %s\r\n%s\r\n",
		    names[i].name, value, names[i].id == HEAD_ID_HOST ? "" : H);
		ck_assert_msg(head_parse_request(&h, s, strlen(s), MAX) > 0,
		    "%s", names[i].name);
		ck_assert_msg(h.field[0].id == names[i].id, "%s: %d",
		    names[i].name, h.field[0].id);
	}
}
END_TEST

START_TEST(bounds_size_and_fields)
{
	static char s[MAX + 64];
	struct head h;
	size_t n;

	/* Exactly max is taken; one more byte is not, complete or not. */
	n = (size_t)sprintf(s, "GET / HTTP/1.1\r\n" H "A: ");
	memset(s + n, 'x', MAX - 4 - n);
	memcpy(s + MAX - 4, "\r\n\r\n", 4);
	ck_assert_int_eq(head_parse_request(&h, s, MAX, MAX), MAX);
	ck_assert_int_eq(head_parse_request(&h, s, MAX, MAX - 1), -431);
	ck_assert_int_eq(head_parse_request(&h, s, MAX - 1, MAX), 0);
	ck_assert_int_eq(head_parse_request(&h, s, MAX - 1, MAX - 1), -431);
	ck_assert_int_eq(
	    head_parse_response(&h, "HTTP/1.1 200 OK\r\n", 17, 17, 0), -502);

	n = (size_t)sprintf(s, "GET / HTTP/1.1\r\n" H);
	for (int i = 1; i < HEAD_FIELDS; i++)
		n += (size_t)sprintf(s + n, "A:\r\n");
	memcpy(s + n, "\r\n", 2);
	ck_assert_int_eq(head_parse_request(&h, s, n + 2, MAX), (int)n + 2);
	memcpy(s + n, "A:\r\n\r\n", 6);
	ck_assert_int_eq(head_parse_request(&h, s, n + 6, MAX), -431);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("head");
	TCase *t = tcase_create("parse");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, takes_or_refuses_requests, 0, N(requests));
	tcase_add_loop_test(t, takes_or_refuses_responses, 0, N(responses));
	tcase_add_loop_test(t, tells_framing_of_requests, 0, N(meanings));
	tcase_add_loop_test(t, tells_framing_of_responses, 0, N(bodies));
	tcase_add_loop_test(t, tells_target_and_host, 0, N(targets));
	tcase_add_test(t, finds_fields_that_are_unique);
	tcase_add_test(t, knows_every_name);
	tcase_add_test(t, bounds_size_and_fields);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
