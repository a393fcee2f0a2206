/* The relay: users whose bytes pass as they are. */
#include "t/unit/relay_case.h"
#include "worker/relay/upstream.h"

/* What no parser of HTTP would let pass. */
#define NONSENSE "\x16\x03\x01 GET / HTTP/9.9\r\n\n"

static struct visitor *
visit_port(void)
{
	lab->scheme = SCHEME_TCP;
	return visitor_new(lab, GEN, "");
}

/* With a stream that stands. */
static struct visitor *
connected(void)
{
	struct visitor *v = visit_port();

	UNTIL(client->n == 1 && user_of(v)->current->opened);
	return v;
}

START_TEST(service_speaks_first)
{
	struct visitor *v = connected();

	ck_assert_int_eq(svc(0)->open.scheme, SCHEME_TCP);
	ck_assert_uint_eq(svc(0)->open.service, 7);
	svc_say(svc(0), "220 ready\r\n");
	UNTIL(bytes_have(&v->in, "220 ready\r\n"));
	visitor_say(v, NONSENSE);
	UNTIL(bytes_have(&svc(0)->in, NONSENSE));
	ck_assert_uint_eq(svc(0)->in.n, strlen(NONSENSE));
	svc_say(svc(0), NONSENSE);
	UNTIL(bytes_have(&v->in, NONSENSE));
	visitor_close(v, false);
	UNTIL(svc(0)->fin);
	svc_fin(svc(0));
	UNTIL(lab_closed(lab, v->conn) == END_CLEAN);
	ck_assert_int_eq(svc(0)->reset, 0);
	ck_assert_uint_eq(lab->r.counters->all[COUNTER_REQUESTS], 0);
	ck_assert_uint_eq(lab->r.counters->all[COUNTER_UP], strlen(NONSENSE));
}
END_TEST

/* Each direction ends by itself. */
START_TEST(half_close)
{
	struct visitor *v = connected();

	if (_i == 0) {
		visitor_say(v, "all");
		visitor_shut(v);
		UNTIL(svc(0)->fin);
		settle();
		svc_say(svc(0), "the answer comes later");
		svc_fin(svc(0));
		UNTIL(v->eof);
		ck_assert_str_eq((char *)v->in.p, "the answer comes later");
	} else {
		svc_say(svc(0), "all");
		svc_fin(svc(0));
		UNTIL(v->eof);
		visitor_say(v, "the answer comes later");
		visitor_shut(v);
		UNTIL(svc(0)->fin);
		ck_assert_str_eq(
		    (char *)svc(0)->in.p, "the answer comes later");
	}
	UNTIL(lab_closed(lab, v->conn) == END_CLEAN);
	ck_assert(!v->reset);
	ck_assert_int_eq(svc(0)->reset, 0);
}
END_TEST

/* The user ends before there is a stream; that is passed on all the same. */
START_TEST(shut_before_the_stream)
{
	struct visitor *v = visit_port();

	visitor_say(v, "all");
	visitor_shut(v);
	UNTIL(client->n == 1 && svc(0)->fin);
	ck_assert_str_eq((char *)svc(0)->in.p, "all");
	svc_fin(svc(0));
	UNTIL(v->eof && lab_closed(lab, v->conn) == END_CLEAN);
}
END_TEST

START_TEST(resets_pass)
{
	struct visitor *v = connected();

	visitor_say(v, "x");
	UNTIL(svc(0)->in.n == 1);
	if (_i == 0) {
		visitor_close(v, true);
		UNTIL(svc(0)->reset == RESET_ABORT);
		UNTIL(lab_closed(lab, v->conn) == END_RESET);
	} else {
		svc_reset(svc(0), RESET_ABORT);
		UNTIL(v->reset);
		UNTIL(lab_closed(lab, v->conn) == END_LOST);
	}
}
END_TEST

/* Nobody is sent a page who did not ask for one. */
START_TEST(refused_is_a_reset)
{
	static const enum reset reasons[] = { RESET_REFUSED, RESET_UNREACHABLE,
		RESET_TIMEOUT, RESET_LIMIT, RESET_NO_SERVICE };
	struct visitor *v;

	client->mute = true;
	v = visit_port();
	visitor_say(v, _i % 2 == 0 ? "GET / HTTP/1.1\r\nHost: a\r\n\r\n" : "");
	UNTIL(client->n == 1);
	settle();
	svc_reset(svc(0), reasons[_i / 2]);
	UNTIL(v->reset);
	ck_assert_uint_eq(v->in.n, 0);
	UNTIL(lab_closed(lab, v->conn) == END_REFUSED);
}
END_TEST

START_TEST(over_the_limit)
{
	struct visitor *v, *w;

	client_kill(client);
	settle();
	client = client_new(lab, OTHER_GEN, RECORD_NONE, 1);
	lab->scheme = SCHEME_TCP;
	v = visitor_new(lab, OTHER_GEN, "");
	UNTIL(client->n == 1);
	w = visitor_new(lab, OTHER_GEN, "");
	UNTIL(w->reset);
	UNTIL(lab_closed(lab, w->conn) == END_REFUSED);
	svc_say(svc(0), "still here");
	UNTIL(bytes_have(&v->in, "still here"));
}
END_TEST

