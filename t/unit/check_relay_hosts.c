/* The relay: requests for other hosts on one connection. */
#include "t/unit/relay_case.h"

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
		UNTIL(bytes_have(&other->svc[0]->in, "GET /b"));
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

/*
 * The other relay has nobody to give requests to any more: it says so by its
 * end, and the next request asks anew where its host is.
 */
START_TEST(other_host_moves)
{
	static const uint8_t bye[6] = { GOAWAY_STOP };
	struct visitor *v = visit();
	struct client *other;
	uint32_t inner;
	size_t asks;

	other = client_new(lab, OTHER_GEN, RECORD_NONE, 0);
	visitor_say(v, GET_B);
	UNTIL(lab_told(lab, MSG_ASK, v->conn) != NULL);
	inner = say_fd(v->conn, OTHER_GEN);
	UNTIL(other->n == 1 && bytes_have(&other->svc[0]->in, "\r\n\r\n"));
	svc_say(other->svc[0], OK2);
	UNTIL(bytes_have(&v->in, "ok"));
	switch (_i) {
	case 0:
		client_kill(other);
		break;
	case 1: /* in order */
		tunnel_control(other->t, FRAME_GOAWAY, bye, sizeof(bye));
		break;
	default: /* its service has gone, no more */
		svc_fin(other->svc[0]);
	}
	UNTIL(lab_closed(lab, inner) == END_CLEAN);
	settle(); /* the first relay sees it, too */
	ck_assert(!v->eof && !v->reset);
	asks = lab_count(lab, MSG_ASK);
	visitor_say(v, GET_B);
	UNTIL(lab_count(lab, MSG_ASK) == asks + 1);
	ck_assert(!v->eof && !v->reset);
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

/* How many wait to ask. */
static size_t
waiting(void)
{
	size_t n = 0;

	for (struct user *u = lab->r.ask_queue; u != NULL; u = u->asking->next)
		n++;
	return n;
}

/* Only so many questions at a time; who goes lets the others ask. */
START_TEST(many_asks)
{
	struct visitor *v[100];
	bool left = false;

	for (size_t i = 0; i < 100; i++) {
		v[i] = visit();
		visitor_say(v[i], GET_B);
	}
	UNTIL(lab->r.asks == RELAY_ASKS_MAX && waiting() == 36);
	ck_assert_uint_eq(lab_count(lab, MSG_ASK), RELAY_ASKS_MAX);
	/* All who have asked go, and one who waits. */
	for (size_t i = 100; i-- > 0;) {
		if (lab_told(lab, MSG_ASK, v[i]->conn) != NULL) {
			visitor_close(v[i], true);
		} else if (!left) {
			visitor_close(v[i], true);
			left = true;
		}
	}
	UNTIL(lab_count(lab, MSG_ASK) >= RELAY_ASKS_MAX + 35);
	for (size_t i = 0; i < 100; i++) {
		if (v[i]->fd != -1)
			say_same(v[i]->conn, GEN, 1);
	}
	UNTIL(client->n == 35);
	ck_assert_uint_eq(lab->r.asks, 0);
	ck_assert_ptr_null(lab->r.ask_queue);
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

static void
add(TCase *t)
{
	tcase_add_test(t, other_host_same);
	tcase_add_loop_test(t, other_host_no, 0, 2);
	tcase_add_loop_test(t, other_host_fd, 0, 5);
	tcase_add_loop_test(t, opaque_over_pair, 0, 4);
	tcase_add_loop_test(t, other_host_moves, 0, 3);
	tcase_add_test(t, rerouted_once);
	tcase_add_test(t, many_hosts);
	tcase_add_test(t, many_asks);
	tcase_add_test(t, answer_too_late);
	tcase_add_test(t, hosts_and_no_reader);
}

int
main(void)
{
	return run_case("relay_hosts", add);
}
