/* The relay: requests and answers, as users and services see them. */
#include "t/unit/relay_case.h"

START_TEST(one_request)
{
	static const enum record_cipher ciphers[] = { RECORD_NONE,
		RECORD_CHACHA20_POLY1305, RECORD_AES256_GCM };
	struct visitor *v;

	client_kill(client);
	settle();
	client = client_new(lab, OTHER_GEN, ciphers[_i], 0);
	v = visitor_new(lab, OTHER_GEN, "a.test");
	visitor_say(v, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	ck_assert_uint_eq(svc(0)->open.service, 7);
	ck_assert_str_eq((char *)svc(0)->in.p,
	    "GET / HTTP/1.1\r\nHost: a.test\r\n"
	    "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
	    "X-Forwarded-Host: a.test\r\n\r\n");
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&v->in, "\r\n\r\nok"));
	ck_assert_str_eq((char *)v->in.p, OK2);
	/* Again on the same connection and stream. */
	bytes_clear(&v->in);
	bytes_clear(&svc(0)->in);
	visitor_say(v, GET);
	UNTIL(bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&v->in, "\r\n\r\nok"));
	/* The user goes; its service sees a clean end. */
	visitor_close(v, false);
	UNTIL(svc(0)->fin);
	svc_fin(svc(0));
	UNTIL(lab_closed(lab, v->conn) != -1);
	ck_assert_int_eq(lab_closed(lab, v->conn), END_CLEAN);
	ck_assert_int_eq(svc(0)->reset, 0);
	ck_assert_uint_eq(client->n, 1);
	ck_assert_uint_eq(lab->r.counters->all[COUNTER_REQUESTS], 2);
	ck_assert_uint_eq(lab->r.counters->all[COUNTER_CLOSED], 1);
}
END_TEST

START_TEST(byte_by_byte)
{
	const char *ask = "POST /x HTTP/1.1\r\nHost: a.test\r\n"
			  "Transfer-Encoding: chunked\r\n\r\n"
			  "3\r\nabc\r\n0\r\n\r\n" GET;
	const char *answer = "HTTP/1.1 100 Continue\r\n\r\n"
			     "HTTP/1.1 200 OK\r\n"
			     "Transfer-Encoding: chunked\r\n\r\n"
			     "2\r\nok\r\n0\r\n\r\n" OK2;
	struct visitor *v = visit();

	for (size_t i = 0; ask[i] != '\0'; i++) {
		visitor_say(v, (char[]){ ask[i], '\0' });
		settle();
	}
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "GET / "));
	ck_assert(bytes_have(&svc(0)->in, "3\r\nabc\r\n0\r\n\r\nGET / "));
	for (size_t i = 0; answer[i] != '\0'; i++) {
		svc_say(svc(0), (char[]){ answer[i], '\0' });
		settle();
	}
	UNTIL(v->in.n == strlen(answer));
	ck_assert_str_eq((char *)v->in.p, answer);
}
END_TEST

START_TEST(big_upload)
{
	struct bytes body = { 0 };
	struct visitor *v = visit();
	size_t head;
	char line[128];

	client->stingy = _i == 1;
	fill(&body, BIG);
	snprintf(line, sizeof(line),
	    "PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: %u\r\n\r\n",
	    BIG);
	bytes_add(&v->out, line, strlen(line));
	bytes_add(&v->out, body.p, body.n);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	head = (size_t)((uint8_t *)memmem(
			    svc(0)->in.p, svc(0)->in.n, "\r\n\r\n", 4) -
		   svc(0)->in.p) +
	    4;
	while (svc(0)->in.n < head + BIG) {
		lab_turn(lab);
		/* A slow service holds the user back, not us. */
		if (client->stingy) {
			ck_assert_uint_le(svc(0)->owed, TUNNEL_WINDOW_MAX);
			svc_take(svc(0), 30000);
		}
	}
	ck_assert_uint_eq(svc(0)->in.n, head + BIG);
	ck_assert_mem_eq(svc(0)->in.p + head, body.p, BIG);
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&v->in, "ok"));
	free(body.p);
}
END_TEST

