/* The relay as its master, clients and users see it. */
#include <check.h>
#include <stdio.h>

#include "common/crypto/ticket.h"
#include "common/tunnel/preface.h"
#include "t/unit/relay_lab.h"

#define GEN UINT64_C(41)
#define OTHER_GEN UINT64_C(42)

/* Turn until it holds. */
#define UNTIL(cond)                                             \
	do {                                                    \
		time_t since_ = 0;                              \
		while (!(cond)) {                               \
			lab_turn(lab);                          \
			if (lab_late(&since_))                  \
				ck_abort_msg("not: %s", #cond); \
		}                                               \
	} while (0)

static struct lab *lab;
static struct client *client;

/* Let everything settle that is under way. */
static void
settle(void)
{
	for (int i = 0; i < 4; i++)
		lab_turn(lab);
}

static void
setup(void)
{
	lab = lab_new();
	settle();
	client = client_new(lab, GEN, RECORD_CHACHA20_POLY1305, 0);
}

static void
teardown(void)
{
	ck_assert(!lab->broken);
	lab_free(lab);
	lab = NULL;
}

static struct visitor *
visit(void)
{
	return visitor_new(lab, GEN, "a.test");
}

static struct svc *
svc(size_t i)
{
	ck_assert_uint_lt(i, client->n);
	return client->svc[i];
}

#define GET "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
#define OK2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

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

/* n bytes that tell where they are. */
static void
fill(struct bytes *b, size_t n)
{
	uint8_t space[4099];
	size_t len;

	for (size_t i = 0; i < sizeof(space); i++)
		space[i] = (uint8_t)(i * 7 % 251);
	for (; n > 0; n -= len) {
		len = n < sizeof(space) ? n : sizeof(space);
		bytes_add(b, space, len);
	}
}

#define BIG (6u << 20)

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

static struct user *
user_of(const struct visitor *v)
{
	return idmap_get(&lab->r.conns, v->conn);
}

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
		{ "CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\n\r\n",
		    "HTTP/1.1 501 ", false },
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

#define UPGRADE                                                   \
	"GET /ws HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade" \
	"\r\nUpgrade: websocket\r\n\r\n"
#define SWITCH                                                        \
	"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n" \
	"Upgrade: websocket\r\n\r\n"

static struct visitor *
upgraded(void)
{
	struct visitor *v = visit();

	visitor_say(v, UPGRADE "first");
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	settle();
	ck_assert(!bytes_have(&svc(0)->in, "first")); /* held */
	svc_say(svc(0), SWITCH "hello");
	UNTIL(bytes_have(&svc(0)->in, "\r\n\r\nfirst"));
	UNTIL(bytes_have(&v->in, "\r\n\r\nhello"));
	return v;
}

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

/* ---- other hosts ---- */

#define GET_B "GET /b HTTP/1.1\r\nHost: b.test\r\n\r\n"

static void
say_same(uint32_t conn, uint64_t generation, uint16_t service)
{
	uint8_t space[10];
	struct buf b;

	buf_write(&b, space, sizeof(space));
	buf_put_u64(&b, generation);
	buf_put_u16(&b, service);
	lab_down(lab, MSG_ASK_SAME, conn, space, sizeof(space), -1);
}

static void
say_no(uint32_t conn, uint16_t status)
{
	uint8_t space[2] = { (uint8_t)(status >> 8), (uint8_t)status };

	lab_down(lab, MSG_ASK_NO, conn, space, sizeof(space), -1);
}

START_TEST(other_host_same)
{
	struct visitor *v = visit();

	visitor_say(v, GET GET_B GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	settle();
	ck_assert_ptr_null(lab_told(lab, MSG_ASK, v->conn));
	svc_say(svc(0), OK2);
	UNTIL(lab_told(lab, MSG_ASK, v->conn) != NULL);
	ck_assert_mem_eq(lab_told(lab, MSG_ASK, v->conn)->p, "\6b.test", 7);
	say_same(v->conn, GEN, 9);
	UNTIL(client->n == 2 && bytes_have(&svc(1)->in, "GET /b "));
	ck_assert_uint_eq(svc(1)->open.service, 9);
	svc_say(svc(1), "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb");
	/* And back to the first, on its old stream, unasked. */
	bytes_clear(&svc(0)->in);
	UNTIL(bytes_have(&svc(0)->in, "GET / "));
	svc_say(svc(0), OK2);
	UNTIL(v->in.n == 2 * strlen(OK2) + 39);
	ck_assert_uint_eq(client->n, 2);
	ck_assert_uint_eq(lab_count(lab, MSG_ASK), 1);
	visitor_close(v, false);
	UNTIL(svc(0)->fin && svc(1)->fin);
}
END_TEST

START_TEST(other_host_no)
{
	struct visitor *v = visit();

	visitor_say(v, GET_B);
	UNTIL(lab_told(lab, MSG_ASK, v->conn) != NULL);
	say_no(v->conn, _i == 0 ? 421 : 0);
	UNTIL(v->eof);
	ck_assert_int_eq(strncmp((char *)v->in.p,
			     _i == 0 ? "HTTP/1.1 421 " : "HTTP/1.1 503 ", 13),
	    0);
	/* Answers that nobody waits for any more. */
	say_no(v->conn, 404);
	say_same(v->conn, GEN, 1);
	settle();
}
END_TEST

/* The master gives one end to this user and the other as a new user. */
static uint32_t
say_fd(uint32_t conn, uint64_t generation)
{
	int fds[2];

	ck_assert_int_eq(
	    socketpair(
		AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
	    0);
	lab_down(lab, MSG_ASK_FD, conn, NULL, 0, fds[0]);
	lab_user(lab, ++lab->last_conn, fds[1], generation, true, "b.test");
	return lab->last_conn;
}

START_TEST(other_host_fd)
{
	struct visitor *v = visit();
	struct bytes body = { 0 };
	struct client *other;
	uint32_t inner;
	char line[128];

	other = client_new(lab, OTHER_GEN, RECORD_NONE, 0);
	visitor_say(v, GET_B);
	UNTIL(lab_told(lab, MSG_ASK, v->conn) != NULL);
	inner = say_fd(v->conn, OTHER_GEN);
	UNTIL(other->n == 1 && bytes_have(&other->svc[0]->in, "\r\n\r\n"));
	ck_assert(bytes_have(&other->svc[0]->in, "X-Forwarded-For: 192.0.2.7"));
	svc_say(other->svc[0], OK2);
	UNTIL(bytes_have(&v->in, "ok"));
	/* Much, both ways, at once. */
	fill(&body, BIG);
	snprintf(line, sizeof(line),
	    "PUT / HTTP/1.1\r\nHost: b.test\r\nContent-Length: %u\r\n\r\n",
	    BIG);
	bytes_clear(&v->in);
	bytes_clear(&other->svc[0]->in);
	bytes_add(&v->out, line, strlen(line));
	bytes_add(&v->out, body.p, body.n);
	UNTIL(bytes_have(&other->svc[0]->in, "\r\n\r\n"));
	snprintf(line, sizeof(line),
	    "HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\n", BIG);
	v->lazy = _i == 4;
	bytes_add(&other->svc[0]->out, line, strlen(line));
	bytes_add(&other->svc[0]->out, body.p, body.n);
	svc_pump(other->svc[0]);
	for (int i = 0; i < 10; i++)
		lab_turn(lab);
	v->lazy = false;
	UNTIL(v->in.n == strlen(line) + BIG);
	ck_assert_mem_eq(v->in.p + strlen(line), body.p, BIG);
	UNTIL(other->svc[0]->in.n > BIG);
	UNTIL(memcmp(other->svc[0]->in.p + other->svc[0]->in.n - BIG, body.p,
		  BIG) == 0);
	free(body.p);
	ck_assert_uint_eq(lab->r.counters->all[COUNTER_REQUESTS], 2);
	ck_assert_uint_eq(lab->r.counters->all[COUNTER_OPENED], 1);
	switch (_i) {
	case 0: /* the user goes in order */
	case 4:
		visitor_close(v, false);
		UNTIL(other->svc[0]->fin);
		break;
	case 1: /* the user resets with a request under way */
		visitor_say(v, GET_B);
		settle();
		visitor_close(v, true);
		UNTIL(other->svc[0]->reset == RESET_ABORT);
		break;
	case 2: /* the other relay's client dies under an answer */
		visitor_say(v, GET_B);
		UNTIL(bytes_have(&other->svc[0]->in, "GET /b"));
		svc_say(other->svc[0],
		    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n12");
		UNTIL(bytes_have(&v->in, "\r\n\r\n12"));
		client_kill(other);
		UNTIL(v->reset);
		break;
	default: /* ... or before one */
		visitor_say(v, GET_B);
		UNTIL(bytes_have(&other->svc[0]->in, "GET /b"));
		bytes_clear(&v->in);
		client_kill(other);
		UNTIL(v->eof);
		ck_assert(bytes_have(&v->in, "HTTP/1.1 502 "));
		visitor_close(v, false);
	}
	UNTIL(lab_closed(lab, v->conn) != -1);
	UNTIL(lab_closed(lab, inner) != -1);
	ck_assert_uint_eq(lab->r.counters->all[COUNTER_CLOSED], 1);
}
END_TEST

/* Opaque bytes through a pair: half-close and reset pass it as such. */
START_TEST(opaque_over_pair)
{
	struct visitor *v = visit();
	struct client *other;
	struct svc *s;
	uint32_t inner;

	other = client_new(lab, OTHER_GEN, RECORD_NONE, 0);
	visitor_say(v,
	    "GET /b HTTP/1.1\r\nHost: b.test\r\nConnection: upgrade\r\n"
	    "Upgrade: x\r\n\r\n");
	UNTIL(lab_told(lab, MSG_ASK, v->conn) != NULL);
	inner = say_fd(v->conn, OTHER_GEN);
	UNTIL(other->n == 1 && bytes_have(&other->svc[0]->in, "\r\n\r\n"));
	s = other->svc[0];
	svc_say(s,
	    "HTTP/1.1 101 S\r\nConnection: upgrade\r\n"
	    "Upgrade: x\r\n\r\n");
	UNTIL(bytes_have(&v->in, "\r\n\r\n"));
	visitor_say(v, "up");
	UNTIL(bytes_have(&s->in, "up"));
	switch (_i) {
	case 0:
		visitor_shut(v);
		UNTIL(s->fin);
		svc_say(s, "late");
		svc_fin(s);
		UNTIL(v->eof);
		ck_assert(bytes_have(&v->in, "late"));
		break;
	case 1:
		svc_fin(s);
		UNTIL(v->eof);
		visitor_say(v, "late");
		visitor_shut(v);
		UNTIL(s->fin);
		ck_assert(bytes_have(&s->in, "uplate"));
		break;
	case 2:
		svc_reset(s, RESET_ABORT);
		UNTIL(v->reset || v->eof);
		ck_assert(v->reset);
		break;
	default:
		visitor_close(v, true);
		UNTIL(s->reset != 0 || s->fin);
		ck_assert_int_eq(s->reset, RESET_ABORT);
	}
	UNTIL(lab_closed(lab, v->conn) != -1);
	UNTIL(lab_closed(lab, inner) != -1);
}
END_TEST

/* A rerouted connection is not rerouted again. */
START_TEST(rerouted_once)
{
	struct visitor *v = visit();
	struct client *other;

	other = client_new(lab, OTHER_GEN, RECORD_NONE, 0);
	visitor_say(v, GET_B);
	UNTIL(lab_told(lab, MSG_ASK, v->conn) != NULL);
	say_fd(v->conn, OTHER_GEN);
	UNTIL(other->n == 1 && bytes_have(&other->svc[0]->in, "\r\n\r\n"));
	svc_say(other->svc[0], OK2);
	UNTIL(bytes_have(&v->in, "ok"));
	/* The first relay would not; a lying one gets 421. */
	{
		int fds[2];
		char space[512] = { 0 };
		ssize_t n = 0;

		ck_assert_int_eq(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds),
		    0);
		lab_user(
		    lab, ++lab->last_conn, fds[1], OTHER_GEN, true, "b.test");
		ck_assert_int_gt(write(fds[0], GET, strlen(GET)), 0);
		UNTIL((n = read(fds[0], space, sizeof(space) - 1)) > 0);
		ck_assert_int_eq(strncmp(space, "HTTP/1.1 421 ", 13), 0);
		close(fds[0]);
	}
}
END_TEST

/* More hosts than upstreams: the oldest go, memory stays. */
START_TEST(many_hosts)
{
	struct visitor *v = visit();
	char ask[128];

	for (uint32_t i = 0; i < 40; i++) {
		size_t asks = lab_count(lab, MSG_ASK), n = client->n;

		snprintf(ask, sizeof(ask),
		    "GET / HTTP/1.1\r\nHost: h%u.test\r\n\r\n", i % 20);
		visitor_say(v, ask);
		UNTIL(lab_count(lab, MSG_ASK) == asks + 1);
		say_same(v->conn, GEN, (uint16_t)i);
		UNTIL(
		    client->n == n + 1 && bytes_have(&svc(n)->in, "\r\n\r\n"));
		bytes_clear(&v->in);
		svc_say(svc(n), OK2);
		UNTIL(bytes_have(&v->in, "ok"));
	}
	/* 8 are open, those before have ended in order. */
	UNTIL(svc(0)->fin && svc(30)->fin);
	ck_assert(!svc(39)->fin && !svc(38)->fin);
	ck_assert_uint_le(session_find(&lab->r, GEN)->users, 8);
}
END_TEST

/* Only so many questions at a time; who goes lets the others ask. */
START_TEST(many_asks)
{
	struct visitor *v[100];

	for (size_t i = 0; i < 100; i++) {
		v[i] = visit();
		visitor_say(v[i], GET_B);
	}
	UNTIL(lab->r.asks == RELAY_ASKS_MAX);
	settle();
	ck_assert_uint_eq(lab_count(lab, MSG_ASK), RELAY_ASKS_MAX);
	/* All who have asked go, and one who waits. */
	for (size_t i = 0; i < 100; i++) {
		if (lab_told(lab, MSG_ASK, v[i]->conn) != NULL || i == 99)
			visitor_close(v[i], true);
	}
	UNTIL(lab_count(lab, MSG_ASK) >= RELAY_ASKS_MAX + 35);
	for (size_t i = 0; i < 99; i++) {
		if (v[i]->fd != -1)
			say_same(v[i]->conn, GEN, 1);
	}
	UNTIL(client->n == 35);
	ck_assert_uint_eq(lab->r.asks, 0);
	ck_assert_ptr_null(lab->r.ask_queue);
}
END_TEST

/* ---- the death of a session ---- */

START_TEST(session_dies)
{
	struct visitor *idle = visit(), *busy = visit(), *fresh;
	struct svc *s;

	visitor_say(idle, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&idle->in, "ok"));
	visitor_say(busy, GET);
	UNTIL(client->n == 2 && bytes_have(&svc(1)->in, "\r\n\r\n"));
	client_kill(client);
	UNTIL(busy->eof);
	ck_assert(bytes_have(&busy->in, "HTTP/1.1 502 "));
	ck_assert_ptr_null(session_find(&lab->r, GEN));
	ck_assert(!idle->eof && !idle->reset);
	/* A user that was on its way meanwhile, and the idle one. */
	fresh = visit();
	visitor_say(fresh, GET);
	visitor_say(idle, GET);
	UNTIL(lab_told(lab, MSG_ASK, fresh->conn) != NULL);
	UNTIL(lab_told(lab, MSG_ASK, idle->conn) != NULL);
	/* It is back, as another generation. */
	client = client_new(lab, OTHER_GEN, RECORD_NONE, 0);
	say_same(fresh->conn, OTHER_GEN, 1);
	say_same(idle->conn, OTHER_GEN, 1);
	UNTIL(client->n == 2 && bytes_have(&svc(0)->in, "\r\n\r\n") &&
	    bytes_have(&svc(1)->in, "\r\n\r\n"));
	s = svc(0);
	svc_say(s, OK2);
	svc_say(svc(1), OK2);
	UNTIL(bytes_have(&fresh->in, "ok"));
	UNTIL(bytes_have(&idle->in, "okHTTP/1.1 200 OK"));
}
END_TEST

/* The answer of the master names a session that has died meanwhile. */
START_TEST(answer_too_late)
{
	struct visitor *v = visit();

	visitor_say(v, GET_B);
	UNTIL(lab_told(lab, MSG_ASK, v->conn) != NULL);
	client_kill(client);
	UNTIL(session_find(&lab->r, GEN) == NULL);
	say_same(v->conn, GEN, 1);
	UNTIL(lab_count(lab, MSG_ASK) == 2);
	say_no(v->conn, 503);
	UNTIL(bytes_have(&v->in, "HTTP/1.1 503 "));
}
END_TEST

/* OPENs that nobody answers: the rest waits, and is not forgotten. */
START_TEST(unanswered)
{
	enum { N = 300 };
	struct visitor *v[N];
	size_t done = 0;

	client->mute = true;
	for (size_t i = 0; i < N; i++) {
		v[i] = visit();
		visitor_say(v[i], GET);
		lab_turn(lab);
	}
	UNTIL(client->n == SESSION_UNANSWERED);
	settle();
	ck_assert_uint_eq(client->n, SESSION_UNANSWERED);
	if (_i == 0) { /* the client wakes up */
		client->mute = false;
		for (size_t i = 0; i < SESSION_UNANSWERED; i++)
			stream_opened(svc(i)->s);
	} else if (_i == 1) { /* it refuses */
		for (size_t i = 0; i < N; i++) {
			UNTIL(client->n > i);
			if (svc(i)->s != NULL)
				svc_reset(svc(i), RESET_REFUSED);
		}
	} else if (_i == 2) { /* it gets another tunnel */
		struct client *again = client_again(lab, GEN);

		UNTIL(again->n == SESSION_UNANSWERED);
		return;
	} else { /* it dies: those of whom nothing was sent are asked anew */
		client_kill(client);
		UNTIL(lab_count(lab, MSG_ASK) == RELAY_ASKS_MAX);
		client = client_new(lab, OTHER_GEN, RECORD_NONE, 0);
		for (size_t i = 0, k = 0; i < N - SESSION_UNANSWERED; i++) {
			while (lab->told[k].type != MSG_ASK) {
				UNTIL(k + 1 < lab->ntold);
				k++;
			}
			say_same(lab->told[k++].id, OTHER_GEN, 1);
			if (i % 16 == 15)
				lab_turn(lab);
		}
		UNTIL(client->n == N - SESSION_UNANSWERED);
		for (size_t i = 0; i < N; i++)
			done += bytes_have(&v[i]->in, "HTTP/1.1 502 ");
		ck_assert_uint_eq(done, SESSION_UNANSWERED);
		return;
	}
	while (done < N) {
		lab_turn(lab);
		done = 0;
		for (size_t i = 0; i < client->n; i++) {
			if (_i == 0 && bytes_have(&svc(i)->in, "\r\n\r\n") &&
			    svc(i)->out.n == 0)
				svc_say(svc(i), OK2);
		}
		for (size_t i = 0; i < N; i++)
			done += bytes_have(
			    &v[i]->in, _i == 0 ? "200 OK" : "HTTP/1.1 502 ");
	}
	ck_assert_uint_eq(client->n, N);
}
END_TEST

/* A client that says goodbye takes nothing new; the master is asked. */
START_TEST(client_leaves)
{
	static const uint8_t bye[6] = { GOAWAY_STOP };
	struct visitor *v = visit(), *w = visit();

	visitor_say(v, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	tunnel_control(client->t, FRAME_GOAWAY, bye, sizeof(bye));
	UNTIL(session_is_gone(session_find(&lab->r, GEN)));
	visitor_say(w, GET);
	UNTIL(lab_told(lab, MSG_ASK, w->conn) != NULL);
	/* It does not know better; then w waits, and asks no more. */
	say_same(w->conn, GEN, 1);
	settle();
	ck_assert_uint_eq(lab_count(lab, MSG_ASK), 1);
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&v->in, "ok"));
	client_kill(client);
	UNTIL(lab_count(lab, MSG_ASK) == 2);
	say_no(w->conn, 503);
	UNTIL(bytes_have(&w->in, "HTTP/1.1 503 "));
}
END_TEST

/* ... and idle connections do not hold it. */
START_TEST(client_leaves_idle)
{
	static const uint8_t bye[6] = { GOAWAY_STOP };
	struct visitor *idle = visit(), *busy = visit();

	visitor_say(idle, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&idle->in, "ok"));
	visitor_say(busy, GET);
	UNTIL(client->n == 2 && bytes_have(&svc(1)->in, "\r\n\r\n"));
	tunnel_control(client->t, FRAME_GOAWAY, bye, sizeof(bye));
	UNTIL(svc(0)->fin);
	ck_assert(!svc(1)->fin);
	svc_say(svc(1), OK2);
	UNTIL(bytes_have(&busy->in, "ok"));
	UNTIL(svc(1)->fin);
	svc_fin(svc(0));
	svc_fin(svc(1));
	UNTIL(tunnel_streams(client->t) == 0 || svc(0)->s == NULL ||
	    svc(1)->s == NULL || session_find(&lab->r, GEN)->users == 0);
	ck_assert(!idle->eof && !busy->eof);
	/* The next request is another's. */
	visitor_say(idle, GET);
	UNTIL(lab_told(lab, MSG_ASK, idle->conn) != NULL);
	client_kill(client);
	client = client_new(lab, OTHER_GEN, RECORD_NONE, 0);
	say_same(idle->conn, OTHER_GEN, 1);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
}
END_TEST