/* Its session has gone before it came: the master knows where it is now. */
START_TEST(asks_when_the_session_is_gone)
{
	struct visitor *v;

	client_kill(client);
	UNTIL(session_find(&lab->r, GEN) == NULL);
	lab->scheme = SCHEME_TCP;
	v = visitor_new(lab, GEN, "");
	visitor_say(v, "hello");
	UNTIL(lab_told(lab, MSG_ASK, v->conn) != NULL);
	client = client_new(lab, OTHER_GEN, RECORD_NONE, 0);
	if (_i == 0)
		say_same(v->conn, OTHER_GEN, 9);
	else if (_i == 1)
		say_fd(v->conn, OTHER_GEN);
	else
		say_no(v->conn, 503);
	if (_i == 2) {
		UNTIL(v->reset && lab_closed(lab, v->conn) == END_REFUSED);
		return;
	}
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "hello"));
	ck_assert_uint_eq(svc(0)->open.service, _i == 0 ? 9 : 7);
	svc_say(svc(0), "there");
	UNTIL(bytes_have(&v->in, "there"));
	visitor_shut(v);
	UNTIL(svc(0)->fin);
	svc_fin(svc(0));
	UNTIL(v->eof && lab_closed(lab, v->conn) == END_CLEAN);
}
END_TEST

/* The tunnel dies: who has said nothing waits, who has is told. */
START_TEST(tunnel_dies)
{
	struct visitor *v;

	client->mute = _i < 2;
	v = visit_port();
	UNTIL(client->n == 1);
	if (_i == 1) {
		visitor_say(v, "x");
		UNTIL(svc(0)->in.n == 1);
	} else if (_i == 2) {
		UNTIL(user_of(v)->current->opened);
	}
	client_kill(client);
	if (_i > 0) {
		UNTIL(v->reset);
		UNTIL(lab_closed(lab, v->conn) != -1);
		ck_assert_int_eq(
		    lab_closed(lab, v->conn), _i == 1 ? END_REFUSED : END_LOST);
		return;
	}
	UNTIL(lab_told(lab, MSG_ASK, v->conn) != NULL);
	client = client_new(lab, OTHER_GEN, RECORD_NONE, 0);
	say_same(v->conn, OTHER_GEN, 7);
	UNTIL(client->n == 1);
	svc_say(svc(0), "hello");
	UNTIL(bytes_have(&v->in, "hello"));
}
END_TEST

START_TEST(much_both_ways)
{
	struct bytes body = { 0 };
	struct visitor *v = connected();

	fill(&body, BIG);
	client->stingy = _i == 1;
	v->lazy = _i == 1;
	bytes_add(&v->out, body.p, body.n);
	bytes_add(&svc(0)->out, body.p, body.n);
	svc_fin(svc(0));
	while (svc(0)->in.n < BIG) {
		lab_turn(lab);
		ck_assert_uint_le(svc(0)->owed, TUNNEL_WINDOW_MAX);
		ck_assert_uint_le(
		    outq_left(&user_of(v)->out), TUNNEL_WINDOW_MAX);
		if (client->stingy)
			svc_take(svc(0), 30000);
	}
	v->lazy = false;
	UNTIL(v->eof);
	ck_assert_uint_eq(v->in.n, BIG);
	ck_assert_mem_eq(v->in.p, body.p, BIG);
	ck_assert_uint_eq(svc(0)->in.n, BIG);
	ck_assert_mem_eq(svc(0)->in.p, body.p, BIG);
	visitor_shut(v);
	UNTIL(lab_closed(lab, v->conn) == END_CLEAN);
	free(body.p);
}
END_TEST

/* A drain does not cut what may be under way; an idle timeout resets it. */
START_TEST(drain_and_idle)
{
	struct visitor *v = connected();

	relay_drain(&lab->r);
	lab_wait(lab, 1300);
	ck_assert_int_eq(lab_closed(lab, v->conn), -1);
	lab->r.idles.wait = 100000;
	visitor_say(v, "x");
	UNTIL(v->reset);
	UNTIL(lab_closed(lab, v->conn) == END_TIMEOUT);
	UNTIL(svc(0)->reset == RESET_ABORT);
}
END_TEST

static void
add(TCase *t)
{
	tcase_add_test(t, service_speaks_first);
	tcase_add_loop_test(t, half_close, 0, 2);
	tcase_add_test(t, shut_before_the_stream);
	tcase_add_loop_test(t, resets_pass, 0, 2);
	tcase_add_loop_test(t, refused_is_a_reset, 0, 10);
	tcase_add_test(t, over_the_limit);
	tcase_add_loop_test(t, asks_when_the_session_is_gone, 0, 3);
	tcase_add_loop_test(t, tunnel_dies, 0, 3);
	tcase_add_loop_test(t, much_both_ways, 0, 2);
	tcase_add_test(t, drain_and_idle);
}

int
main(void)
{
	return run_case("relay: opaque users", add);
}