/* The user has said all and half-closes long before its service has it. */
START_TEST(upload_and_shut)
{
	struct bytes body = { 0 };
	struct visitor *v = visit();
	bool chunked = _i >= 2;
	char line[128];

	client->stingy = _i % 2 == 1;
	fill(&body, BIG);
	snprintf(line, sizeof(line),
	    chunked ? "PUT / HTTP/1.1\r\nHost: a.test\r\n"
		      "Transfer-Encoding: chunked\r\n\r\n%x\r\n"
		    : "PUT / HTTP/1.1\r\nHost: a.test\r\n"
		      "Content-Length: %u\r\n\r\n",
	    BIG);
	bytes_add(&v->out, line, strlen(line));
	bytes_add(&v->out, body.p, body.n);
	if (chunked)
		bytes_add(&v->out, "\r\n0\r\n\r\n", 7);
	UNTIL(v->out_at == v->out.n ||
	    (client->n == 1 && (svc_take(svc(0), 30000), false)));
	visitor_shut(v);
	UNTIL(client->n == 1 && (svc_take(svc(0), 30000), svc(0)->fin));
	ck_assert_uint_gt(svc(0)->in.n, BIG);
	ck_assert_mem_eq(
	    svc(0)->in.p + svc(0)->in.n - BIG - (chunked ? 7 : 0), body.p, BIG);
	svc_say(svc(0), OK2);
	UNTIL(v->eof);
	ck_assert_str_eq((char *)v->in.p, OK2);
	UNTIL(lab_closed(lab, v->conn) == END_CLEAN);
	free(body.p);
}
END_TEST