/* Two tunnels: streams go on over the one that lives. */
START_TEST(one_of_two_dies)
{
	struct client *second = client_again(lab, GEN);
	struct visitor *v = visit(), *w;

	visitor_say(v, GET);
	UNTIL(client->n + second->n == 1);
	if (second->n == 1) {
		client_kill(second);
	} else {
		client_kill(client);
		client = second;
	}
	UNTIL(v->eof);
	ck_assert(bytes_have(&v->in, "HTTP/1.1 502 "));
	ck_assert_ptr_nonnull(session_find(&lab->r, GEN));
	w = visit();
	visitor_say(w, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&w->in, "ok"));
}
END_TEST

/* ---- limits and deadlines ---- */

START_TEST(streams_limit)
{
	struct visitor *v[3];

	client = client_new(lab, OTHER_GEN, RECORD_NONE, 2);
	for (size_t i = 0; i < 3; i++) {
		v[i] = visitor_new(lab, OTHER_GEN, "a.test");
		visitor_say(v[i], GET);
		settle();
	}
	UNTIL(bytes_have(&v[2]->in, "HTTP/1.1 503 "));
	UNTIL(v[2]->eof);
	visitor_close(v[2], false);
	visitor_close(v[0], true);
	UNTIL(lab_closed(lab, v[0]->conn) != -1);
	UNTIL(lab_closed(lab, v[2]->conn) != -1);
	v[0] = visitor_new(lab, OTHER_GEN, "a.test");
	visitor_say(v[0], GET);
	UNTIL(client->n == 3);
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
	time_t since = 0;

	deadlines(10000, 400);
	v = visit(); /* nothing, ever */
	UNTIL(v->eof || v->reset);
	v = visit(); /* no answer */
	visitor_say(v, GET);
	UNTIL(v->eof);
	ck_assert(bytes_have(&v->in, "HTTP/1.1 504 "));
	/* An answer that trickles keeps it alive. */
	w = visit();
	visitor_say(w, GET);
	UNTIL(client->n == 2 && bytes_have(&svc(1)->in, "\r\n\r\n"));
	svc_say(svc(1), "HTTP/1.1 200 OK\r\n\r\n");
	for (int i = 0; i < 10; i++) {
		lab_wait(lab, 200);
		svc_say(svc(1), "x");
		(void)lab_late(&since);
	}
	ck_assert(!w->reset && !w->eof);
	UNTIL(w->reset);
}
END_TEST

