/* The relay: gates at every request, and CONNECT. */
#include "t/unit/relay_case.h"

#define TOKEN "s3cret"
#define WITH_TOKEN \
	"GET /in HTTP/1.1\r\nHost: a.test\r\nAuthorization: " TOKEN "\r\n\r\n"
#define CONNECT "CONNECT a.test:22 HTTP/1.1\r\nHost: a.test:22\r\n\r\n"
#define ESTABLISHED "HTTP/1.1 200 Connection Established\r\n\r\n"

/* Services of other gates than before, of the same numbers. */
static void
offer(struct service like)
{
	if (like.flags & SERVICE_PRIVATE)
		like.has_token = true;
	lab_offer(session_find(&lab->r, GEN), &like);
	/* The hash is of one number: that of the visitors. */
	if (like.has_token) {
		struct session *s = session_find(&lab->r, GEN);

		for (size_t i = 0; i < s->services.count; i++)
			gate_hash(s->services.list[i].token, "id",
			    s->services.list[i].index, TOKEN, strlen(TOKEN));
	}
}

static void
offer_private(void)
{
	offer(
	    (struct service){ .kind = SERVICE_HTTP, .flags = SERVICE_PRIVATE });
}

static bool
begins(const struct visitor *v, const char *s)
{
	return v->in.n >= strlen(s) && memcmp(v->in.p, s, strlen(s)) == 0;
}

/* Nothing is opened for a request that is not let in; the next one may be. */
START_TEST(request_by_request)
{
	struct visitor *v = visit();

	offer_private();
	visitor_say(v, GET);
	UNTIL(bytes_have(&v->in, "</html>") || v->eof);
	ck_assert(begins(v, "HTTP/1.1 401 "));
	ck_assert(!v->eof);
	ck_assert_uint_eq(client->n, 0);
	bytes_clear(&v->in);
	visitor_say(v, WITH_TOKEN);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	ck_assert(!bytes_have(&svc(0)->in, TOKEN));
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&v->in, "ok"));
	/* The stream is there now, and still no way in. */
	bytes_clear(&v->in);
	bytes_clear(&svc(0)->in);
	visitor_say(v, GET);
	UNTIL(bytes_have(&v->in, "</html>"));
	ck_assert(begins(v, "HTTP/1.1 401 "));
	ck_assert_uint_eq(svc(0)->in.n, 0);
	visitor_close(v, false);
	UNTIL(lab_closed(lab, v->conn) == END_CLEAN);
}
END_TEST

/* One who may not be there any more: what is under way has its answer. */
START_TEST(barred)
{
	struct visitor *v = visit();

	visitor_say(v, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	bytes_clear(&svc(0)->in);
	lab_down(lab, MSG_BAR, v->conn, "\1", 1, -1);
	settle();
	visitor_say(v, GET);
	settle();
	ck_assert_uint_eq(v->in.n, 0);
	svc_say(svc(0), OK2);
	UNTIL(v->eof);
	ck_assert(begins(v, OK2 "HTTP/1.1 403 "));
	ck_assert_uint_eq(svc(0)->in.n, 0);
	visitor_close(v, false);
	UNTIL(lab_closed(lab, v->conn) == END_CLEAN);
}
END_TEST

/* And who may again before he has asked. */
START_TEST(barred_no_more)
{
	struct visitor *v = visit();

	lab_down(lab, MSG_BAR, v->conn, "\1", 1, -1);
	settle();
	lab_down(lab, MSG_BAR, v->conn, "\0", 1, -1);
	settle();
	visitor_say(v, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&v->in, "ok"));
	visitor_close(v, false);
	UNTIL(lab_closed(lab, v->conn) == END_CLEAN);
}
END_TEST

/* Its refusal waits for the answers before it. */
START_TEST(pipelined)
{
	struct visitor *v = visit();

	offer_private();
	visitor_say(v, WITH_TOKEN GET WITH_TOKEN);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	settle();
	ck_assert_uint_eq(v->in.n, 0);
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&v->in, "401 "));
	ck_assert(begins(v, OK2 "HTTP/1.1 401 "));
	bytes_clear(&v->in);
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&v->in, OK2));
}
END_TEST

/* With a body, or an upgrade, nothing behind it is ever a request. */
START_TEST(ends_with_its_body)
{
	static const char *const asked[] = {
		"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: "
		"3\r\n\r\nabc",
		"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked"
		"\r\n\r\n0\r\n\r\n",
		UPGRADE,
		"GET / HTTP/1.0\r\nHost: a.test\r\n\r\n",
		CONNECT,
	};
	struct visitor *v = visit();

	offer_private();
	visitor_say(v, asked[_i]);
	visitor_say(v, WITH_TOKEN);
	UNTIL(v->eof);
	ck_assert(begins(v, _i == 4 ? "HTTP/1.1 407 " : "HTTP/1.1 401 "));
	ck_assert(!bytes_have(&v->in, "502"));
	ck_assert_uint_eq(client->n, 0);
}
END_TEST