START_TEST(big_download)
{
	static const char *const heads[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 6291456\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.0 200 OK\r\nContent-Length: 6291456\r\n\r\n"
	};
	const char *head = heads[_i % 3];
	struct bytes body = { 0 };
	struct visitor *v = visit();

	fill(&body, BIG);
	visitor_say(v, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	v->lazy = _i >= 3;
	bytes_add(&svc(0)->out, head, strlen(head));
	bytes_add(&svc(0)->out, body.p, body.n);
	svc_fin(svc(0));
	for (int i = 0; i < 20; i++) {
		lab_turn(lab);
		/* A user that does not read costs us a window at most. */
		ck_assert_ptr_nonnull(user_of(v));
		ck_assert_uint_le(
		    outq_left(&user_of(v)->out), TUNNEL_WINDOW_MAX);
		if (v->eof)
			break;
	}
	v->lazy = false;
	UNTIL(v->eof);
	ck_assert(!v->reset);
	ck_assert_uint_eq(v->in.n, strlen(head) + BIG);
	ck_assert_mem_eq(v->in.p + strlen(head), body.p, BIG);
	visitor_close(v, false);
	UNTIL(lab_closed(lab, v->conn) == END_CLEAN);
	free(body.p);
}
END_TEST

/* Heads longer than a window must not wait for credit that never comes. */
START_TEST(long_heads)
{
	static const size_t sizes[] = { 15000, 17000, 33000, 60000 };
	struct bytes long_head = { 0 };
	struct visitor *v = visit();

	for (int round = 0; round < 4; round++) {
		size_t before;

		long_head.n = 0;
		bytes_add(&long_head, "X-Long: ", 8);
		while (long_head.n < sizes[_i])
			bytes_add(&long_head, "0123456789", 10);
		bytes_add(&long_head, "\r\n\r\n", 4);
		before = client->n == 0 ? 0 : svc(0)->in.n;
		visitor_say(v, "GET / HTTP/1.1\r\nHost: a.test\r\n");
		bytes_add(&v->out, long_head.p, long_head.n);
		UNTIL(client->n == 1 && svc(0)->in.n > before + long_head.n &&
		    memcmp(svc(0)->in.p + svc(0)->in.n - 4, "\r\n\r\n", 4) ==
			0);
		bytes_clear(&v->in);
		bytes_add(&svc(0)->out,
		    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", 36);
		bytes_add(&svc(0)->out, long_head.p, long_head.n);
		svc_say(svc(0), "ok");
		UNTIL(v->in.n == 36 + long_head.n + 2);
	}
	free(long_head.p);
}
END_TEST

START_TEST(no_body)
{
	struct visitor *v = visit();

	visitor_say(v, "HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n" GET GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "HEAD"));
	svc_say(svc(0), "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
	svc_say(svc(0), "HTTP/1.1 304 Not Modified\r\n\r\n");
	svc_say(svc(0), "HTTP/1.1 103 Early Hints\r\n\r\n" OK2);
	UNTIL(bytes_have(&v->in, "\r\n\r\nok"));
	ck_assert(!v->eof);
	ck_assert_uint_eq(client->n, 1);
}
END_TEST

/* What the user is told when its service does not answer. */
START_TEST(refused)
{
	static const struct {
		enum reset reason;
		const char *status;
	} cases[] = { { RESET_REFUSED, "HTTP/1.1 502 " },
		{ RESET_UNREACHABLE, "HTTP/1.1 502 " },
		{ RESET_TIMEOUT, "HTTP/1.1 504 " },
		{ RESET_LIMIT, "HTTP/1.1 503 " },
		{ RESET_ABORT, "HTTP/1.1 502 " }, { 200, "HTTP/1.1 502 " } };
	struct visitor *v = visit();

	visitor_say(v, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_reset(svc(0), cases[_i].reason);
	UNTIL(v->eof);
	ck_assert_int_eq(strncmp((char *)v->in.p, cases[_i].status, 13), 0);
	visitor_close(v, false);
	UNTIL(lab_closed(lab, v->conn) != -1);
}
END_TEST

START_TEST(cut_answer)
{
	struct visitor *v = visit();

	visitor_say(v, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	switch (_i) {
	case 0: /* not even begun */
		svc_fin(svc(0));
		UNTIL(v->eof);
		ck_assert(bytes_have(&v->in, "HTTP/1.1 502 "));
		return;
	case 1: /* half a head */
		svc_say(svc(0), "HTTP/1.1 200 OK\r\nContent-");
		svc_fin(svc(0));
		UNTIL(v->eof);
		ck_assert(bytes_have(&v->in, "HTTP/1.1 502 "));
		return;
	case 2:
		svc_say(
		    svc(0), "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n12");
		UNTIL(bytes_have(&v->in, "\r\n\r\n12"));
		svc_fin(svc(0));
		break;
	case 3:
		svc_say(svc(0), "HTTP/1.1 200 OK\r\n\r\n12");
		UNTIL(bytes_have(&v->in, "\r\n\r\n12"));
		svc_reset(svc(0), RESET_ABORT);
		break;
	default:
		svc_say(svc(0),
		    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
		    "\r\n\r\n5\r\nab");
		UNTIL(bytes_have(&v->in, "\r\n5\r\nab"));
		client_kill(client);
	}
	UNTIL(v->reset || v->eof);
	ck_assert(v->reset);
	UNTIL(lab_closed(lab, v->conn) != -1);
}
END_TEST

START_TEST(bad_answer)
{
	static const char *const bad[] = { "garbage\r\n\r\n",
		"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
		"Content-Length: 3\r\n\r\nok",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
		"Connection: upgrade\r\n\r\n" };
	struct visitor *v = visit();

	visitor_say(v, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_say(svc(0), bad[_i]);
	UNTIL(v->eof);
	ck_assert_int_eq(strncmp((char *)v->in.p, "HTTP/1.1 502 ", 13), 0);
	UNTIL(svc(0)->reset != 0 || svc(0)->fin);
}
END_TEST

/* More than was asked for is nobody's answer. */
START_TEST(unasked_answer)
{
	struct visitor *v = visit();

	visitor_say(v, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_say(svc(0), OK2 OK2);
	UNTIL(v->eof);
	ck_assert_str_eq((char *)v->in.p, OK2);
	UNTIL(svc(0)->reset != 0);
}
END_TEST

START_TEST(bad_request)
{
	static const struct {
		const char *ask, *answer;
		bool reset;
	} cases[] = {
		{ "GET / HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n",
		    "HTTP/1.1 400 ", false },
		{ "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ", false },
		{ "CONNECT a.test:80 HTTP/1.1\r\nHost: b.test:80\r\n\r\n",
		    "HTTP/1.1 400 ", false },
		/* In the middle of a body that its service waits for. */
		{ "POST / HTTP/1.1\r\nHost: a.test\r\n"
		  "Transfer-Encoding: chunked\r\n\r\nXYZ",
		    "HTTP/1.1 400 ", true },
		{ "HEAD / HTTP/1.1\r\nHost: \x01\r\n\r\n", "HTTP/1.1 400 ",
		    false },
	};
	struct visitor *v = visit();

	visitor_say(v, cases[_i].ask);
	UNTIL(v->eof);
	ck_assert_int_eq(strncmp((char *)v->in.p, cases[_i].answer, 13), 0);
	visitor_close(v, false);
	UNTIL(lab_closed(lab, v->conn) != -1);
	if (cases[_i].reset)
		UNTIL(client->n == 1 && svc(0)->reset != 0);
}
END_TEST

/* A refusal waits for the answers before it. */
START_TEST(bad_pipelined)
{
	struct visitor *v = visit();

	visitor_say(v, GET "nonsense\r\n\r\n");
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	settle();
	ck_assert_uint_eq(v->in.n, 0);
	svc_say(svc(0), OK2);
	UNTIL(v->eof);
	ck_assert_int_eq(strncmp((char *)v->in.p, OK2, strlen(OK2)), 0);
	ck_assert(bytes_have(&v->in, "okHTTP/1.1 400 "));
}
END_TEST

START_TEST(pipeline)
{
	struct visitor *v = visit();
	size_t answered = 0, want = 50;

	for (size_t i = 0; i < want; i++)
		visitor_say(v, GET);
	UNTIL(client->n == 1);
	while (answered < want) {
		size_t asked = 0;
		uint8_t *p = svc(0)->in.p, *end = p + svc(0)->in.n;

		lab_turn(lab);
		p = svc(0)->in.p;
		end = p + svc(0)->in.n;
		while ((p = memmem(p, (size_t)(end - p), "GET /", 5)) != NULL) {
			p++;
			asked++;
		}
		ck_assert_uint_le(asked, answered + USER_PIPELINE);
		for (; answered < asked; answered++)
			svc_say(svc(0), OK2);
	}
	UNTIL(v->in.n == want * strlen(OK2));
}
END_TEST

START_TEST(connection_close)
{
	struct visitor *v = visit();

	visitor_say(v,
	    "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n" GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_say(svc(0), OK2);
	UNTIL(v->eof);
	ck_assert_str_eq((char *)v->in.p, OK2);
	/* The one behind it was never sent on. */
	UNTIL(svc(0)->fin);
	ck_assert(
	    memmem(svc(0)->in.p + 10, svc(0)->in.n - 10, "GET", 3) == NULL);
	/* Who has sent more may go on: a reset must not overtake the answer. */
	settle();
	ck_assert_int_eq(lab_closed(lab, v->conn), -1);
	visitor_close(v, false);
	UNTIL(lab_closed(lab, v->conn) == END_CLEAN);
}
END_TEST

/* Who asks to close, and sends no more, is not waited for. */
START_TEST(closed_at_once)
{
	struct visitor *v = visit();

	visitor_say(
	    v, "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_say(svc(0), OK2);
	UNTIL(v->eof);
	ck_assert_str_eq((char *)v->in.p, OK2);
	UNTIL(lab_closed(lab, v->conn) == END_CLEAN);
}
END_TEST

START_TEST(user_goes)
{
	struct visitor *v = visit();

	visitor_say(v,
	    "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 9\r\n\r\n12");
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n12"));
	if (_i == 2) { /* the answer is there, the body is not */
		svc_say(svc(0), OK2);
		UNTIL(bytes_have(&v->in, "ok"));
	}
	visitor_close(v, _i == 1);
	UNTIL(svc(0)->reset == RESET_ABORT);
	UNTIL(lab_closed(lab, v->conn) != -1);
	ck_assert(!svc(0)->fin);
}
END_TEST

/* Half-close: the answer still comes. */
START_TEST(half_close)
{
	struct visitor *v = visit();

	visitor_say(v, GET);
	visitor_shut(v);
	UNTIL(client->n == 1 && svc(0)->fin);
	ck_assert(bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_say(svc(0), OK2);
	UNTIL(v->eof);
	ck_assert_str_eq((char *)v->in.p, OK2);
	UNTIL(lab_closed(lab, v->conn) == END_CLEAN);
}
END_TEST

/* Half a head behind whole requests costs these nothing. */
START_TEST(half_head)
{
	struct visitor *v = visit();

	visitor_say(v, GET "GET / HT");
	visitor_shut(v);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	settle();
	svc_say(svc(0), OK2);
	UNTIL(v->eof);
	ck_assert_str_eq((char *)v->in.p, OK2);
}
END_TEST

START_TEST(idle_service_closes)
{
	struct visitor *v = visit();

	visitor_say(v, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_say(svc(0), OK2);
	svc_fin(svc(0));
	UNTIL(v->eof);
	ck_assert_str_eq((char *)v->in.p, OK2);
	UNTIL(svc(0)->fin);
	visitor_close(v, false);
	UNTIL(lab_closed(lab, v->conn) == END_CLEAN);
}
END_TEST

/* A service that answers early: what is left of the body is no request. */
START_TEST(early_answer)
{
	struct visitor *v = visit();

	visitor_say(v,
	    _i == 0
		? "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: "
		  "41\r\n\r\n"
		: "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 40\r\n"
		  "Connection: Upgrade\r\nUpgrade: x\r\n\r\n");
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&v->in, "ok"));
	bytes_clear(&svc(0)->in);
	visitor_say(v, "GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n");
	UNTIL(svc(0)->in.n >= 40);
	settle();
	ck_assert_str_eq((char *)svc(0)->in.p,
	    "GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n");
	ck_assert(!bytes_have(&svc(0)->in, "X-Forwarded"));
	visitor_say(v, GET);
	UNTIL(bytes_have(&svc(0)->in, "X-Forwarded-For"));
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&v->in, "okHTTP/1.1 200 OK"));
}
END_TEST

START_TEST(opaque)
{
	struct visitor *v = upgraded();

	visitor_say(v, GET "\x00\xff");
	UNTIL(bytes_have(&svc(0)->in, GET));
	switch (_i) {
	case 0: /* the user ends first */
		visitor_shut(v);
		UNTIL(svc(0)->fin);
		svc_say(svc(0), "late");
		UNTIL(bytes_have(&v->in, "late"));
		svc_fin(svc(0));
		UNTIL(v->eof);
		break;
	case 1: /* the service does */
		svc_fin(svc(0));
		UNTIL(v->eof);
		visitor_say(v, "late");
		UNTIL(bytes_have(&svc(0)->in, "late"));
		visitor_shut(v);
		UNTIL(svc(0)->fin);
		break;
	case 2:
		visitor_close(v, true);
		UNTIL(svc(0)->reset == RESET_ABORT);
		UNTIL(lab_closed(lab, v->conn) == END_RESET);
		return;
	default:
		svc_reset(svc(0), RESET_ABORT);
		UNTIL(v->reset);
		return;
	}
	UNTIL(lab_closed(lab, v->conn) == END_CLEAN);
	ck_assert_int_eq(svc(0)->reset, 0);
}
END_TEST

START_TEST(upgrade_refused)
{
	struct visitor *v = visit();

	visitor_say(v, UPGRADE GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	settle();
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&svc(0)->in, "GET / "));
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&v->in, "okHTTP/1.1 200 OK"));
}
END_TEST

static void
deadlines(uint32_t head, uint32_t idle)
{
	struct msg_relay_conf conf = lab->r.conf;

	conf.head_ms = head;
	conf.idle_ms = idle;
	lab_conf(lab, &conf);
	settle();
}

START_TEST(slow_head)
{
	struct visitor *v;

	deadlines(300, 0);
	v = visit();
	visitor_say(v, "GET / HTTP/1.1\r\nHos");
	UNTIL(v->eof);
	ck_assert(bytes_have(&v->in, "HTTP/1.1 408 "));
	/* While an answer is due it is not yet its turn. */
	v = visit();
	visitor_say(v, GET "GET /");
	UNTIL(client->n == 1);
	lab_wait(lab, 600);
	ck_assert_uint_eq(v->in.n, 0);
	svc_say(svc(0), OK2);
	UNTIL(v->eof);
	ck_assert(bytes_have(&v->in, "okHTTP/1.1 408 "));
}
END_TEST

START_TEST(idle_time)
{
	struct visitor *v, *w;

	deadlines(10000, 400);
	v = visit(); /* nothing, ever */
	UNTIL(v->eof || v->reset);
	v = visit(); /* no answer */
	visitor_say(v, GET);
	UNTIL(v->eof);
	ck_assert(bytes_have(&v->in, "HTTP/1.1 504 "));
	/* An answer that trickles keeps it alive, on a busy machine too. */
	deadlines(10000, 3000);
	w = visit();
	visitor_say(w, GET);
	UNTIL(client->n == 2 && bytes_have(&svc(1)->in, "\r\n\r\n"));
	svc_say(svc(1), "HTTP/1.1 200 OK\r\n\r\n");
	for (int i = 0; i < 35; i++) {
		lab_wait(lab, 100);
		svc_say(svc(1), "x");
	}
	ck_assert(!w->reset && !w->eof);
	deadlines(10000, 400);
	svc_say(svc(1), "x");
	UNTIL(w->reset);
}
END_TEST

/* A question that takes long is no slow head. */
START_TEST(slow_master)
{
	struct visitor *v;

	deadlines(3000, 0);
	v = visit();
	visitor_say(v, "GET /b HTTP/1.1\r\n");
	settle();
	visitor_say(v, "Host: b.test\r\n\r\n");
	UNTIL(lab_told(lab, MSG_ASK, v->conn) != NULL);
	lab_wait(lab, 3500);
	ck_assert(!v->eof && !v->reset);
	say_no(v->conn, 503);
	UNTIL(bytes_have(&v->in, "HTTP/1.1 503 "));
}
END_TEST

/* Bulk uploads share a tunnel: none starves. */
START_TEST(fair)
{
	enum { N = 40 };
	struct visitor *v[N];
	struct bytes body = { 0 };
	char line[128];
	size_t least = SIZE_MAX;

	fill(&body, 4u << 20);
	snprintf(line, sizeof(line),
	    "PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: %zu\r\n\r\n",
	    body.n);
	for (size_t i = 0; i < N; i++) {
		v[i] = visit();
		bytes_add(&v[i]->out, line, strlen(line));
		bytes_add(&v[i]->out, body.p, body.n);
	}
	UNTIL(client->n == N);
	/* When the first is through, nobody is far behind. */
	for (bool done = false; !done;) {
		lab_turn(lab);
		for (size_t i = 0; i < N; i++)
			done |= svc(i)->in.n > body.n;
	}
	for (size_t i = 0; i < N; i++)
		least = svc(i)->in.n < least ? svc(i)->in.n : least;
	ck_assert_uint_gt(least, body.n / 8);
	for (size_t i = 0; i < N; i++)
		UNTIL(svc(i)->in.n > body.n);
	free(body.p);
}
END_TEST

static void
add(TCase *t)
{
	tcase_add_loop_test(t, one_request, 0, 3);
	tcase_add_test(t, byte_by_byte);
	tcase_add_loop_test(t, big_upload, 0, 2);
	tcase_add_loop_test(t, upload_and_shut, 0, 4);
	tcase_add_loop_test(t, big_download, 0, 6);
	tcase_add_loop_test(t, long_heads, 0, 4);
	tcase_add_test(t, no_body);
	tcase_add_loop_test(t, refused, 0, 6);
	tcase_add_loop_test(t, cut_answer, 0, 5);
	tcase_add_loop_test(t, bad_answer, 0, 4);
	tcase_add_test(t, unasked_answer);
	tcase_add_loop_test(t, bad_request, 0, 5);
	tcase_add_test(t, bad_pipelined);
	tcase_add_test(t, pipeline);
	tcase_add_test(t, connection_close);
	tcase_add_test(t, closed_at_once);
	tcase_add_loop_test(t, user_goes, 0, 3);
	tcase_add_test(t, half_close);
	tcase_add_test(t, half_head);
	tcase_add_test(t, idle_service_closes);
	tcase_add_loop_test(t, early_answer, 0, 2);
	tcase_add_loop_test(t, opaque, 0, 4);
	tcase_add_test(t, upgrade_refused);
	tcase_add_test(t, slow_head);
	tcase_add_test(t, idle_time);
	tcase_add_test(t, slow_master);
	tcase_add_test(t, fair);
}

int
main(void)
{
	return run_case("relay", add);
}