/* A question that takes long is no slow head. */
START_TEST(slow_master)
{
	struct visitor *v;

	deadlines(300, 0);
	v = visit();
	visitor_say(v, "GET /b HTTP/1.1\r\n");
	settle();
	visitor_say(v, "Host: b.test\r\n\r\n");
	lab_wait(lab, 600);
	ck_assert(!v->eof && !v->reset);
	say_no(v->conn, 503);
	UNTIL(bytes_have(&v->in, "HTTP/1.1 503 "));
}
END_TEST

/* Answers to requests for other hosts wait for a user that does not read. */
START_TEST(hosts_and_no_reader)
{
	struct visitor *v = visit();
	struct bytes body = { 0 };
	char line[128];

	v->lazy = true;
	fill(&body, BIG);
	visitor_say(v, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	snprintf(line, sizeof(line),
	    "HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\n", BIG);
	bytes_add(&svc(0)->out, line, strlen(line));
	bytes_add(&svc(0)->out, body.p, body.n);
	svc_pump(svc(0));
	visitor_say(v, GET_B);
	for (int i = 0; i < 10; i++)
		lab_turn(lab);
	ck_assert_uint_eq(lab_count(lab, MSG_ASK), 0);
	v->lazy = false;
	UNTIL(v->in.n == strlen(line) + BIG);
	UNTIL(lab_count(lab, MSG_ASK) == 1);
	free(body.p);
}
END_TEST

/* ---- what the master wants ---- */

static void
generation_down(uint8_t type, const void *rest, size_t n)
{
	uint8_t space[300];
	struct buf b;

	buf_write(&b, space, sizeof(space));
	buf_put_u64(&b, GEN);
	buf_put(&b, rest, n);
	lab_down(lab, type, 0, space, buf_used(&b), -1);
}

START_TEST(kick)
{
	struct visitor *idle = visit(), *busy = visit();

	visitor_say(idle, GET);
	visitor_say(busy, GET);
	UNTIL(client->n == 2 && bytes_have(&svc(1)->in, "\r\n\r\n"));
	UNTIL(bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_say(svc(0), OK2);
	settle();
	if (_i == 1) /* nobody there any more */
		shutdown(tunnel_fd(session_find(&lab->r, GEN)->links->tunnel),
		    SHUT_RDWR);
	generation_down(MSG_KICK, "\4\6by you", 8);
	UNTIL(session_find(&lab->r, GEN) == NULL);
	UNTIL(client->t == NULL);
	if (_i == 0)
		ck_assert_int_eq(client->goaway, GOAWAY_KICKED);
	UNTIL(bytes_have(&idle->in, "HTTP/1.1 502 ") ||
	    bytes_have(&busy->in, "HTTP/1.1 502 "));
	generation_down(MSG_KICK, "\4\6by you", 8);
	settle();
}
END_TEST

START_TEST(probe)
{
	struct addr peer = { 0 };
	static const uint8_t key[32];
	struct session *s;
	uint8_t which[8] = { 0 };
	int fds[2];

	generation_down(MSG_PROBE, NULL, 0);
	UNTIL(lab_count(lab, MSG_ALIVE) == 1);
	ck_assert_int_eq(lab_told(lab, MSG_ALIVE, 0)->p[8], 1);
	/* One that is gone, and one that does not answer. */
	which[7] = 77;
	lab_down(lab, MSG_PROBE, 0, which, 8, -1);
	UNTIL(lab_count(lab, MSG_ALIVE) == 2);
	ck_assert_int_eq(lab_told(lab, MSG_ALIVE, 0)->p[8], 0);
	s = session_new(&lab->r, 78, 1, "mute", 0);
	lab_tcp(fds);
	ck_assert_int_eq(
	    session_link(s, ++lab->last_conn, fds[0], &peer, key, key), 0);
	which[7] = 78;
	lab_down(lab, MSG_PROBE, 0, which, 8, -1);
	UNTIL(lab_count(lab, MSG_ALIVE) == 3);
	ck_assert_int_eq(lab_told(lab, MSG_ALIVE, 0)->p[8], 0);
	ck_assert_uint_eq(lab->r.probing, 0);
	close(fds[1]);
	UNTIL(session_find(&lab->r, 78) == NULL);
}
END_TEST

START_TEST(drain)
{
	struct visitor *idle = visit(), *busy = visit(), *ws, *fresh;

	visitor_say(idle, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&idle->in, "ok"));
	visitor_say(busy, GET);
	UNTIL(client->n == 2 && bytes_have(&svc(1)->in, "\r\n\r\n"));
	ws = visit();
	visitor_say(ws, UPGRADE);
	UNTIL(client->n == 3 && bytes_have(&svc(2)->in, "\r\n\r\n"));
	svc_say(svc(2), SWITCH);
	UNTIL(bytes_have(&ws->in, "\r\n\r\n"));
	/* One whose request has come, but was not read yet. */
	fresh = visit();
	visitor_say(fresh, GET);
	lab_down(lab, MSG_DRAIN, 0, NULL, 0, -1);
	UNTIL(idle->eof);
	UNTIL(client->goaway == GOAWAY_DRAIN);
	ck_assert(!busy->eof && !ws->eof && !fresh->eof);
	svc_say(svc(1), OK2);
	UNTIL(busy->eof);
	ck_assert(bytes_have(&busy->in, "Connection: close\r\n"));
	ck_assert(bytes_have(&busy->in, "\r\n\r\nok"));
	if (lab_told(lab, MSG_ASK, fresh->conn) != NULL) {
		say_no(fresh->conn, 503);
		UNTIL(fresh->eof);
	}
	visitor_close(idle, false);
	visitor_close(busy, false);
	visitor_say(ws, "still");
	UNTIL(bytes_have(&svc(2)->in, "still"));
	visitor_close(ws, false);
	visitor_close(fresh, true);
	UNTIL(svc(2)->fin);
	svc_fin(svc(2));
	client_kill(client);
	UNTIL(lab_count(lab, MSG_DRAINED) > 0);
}
END_TEST

START_TEST(show)
{
	uint8_t what = SHOW_STREAMS;
	struct visitor *v = visit();

	visitor_say(v, GET);
	UNTIL(client->n == 1);
	lab_down(lab, MSG_SHOW, 5, &what, 1, -1);
	UNTIL(lab_count(lab, MSG_ROW) == 2);
	what = SHOW_TUNNELS;
	lab_down(lab, MSG_SHOW, 6, &what, 1, -1);
	UNTIL(lab_count(lab, MSG_ROW) == 4);
}
END_TEST

/* ---- further tunnels and new sessions ---- */

static uint32_t
send_tunnel(int fd, uint8_t kind, const uint8_t *ticket)
{
	struct msg_conn c = { 0 };
	uint8_t space[100];
	struct buf b;

	addr_parse_listen(&c.peer, "192.0.2.9:1");
	addr_parse_listen(&c.local, "192.0.2.1:80");
	buf_write(&b, space, sizeof(space));
	msg_put_conn(&b, &c);
	buf_put_u8(&b, kind);
	buf_put_u8(&b, 0);
	if (ticket != NULL)
		buf_put(&b, ticket, TICKET_ID);
	lab_down(lab, MSG_TUNNEL, ++lab->last_conn, space, buf_used(&b), fd);
	return lab->last_conn;
}

/* Present a ticket as a client does; `bend`: break the proof. */
static uint32_t
attach(int fds[2], const uint8_t id[TICKET_ID], const uint8_t key[TICKET_KEY],
    bool bend, uint8_t nonce[TICKET_NONCE])
{
	struct preface p = { 1, 1, PREFACE_TICKET, 0, { 0 } };
	uint8_t bytes[PREFACE_MAX + TICKET_NONCE + TICKET_MAC], transport = 0;
	struct ticket_flight f = { .preface = bytes,
		.preface_len = PREFACE_MAX,
		.transport = &transport,
		.transport_len = 1,
		.client_nonce = nonce };

	memcpy(p.ticket, id, TICKET_ID);
	preface_make(bytes, &p);
	ticket_nonce(nonce);
	memcpy(bytes + PREFACE_MAX, nonce, TICKET_NONCE);
	ticket_client_mac(bytes + PREFACE_MAX + TICKET_NONCE, key, &f);
	bytes[sizeof(bytes) - 1] ^= bend;
	lab_tcp(fds);
	ck_assert_int_eq(write(fds[1], bytes, sizeof(bytes)), sizeof(bytes));
	return send_tunnel(fds[0], PREFACE_TICKET, id);
}

START_TEST(ticket)
{
	uint8_t root[TICKET_KEY], key[TICKET_KEY], nonce[TICKET_NONCE];
	uint8_t answer[TICKET_NONCE + TICKET_MAC], want = 3;
	uint8_t c2s[32], s2c[32], expected[TICKET_MAC], bytes[PREFACE_MAX];
	uint8_t transport = 0;
	struct preface p = { 1, 1, PREFACE_TICKET, 0, { 0 } };
	struct ticket_flight f = { .preface = bytes,
		.preface_len = PREFACE_MAX,
		.transport = &transport,
		.transport_len = 1,
		.client_nonce = nonce,
		.server_nonce = answer };
	struct client *second;
	struct visitor *v;
	uint32_t conn;
	int fds[2];

	memcpy(root, session_find(&lab->r, GEN)->root, sizeof(root));
	tunnel_control(client->t, FRAME_WANT, &want, 1);
	UNTIL(client->tickets == 3);
	UNTIL(lab_count(lab, MSG_TICKET) == 3);
	/* A good one. */
	ticket_next(root, key);
	conn = attach(fds, client->ticket[0], key, false, nonce);
	UNTIL(lab_told(lab, MSG_ATTACHED, conn) != NULL);
	UNTIL(recv(fds[1], answer, sizeof(answer), MSG_PEEK) == sizeof(answer));
	ck_assert_int_eq(read(fds[1], answer, sizeof(answer)), sizeof(answer));
	memcpy(p.ticket, client->ticket[0], TICKET_ID);
	preface_make(bytes, &p);
	ticket_server_mac(expected, key, &f);
	ck_assert_int_eq(ticket_mac_verify(answer + TICKET_NONCE, expected), 0);
	ticket_split(key, &f, c2s, s2c);
	second = client_over(lab, fds[1], RECORD_CHACHA20_POLY1305, c2s, s2c);
	settle();
	ck_assert_ptr_nonnull(second->t);
	ck_assert_ptr_nonnull(session_find(&lab->r, GEN)->links->next);
	/* It carries streams. */
	client_kill(client);
	client = second;
	settle();
	v = visit();
	visitor_say(v, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	/* Used twice. */
	conn = attach(fds, p.ticket, key, false, nonce);
	UNTIL(lab_closed(lab, conn) == END_GARBAGE);
	close(fds[1]);
}
END_TEST

START_TEST(bad_ticket)
{
	uint8_t root[TICKET_KEY], key[TICKET_KEY], nonce[TICKET_NONCE];
	uint8_t want = 20;
	struct session *s = session_find(&lab->r, GEN);
	uint32_t conn;
	int fds[2];

	memcpy(root, s->root, sizeof(root));
	tunnel_control(client->t, FRAME_WANT, &want, 1);
	UNTIL(client->tickets == SESSION_TICKETS);
	ticket_next(root, key);
	if (_i == 0) { /* wrong proof; the ticket is used up all the same */
		conn = attach(fds, client->ticket[0], key, true, nonce);
		UNTIL(lab_closed(lab, conn) == END_GARBAGE);
		close(fds[1]);
	} else if (_i == 1) { /* too late */
		for (size_t i = 0; i < SESSION_TICKETS; i++)
			s->tickets[i].until = turn_now(lab->r.turn);
		settle();
	} else { /* dead with its session */
		client_kill(client);
		UNTIL(session_find(&lab->r, GEN) == NULL);
	}
	conn = attach(fds, client->ticket[0], key, false, nonce);
	UNTIL(lab_closed(lab, conn) == END_GARBAGE);
	ck_assert_ptr_null(lab_told(lab, MSG_ATTACHED, conn));
	close(fds[1]);
}
END_TEST

static void
say_client(uint32_t conn)
{
	uint8_t space[64];
	struct buf b;

	buf_write(&b, space, sizeof(space));
	buf_put_u32(&b, 3);
	buf_put_u64(&b, 99);
	buf_put_cstr8(&b, "new");
	buf_put_u32(&b, 0);
	lab_down(lab, MSG_CLIENT, conn, space, buf_used(&b), -1);
}

/* A handshake is carried both ways, and becomes a session. */
START_TEST(handshake)
{
	uint8_t bytes[PREFACE_BASE], keys[97] = { RECORD_AES256_GCM },
				     space[64];
	struct preface p = { 1, 1, PREFACE_SESSION, 0, { 0 } };
	uint8_t blob[4] = { 0, 2, 'h', 'i' };
	struct client *c;
	uint32_t conn;
	int fds[2];

	memset(keys + 1, 7, 32);
	memset(keys + 33, 8, 32);
	preface_make(bytes, &p);
	lab_tcp(fds);
	conn = send_tunnel(fds[0], PREFACE_SESSION, NULL);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		ck_assert_int_eq(write(fds[1], bytes + i, 1), 1);
		settle();
	}
	UNTIL(lab_told(lab, MSG_HS_IN, conn) != NULL);
	ck_assert_mem_eq(lab_told(lab, MSG_HS_IN, conn)->p, bytes, 8);
	ck_assert_int_eq(write(fds[1], blob, 4), 4);
	UNTIL(lab_count(lab, MSG_HS_IN) == 2);
	ck_assert_mem_eq(lab_told(lab, MSG_HS_IN, conn)->p, "hi", 2);
	lab_down(lab, MSG_HS_OUT, conn, "yes", 3, -1);
	UNTIL(recv(fds[1], space, sizeof(space), MSG_PEEK) == 5);
	ck_assert_int_eq(read(fds[1], space, sizeof(space)), 5);
	ck_assert_mem_eq(space, "\0\3yes", 5);
	ck_assert_int_eq(write(fds[1], blob, 4), 4);
	UNTIL(lab_count(lab, MSG_HS_IN) == 3);
	if (_i == 1) { /* refused */
		lab_down(lab, MSG_HS_OUT, conn, "no", 2, -1);
		lab_down(lab, MSG_HS_FAIL, conn, "\1", 1, -1);
		UNTIL(lab_closed(lab, conn) == END_REFUSED);
		ck_assert_int_eq(read(fds[1], space, sizeof(space)), 4);
		ck_assert_int_eq(read(fds[1], space, sizeof(space)), 0);
		close(fds[1]);
		return;
	}
	say_client(conn);
	if (_i == 2) { /* the client goes before its keys come */
		close(fds[1]);
		lab_down(lab, MSG_HS_KEYS, conn, keys, sizeof(keys), -1);
		lab_down(lab, MSG_HS_OUT, conn, "ok", 2, -1);
		UNTIL(lab_closed(lab, conn) != -1);
		UNTIL(session_find(&lab->r, 99) == NULL);
		return;
	}
	if (_i == 3) { /* it is kicked before */
		uint8_t go[11] = { 0, 0, 0, 0, 0, 0, 0, 99, 4, 0 };

		lab_down(lab, MSG_KICK, 0, go, 10, -1);
	}
	lab_down(lab, MSG_HS_KEYS, conn, keys, sizeof(keys), -1);
	lab_down(lab, MSG_HS_OUT, conn, "ok", 2, -1);
	if (_i == 3) {
		UNTIL(lab_closed(lab, conn) == END_REFUSED);
		ck_assert_ptr_null(session_find(&lab->r, 99));
		close(fds[1]);
		return;
	}
	UNTIL(recv(fds[1], space, 4, MSG_PEEK) == 4);
	ck_assert_int_eq(read(fds[1], space, 4), 4);
	c = client_over(lab, fds[1], RECORD_AES256_GCM, keys + 33, keys + 1);
	settle();
	ck_assert_ptr_nonnull(c->t);
	ck_assert_ptr_nonnull(session_find(&lab->r, 99));
	ck_assert_int_eq(lab_closed(lab, conn), -1);
}
END_TEST

START_TEST(slow_handshake)
{
	struct msg_relay_conf conf = lab->r.conf;
	uint32_t conn;
	int fds[2];

	conf.handshake_ms = 300;
	lab_conf(lab, &conf);
	lab_tcp(fds);
	conn = send_tunnel(fds[0], PREFACE_SESSION, NULL);
	UNTIL(lab_closed(lab, conn) == END_TIMEOUT);
	close(fds[1]);
}
END_TEST

/* ---- many ---- */

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

/* Very many users of one client that dies: each end is told of. */
START_TEST(many_die)
{
	enum { N = 900 };
	size_t closed = 0;

	for (size_t i = 0; i < N; i++) {
		visitor_say(visit(), GET);
		lab_turn(lab);
	}
	UNTIL(client->n == N);
	client_kill(client);
	while (closed < N) {
		lab_turn(lab);
		for (struct visitor *v = lab->visitors; v != NULL; v = v->next)
			if (v->eof || v->reset)
				visitor_close(v, false);
		closed = 0;
		for (struct visitor *v = lab->visitors; v != NULL; v = v->next)
			closed += lab_closed(lab, v->conn) != -1;
	}
	ck_assert_uint_eq(lab->r.conns.count, 0);
}
END_TEST

/* Users come and go in every state; nothing is left of them. */
START_TEST(storm)
{
	unsigned seed = (unsigned)_i;

	for (int round = 0; round < 300; round++) {
		struct visitor *v = lab->visitors;
		unsigned dice = (unsigned)rand_r(&seed);

		switch (dice % 8) {
		case 0:
		case 1:
			if (client->n < LAB_SERVICES - 10)
				visitor_say(visit(), GET GET_B UPGRADE);
			break;
		case 2:
			for (; v != NULL; v = v->next) {
				if (rand_r(&seed) % 4 == 0)
					visitor_close(v, rand_r(&seed) % 2);
			}
			break;
		case 3:
			for (size_t i = 0; i < client->n; i++) {
				if (svc(i)->s != NULL && rand_r(&seed) % 3 == 0)
					svc_say(svc(i), OK2);
			}
			break;
		case 4:
			for (size_t i = 0; i < client->n; i++) {
				if (svc(i)->s != NULL && rand_r(&seed) % 9 == 0)
					svc_reset(svc(i), RESET_REFUSED);
			}
			break;
		case 5:
			for (; v != NULL; v = v->next) {
				if (lab_told(lab, MSG_ASK, v->conn) == NULL ||
				    rand_r(&seed) % 2 == 0)
					continue;
				if (rand_r(&seed) % 3 == 0)
					say_fd(v->conn, GEN);
				else
					say_same(v->conn, GEN, 2);
			}
			break;
		case 6:
			for (; v != NULL; v = v->next) {
				if (v->fd != -1 && rand_r(&seed) % 4 == 0)
					visitor_shut(v);
			}
			break;
		default:
			if (dice / 8 % 6 == 0) {
				client_kill(client);
				lab_turn(lab);
				while (session_find(&lab->r, GEN) != NULL)
					lab_turn(lab);
				client = client_new(
				    lab, GEN, RECORD_CHACHA20_POLY1305, 0);
			}
		}
		lab_turn(lab);
	}
	ck_assert(!lab->broken);
	for (struct visitor *v = lab->visitors; v != NULL; v = v->next)
		visitor_close(v, true);
	client_kill(client);
	/* A master answers every question. */
	for (size_t k = 0; lab->r.conns.count > 0 || k < lab->ntold; k++) {
		if (k < lab->ntold && lab->told[k].type == MSG_ASK)
			say_no(lab->told[k].id, 503);
		UNTIL(k + 1 < lab->ntold || lab->r.conns.count == 0);
	}
	ck_assert_uint_eq(lab->r.asks, 0);
	ck_assert_ptr_null(lab->r.ask_queue);
	ck_assert_uint_eq(lab->r.waiting, 0);
	ck_assert_ptr_null(lab->r.sessions);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("relay");
	TCase *t = tcase_create("relay");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, one_request, 0, 3);
	tcase_add_test(t, byte_by_byte);
	tcase_add_loop_test(t, big_upload, 0, 2);
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
	tcase_add_loop_test(t, user_goes, 0, 3);
	tcase_add_test(t, half_close);
	tcase_add_test(t, half_head);
	tcase_add_test(t, idle_service_closes);
	tcase_add_loop_test(t, early_answer, 0, 2);
	tcase_add_loop_test(t, opaque, 0, 4);
	tcase_add_test(t, upgrade_refused);
	tcase_add_test(t, other_host_same);
	tcase_add_loop_test(t, other_host_no, 0, 2);
	tcase_add_loop_test(t, other_host_fd, 0, 5);
	tcase_add_loop_test(t, opaque_over_pair, 0, 4);
	tcase_add_test(t, rerouted_once);
	tcase_add_test(t, many_hosts);
	tcase_add_test(t, many_asks);
	tcase_add_test(t, session_dies);
	tcase_add_test(t, answer_too_late);
	tcase_add_loop_test(t, unanswered, 0, 4);
	tcase_add_test(t, client_leaves);
	tcase_add_test(t, client_leaves_idle);
	tcase_add_test(t, one_of_two_dies);
	tcase_add_test(t, streams_limit);
	tcase_add_test(t, slow_head);
	tcase_add_test(t, idle_time);
	tcase_add_test(t, slow_master);
	tcase_add_test(t, hosts_and_no_reader);
	tcase_add_loop_test(t, kick, 0, 2);
	tcase_add_test(t, probe);
	tcase_add_test(t, drain);
	tcase_add_test(t, show);
	tcase_add_test(t, ticket);
	tcase_add_loop_test(t, bad_ticket, 0, 3);
	tcase_add_loop_test(t, handshake, 0, 4);
	tcase_add_test(t, slow_handshake);
	tcase_add_test(t, fair);
	tcase_add_test(t, many_die);
	tcase_add_loop_test(t, storm, 0, 8);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