/* A list without it: it is asked for anew, once, and never let through. */
START_TEST(given_up)
{
	struct services none = { .serial = 2 };
	struct visitor *v = visit();
	uint8_t space[64];
	struct buf b;

	visitor_say(v, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&v->in, "ok"));
	buf_write(&b, space, sizeof(space));
	ck_assert_int_eq(services_put(&b, &none), 0);
	ck_assert_int_eq(
	    session_offer(session_find(&lab->r, GEN), space, buf_used(&b)), 0);
	bytes_clear(&v->in);
	visitor_say(v, GET);
	UNTIL(lab_told(lab, MSG_ASK, v->conn) != NULL);
	if (_i == 0) {
		say_no(v->conn, 404);
	} else {
		/* It insists. */
		say_same(v->conn, GEN, 7);
	}
	UNTIL(v->eof);
	ck_assert(begins(v, _i == 0 ? "HTTP/1.1 404 " : "HTTP/1.1 503 "));
	ck_assert_uint_eq(lab_count(lab, MSG_ASK), 1);
	ck_assert_uint_eq(client->n, 1);
}
END_TEST

/* A malformed list changes nothing. */
START_TEST(bad_offer)
{
	struct session *s = session_find(&lab->r, GEN);
	uint8_t junk[6] = { 0, 0, 0, 1, 0, 1 };

	ck_assert_int_eq(session_offer(s, junk, sizeof(junk)), -1);
	ck_assert_uint_eq(s->services.count, SERVICES_MAX);
	ck_assert_ptr_nonnull(session_service(s, 7));
	ck_assert_ptr_null(session_service(s, SERVICES_MAX));
}
END_TEST

START_TEST(connected)
{
	struct visitor *v = visit();

	client->mute = true;
	visitor_say(v, CONNECT "first");
	UNTIL(client->n == 1);
	ck_assert_int_eq(svc(0)->open.scheme, SCHEME_CONNECT);
	settle();
	/* Not a byte either way before its client has said OPENED. */
	ck_assert_uint_eq(v->in.n, 0);
	ck_assert_uint_eq(svc(0)->in.n, 0);
	stream_opened(svc(0)->s);
	UNTIL(bytes_have(&svc(0)->in, "first"));
	ck_assert_uint_eq(svc(0)->in.n, 5);
	svc_say(svc(0), "HTTP/1.1 500 is not ours\r\n");
	UNTIL(bytes_have(&v->in, "ours\r\n"));
	ck_assert_str_eq(
	    (char *)v->in.p, ESTABLISHED "HTTP/1.1 500 is not ours\r\n");
	visitor_say(v, GET);
	visitor_shut(v);
	UNTIL(svc(0)->fin);
	ck_assert_str_eq((char *)svc(0)->in.p, "first" GET);
	svc_fin(svc(0));
	UNTIL(lab_closed(lab, v->conn) == END_CLEAN);
	ck_assert_int_eq(svc(0)->reset, 0);
	ck_assert_uint_eq(lab->r.counters->all[COUNTER_REQUESTS], 1);
}
END_TEST

/* The service's end first, and its last words before that. */
START_TEST(half_closed_by_service)
{
	struct visitor *v = visit();

	visitor_say(v, CONNECT);
	UNTIL(client->n == 1 && begins(v, ESTABLISHED));
	svc_say(svc(0), "bye");
	svc_fin(svc(0));
	UNTIL(v->eof);
	ck_assert_str_eq((char *)v->in.p, ESTABLISHED "bye");
	visitor_say(v, "but");
	visitor_shut(v);
	UNTIL(svc(0)->fin);
	ck_assert_str_eq((char *)svc(0)->in.p, "but");
	UNTIL(lab_closed(lab, v->conn) == END_CLEAN);
}
END_TEST

START_TEST(not_connected)
{
	static const struct {
		enum reset reason;
		const char *answer;
	} cases[] = {
		{ RESET_REFUSED, "HTTP/1.1 502 " },
		{ RESET_UNREACHABLE, "HTTP/1.1 502 " },
		{ RESET_TIMEOUT, "HTTP/1.1 504 " },
		{ RESET_LIMIT, "HTTP/1.1 503 " },
		{ RESET_GONE, "HTTP/1.1 502 " },
	};
	struct visitor *v = visit();

	client->mute = true;
	visitor_say(v, CONNECT GET);
	UNTIL(client->n == 1);
	svc_reset(svc(0), cases[_i].reason);
	UNTIL(v->eof);
	ck_assert(begins(v, cases[_i].answer));
	ck_assert_uint_eq(client->n, 1);
}
END_TEST

/* It gets a stream of its own, after the answers before it. */
START_TEST(behind_requests)
{
	struct visitor *v = visit();

	visitor_say(v, GET GET CONNECT "first");
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_say(svc(0), OK2);
	settle();
	ck_assert_uint_eq(client->n, 1);
	svc_say(svc(0), OK2);
	UNTIL(client->n == 2 && bytes_have(&svc(1)->in, "first"));
	UNTIL(bytes_have(&v->in, ESTABLISHED));
	ck_assert_str_eq((char *)v->in.p, OK2 OK2 ESTABLISHED);
	ck_assert_int_eq(svc(1)->open.scheme, SCHEME_CONNECT);
	UNTIL(svc(0)->fin);
	/* A drain does not touch it. */
	lab_down(lab, MSG_DRAIN, 0, NULL, 0, -1);
	lab_wait(lab, 1500);
	svc_say(svc(1), "more");
	UNTIL(bytes_have(&v->in, "more"));
	ck_assert(!bytes_have(&v->in, "lose"));
}
END_TEST

/* Of another relay: the head goes on as it is, and so does the answer. */
START_TEST(elsewhere)
{
	struct visitor *v = visit();
	struct client *other;
	uint32_t inner;

	other = client_new(lab, OTHER_GEN, RECORD_NONE, 0);
	if (_i == 1)
		other->mute = true;
	visitor_say(
	    v, "CONNECT b.test:22 HTTP/1.0\r\nX-Ptp-Token: t\r\n\r\nfirst");
	UNTIL(lab_told(lab, MSG_ASK, v->conn) != NULL);
	inner = say_fd(v->conn, OTHER_GEN);
	UNTIL(other->n == 1);
	if (_i == 1) {
		svc_reset(other->svc[0], RESET_REFUSED);
		UNTIL(v->eof);
		ck_assert(begins(v, "HTTP/1.1 502 "));
		UNTIL(lab_closed(lab, inner) != -1);
		return;
	}
	UNTIL(bytes_have(&other->svc[0]->in, "first"));
	ck_assert_uint_eq(other->svc[0]->in.n, 5);
	svc_say(other->svc[0], "hello");
	UNTIL(bytes_have(&v->in, "hello"));
	ck_assert_str_eq((char *)v->in.p, ESTABLISHED "hello");
	if (_i == 2) { /* a reset is passed on as such */
		visitor_close(v, true);
		UNTIL(other->svc[0]->reset != 0);
		return;
	}
	visitor_shut(v);
	UNTIL(other->svc[0]->fin);
	svc_fin(other->svc[0]);
	UNTIL(v->eof);
	UNTIL(lab_closed(lab, inner) == END_CLEAN);
}
END_TEST

/* Opaque bytes would get past these. */
START_TEST(gated_connect)
{
	struct service like = { .kind = SERVICE_HTTP };
	struct visitor *v = visit();

	if (_i == 0)
		like.has_basic = true;
	else
		like.flags = SERVICE_EDITS;
	offer(like);
	visitor_say(v, CONNECT);
	UNTIL(v->eof);
	ck_assert(begins(v, "HTTP/1.1 403 "));
	ck_assert_uint_eq(client->n, 0);
}
END_TEST

/* Users of ports bring no token: reset. */
START_TEST(gated_port)
{
	struct addr_block deny;
	struct service like = { .kind = SERVICE_TCP };
	struct visitor *v;

	ck_assert_int_eq(addr_block_parse(&deny, "192.0.2.0/24"), 0);
	if (_i == 0) {
		like.flags = SERVICE_PRIVATE;
	} else if (_i == 1) {
		like.has_basic = true;
	} else {
		like.ndeny = 1;
		like.deny = &deny;
	}
	offer(like);
	lab->scheme = SCHEME_TCP;
	v = visitor_new(lab, GEN, "");
	UNTIL(v->reset);
	ck_assert_uint_eq(v->in.n, 0);
	ck_assert_uint_eq(client->n, 0);
	UNTIL(lab_closed(lab, v->conn) == END_REFUSED);
}
END_TEST

static void
add(TCase *t)
{
	tcase_add_test(t, request_by_request);
	tcase_add_test(t, barred);
	tcase_add_test(t, barred_no_more);
	tcase_add_test(t, pipelined);
	tcase_add_loop_test(t, ends_with_its_body, 0, 5);
	tcase_add_loop_test(t, given_up, 0, 2);
	tcase_add_test(t, bad_offer);
	tcase_add_test(t, connected);
	tcase_add_test(t, half_closed_by_service);
	tcase_add_loop_test(t, not_connected, 0, 5);
	tcase_add_test(t, behind_requests);
	tcase_add_loop_test(t, elsewhere, 0, 3);
	tcase_add_loop_test(t, gated_connect, 0, 2);
	tcase_add_loop_test(t, gated_port, 0, 3);
}

int
main(void)
{
	return run_case("relay: gates", add);
}
