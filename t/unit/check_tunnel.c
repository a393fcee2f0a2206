/* Unit test of the tunnel: bytes, credit, ends, between two ends of ours. */
#include "common/base/clock.h"
#include "t/unit/ends.h"

#define SECOND UINT64_C(1000000)
#define LARGE (10u << 20)
#define TINY 4608 /* a socket's buffer: the kernel's least */

static struct ends x;

static void
tear_down(void)
{
	ends_free(&x);
}

static const enum record_cipher ciphers[] = { RECORD_NONE,
	RECORD_CHACHA20_POLY1305, RECORD_AES256_GCM };

#define CIPHERS (int)(sizeof(ciphers) / sizeof(ciphers[0]))

static const size_t sizes[] = { 0, 1, 2, 511, 512, 513, 16341, 16342, 16343,
	16359, 16360, 16361, 32767, 32768, 32769, 100000, 1u << 20, LARGE };

#define SIZES (int)(sizeof(sizes) / sizeof(sizes[0]))

/* All flows of both ends have had their FIN, and said theirs. */
static bool
all_ended(struct ends *e)
{
	if (e->client.n < e->server.n)
		return false;
	for (size_t i = 0; i < e->server.n; i++) {
		if (e->server.flows[i].stream != NULL)
			return false;
	}
	for (size_t i = 0; i < e->client.n; i++) {
		if (e->client.flows[i].stream != NULL)
			return false;
	}
	return true;
}

static void
check_whole(size_t up, size_t down)
{
	for (size_t i = 0; i < x.server.n; i++) {
		const struct flow *s = &x.server.flows[i];
		const struct flow *c = &x.client.flows[i];

		ck_assert(s->opened && s->fin && !s->reset);
		ck_assert(c->fin && !c->reset);
		ck_assert_uint_eq(c->received, up);
		ck_assert_uint_eq(s->received, down);
	}
	ck_assert_uint_eq(tunnel_streams(x.server.tunnel), 0);
	ck_assert_uint_eq(tunnel_streams(x.client.tunnel), 0);
	ck_assert_uint_eq(tunnel_unanswered(x.server.tunnel), 0);
	ck_assert_uint_eq(x.server.budget.used, 0);
	ck_assert_uint_eq(x.client.budget.used, 0);
}

START_TEST(carries_any_size_both_ways)
{
	size_t n = sizes[_i / CIPHERS];

	ends_init(&x, ciphers[_i % CIPHERS], 0);
	x.client.answer = n;
	ends_open(&x, n);
	ends_run(&x, all_ended);
	check_whole(n, n);
}
END_TEST

START_TEST(carries_through_tiny_buffers)
{
	ends_init(&x, ciphers[_i], TINY);
	x.client.answer = 300000;
	ends_open(&x, 200000);
	ends_run(&x, all_ended);
	check_whole(200000, 300000);
}
END_TEST

START_TEST(carries_many_streams_at_once)
{
	ends_init(&x, ciphers[_i], _i == 1 ? TINY : 0);
	x.client.answer = 50000;
	for (int i = 0; i < 100; i++)
		ends_open(&x, 70000);
	ends_run(&x, all_ended);
	check_whole(70000, 50000);
	/* The table has grown and shrunk: numbers go on. */
	ends_open(&x, 70000);
	ends_run(&x, all_ended);
	check_whole(70000, 50000);
}
END_TEST

static bool
client_has_fin(struct ends *e)
{
	return e->client.n > 0 && e->client.flows[0].fin;
}

START_TEST(half_close_leaves_the_other_direction)
{
	struct flow *s;

	ends_init(&x, RECORD_AES256_GCM, 0);
	s = ends_open(&x, 1000);
	ends_run(&x, client_has_fin);
	ck_assert(!s->fin && s->stream != NULL);
	ck_assert(stream_fin_sent(s->stream));
	ck_assert(!stream_fin_received(s->stream));
	x.client.flows[0].to_send = LARGE;
	flow_push(&x.client.flows[0]);
	ends_run(&x, all_ended);
	check_whole(1000, LARGE);
}
END_TEST

static bool
server_was_reset(struct ends *e)
{
	return e->server.flows[0].reset;
}

START_TEST(refusal_says_why)
{
	ends_init(&x, RECORD_AES256_GCM, 0);
	x.client.refuse = true;
	ends_open(&x, 0);
	ends_run(&x, server_was_reset);
	ck_assert_int_eq(x.server.flows[0].reason, RESET_REFUSED);
	ck_assert(!x.server.flows[0].opened);
	ck_assert_uint_eq(tunnel_unanswered(x.server.tunnel), 0);
	ck_assert_uint_eq(x.server.budget.used, 0);
}
END_TEST

static bool
client_has_bytes(struct ends *e)
{
	return e->client.n > 0 && e->client.flows[0].received > 10000;
}

START_TEST(reset_ends_both_and_late_bytes_do_no_harm)
{
	ends_init(&x, ciphers[_i], 0);
	ends_open(&x, NOTHING)->to_send = LARGE;
	flow_push(&x.server.flows[0]);
	ends_run(&x, client_has_bytes);
	/* The server has more under way, for a stream that is gone then. */
	stream_end(x.client.flows[0].stream, RESET_ABORT);
	x.client.flows[0].stream = NULL;
	ends_run(&x, server_was_reset);
	ck_assert_int_eq(x.server.flows[0].reason, RESET_ABORT);
	ck_assert_uint_lt(x.server.flows[0].sent, LARGE);
	x.server.n = x.client.n = 0;
	memset(x.server.flows, 0, sizeof(x.server.flows));
	memset(x.client.flows, 0, sizeof(x.client.flows));
	x.client.answer = 5000;
	ends_open(&x, 5000);
	ends_run(&x, all_ended);
	check_whole(5000, 5000);
}
END_TEST

/* The first flow is as full as it gets; all else has ended. */
static bool
second_ended(struct ends *e)
{
	return e->client.n == 2 && e->server.flows[1].stream == NULL &&
	    e->client.flows[1].stream == NULL && e->server.flows[0].fin;
}

START_TEST(stalled_reader_holds_a_window_and_nobody_else)
{
	struct flow *c = &x.client.flows[0];

	ends_init(&x, ciphers[_i], 0);
	c->lazy = true;
	ends_open(&x, LARGE);
	x.client.answer = LARGE;
	x.client.flows[1].lazy = false;
	ends_open(&x, LARGE);
	ends_run(&x, second_ended);
	ck_assert_uint_eq(c->received, TUNNEL_WINDOW);
	ck_assert_uint_eq(x.server.flows[0].sent, TUNNEL_WINDOW);
	/* The other direction of the stalled one is whole, too. */
	ck_assert_uint_eq(x.server.flows[0].received, LARGE);
	c->lazy = false;
	stream_consumed(c->stream, c->received);
	ends_run(&x, all_ended);
	check_whole(LARGE, LARGE);
}
END_TEST

START_TEST(window_grows_with_use_to_its_bound)
{
	uint64_t most = 0;

	ends_init(&x, RECORD_NONE, 0);
	ends_open(&x, 40u << 20);
	while (x.client.n == 0 || !x.client.flows[0].fin) {
		ck_assert_int_eq(turn_once(x.turn), 0);
		if (x.client.budget.used > most)
			most = x.client.budget.used;
	}
	ck_assert_uint_gt(most, TUNNEL_WINDOW);
	ck_assert_uint_le(most, TUNNEL_WINDOW_MAX);
}
END_TEST

static bool
all_sent(struct ends *e)
{
	return e->client.flows[0].fin;
}

START_TEST(budget_bounds_what_streams_hold)
{
	size_t opened = 0;

	ends_init(&x, RECORD_NONE, 0);
	x.server.budget.limit = x.client.budget.limit =
	    8 * (uint64_t)TUNNEL_WINDOW;
	/* Ever smaller windows, then none. */
	for (; opened < FLOWS; opened++) {
		struct tunnel_open o = { .service = 0 };

		if (tunnel_open(x.server.tunnel, &o, &x.server.flows[opened]) ==
		    NULL)
			break;
	}
	ck_assert_uint_gt(opened, 8);
	ck_assert_uint_lt(opened, FLOWS);
	ck_assert_uint_le(x.server.budget.used, x.server.budget.limit);
}
END_TEST

static bool
two_hold_something(struct ends *e)
{
	return e->server.flows[0].received > 0 &&
	    e->server.flows[1].received > 0;
}

/*
 * What a test does before anybody has stalled for long, once more where it was
 * itself stopped for as long as that.
 */
static void
in_time(void (*begin)(void))
{
	uint64_t start = clock_us();

	begin();
	while (clock_us() - start >= BUDGET_STALL_MS * UINT64_C(1000)) {
		ends_free(&x);
		start = clock_us();
		begin();
	}
}

static void
two_and_no_room(void)
{
	struct flow *f = x.server.flows;

	ends_init(&x, RECORD_NONE, 0);
	x.server.budget.limit = 3 * (uint64_t)TUNNEL_WINDOW;
	x.client.answer = LARGE;
	f[0].lazy = f[1].lazy = true;
	ends_open(&x, 0);
	ends_open(&x, 0);
	ends_run(&x, two_hold_something);
	ends_open(&x, NOTHING); /* idle: holds nothing */
	x.server.budget.limit = x.server.budget.used;
	ck_assert_ptr_null(
	    tunnel_open(x.server.tunnel, &(struct tunnel_open){ 0 }, &f[3]));
	ends_turns(&x, 3);
}

/* Who reads nothing for longest makes room for somebody new. */
START_TEST(longest_stalled_is_reset_at_the_bound)
{
	struct flow *f = x.server.flows;

	in_time(two_and_no_room);
	/* Nobody has stalled for long: who is new has to wait. */
	ck_assert(!f[0].reset && !f[1].reset);
	/* The first has read something meanwhile. */
	stream_consumed(f[0].stream, 1);
	usleep(BUDGET_STALL_MS * 1000 + 50000);
	ends_turns(&x, 3);
	ck_assert_ptr_null(
	    tunnel_open(x.server.tunnel, &(struct tunnel_open){ 0 }, &f[3]));
	ends_turns(&x, 10);
	ck_assert(f[1].reset && !f[0].reset && !f[2].reset);
	ck_assert_int_eq(f[1].reason, RESET_LIMIT);
	ck_assert(x.client.flows[1].reset && !x.client.flows[0].reset);
	ck_assert_int_eq(x.client.flows[1].reason, RESET_LIMIT);
	ends_open(&x, NOTHING);
	ck_assert_uint_le(x.server.budget.used, x.server.budget.limit);
}
END_TEST

static void
one_and_a_third(void)
{
	struct flow *c = x.client.flows;

	ends_init(&x, RECORD_NONE, 0);
	x.client.budget.limit = 2 * (uint64_t)TUNNEL_WINDOW;
	c[0].lazy = true;
	ends_open(&x, LARGE);
	ends_open(&x, NOTHING);
	while (c[0].received == 0)
		ends_turns(&x, 1);
	ends_open(&x, NOTHING);
	ends_turns(&x, 10);
}

/* The client's side of it: an OPEN above its bound. */
START_TEST(longest_stalled_of_the_client_is_reset_too)
{
	struct flow *c = x.client.flows;

	in_time(one_and_a_third);
	ck_assert_uint_eq(x.client.n, 2); /* refused: it is too early */
	ck_assert_int_eq(x.server.flows[2].reason, RESET_LIMIT);
	usleep(BUDGET_STALL_MS * 1000 + 50000);
	ends_open(&x, NOTHING);
	ends_turns(&x, 10);
	ck_assert_uint_eq(x.client.n, 3);
	ck_assert(c[0].reset && !c[1].reset && !c[2].reset);
	ck_assert_int_eq(x.server.flows[0].reason, RESET_LIMIT);
}
END_TEST

/* Windows that had grown shrink while memory is short. */
START_TEST(large_windows_shrink_when_it_is_short)
{
	ends_init(&x, RECORD_NONE, 0);
	ends_open(&x, 20u << 20);
	while (x.client.budget.used <= 4 * (uint64_t)TUNNEL_WINDOW)
		ck_assert_int_eq(turn_once(x.turn), 0);
	x.client.budget.limit = x.client.budget.used;
	ends_run(&x, all_sent);
	ck_assert_uint_le(x.client.budget.used, x.client.budget.limit / 4 * 3);
}
END_TEST

static bool
server_ended(struct ends *e)
{
	return e->server.tunnel == NULL;
}

static bool
client_opened(struct ends *e)
{
	return e->client.n > 0;
}

START_TEST(end_of_the_tunnel_resets_its_streams)
{
	ends_init(&x, RECORD_AES256_GCM, 0);
	ends_open(&x, NOTHING);
	ends_run(&x, client_opened);
	tunnel_close(x.client.tunnel);
	x.client.tunnel = NULL;
	ck_assert(x.client.flows[0].reset);
	ck_assert_int_eq(x.client.flows[0].reason, RESET_GONE);
	ck_assert_str_eq(x.client.why, ""); /* it was told, not surprised */
	ends_run(&x, server_ended);
	ck_assert(x.server.flows[0].reset);
	ck_assert_int_eq(x.server.flows[0].reason, RESET_GONE);
	/* It had sent what nobody has read. */
	ck_assert_str_eq(x.server.why, "Connection reset by peer");
}
END_TEST

static bool
rtt_known(struct ends *e)
{
	return tunnel_rtt_us(e->server.tunnel) > 0 &&
	    tunnel_rtt_us(e->client.tunnel) > 0;
}

START_TEST(measures_the_round_trip)
{
	uint64_t heard, start = clock_us();

	ends_init(&x, RECORD_CHACHA20_POLY1305, 0);
	heard = tunnel_heard(x.server.tunnel);
	ends_run(&x, rtt_known);
	ck_assert_uint_ge(tunnel_heard(x.server.tunnel), heard);
	ck_assert_uint_le(tunnel_rtt_us(x.server.tunnel), clock_us() - start);
}
END_TEST

START_TEST(silence_ends_the_tunnel)
{
	ends_prepare(&x);
	ends_sockets(x.fds, 0);
	end_init(&x, &x.server, x.fds[0], true, RECORD_NONE);
	ends_open(&x, NOTHING);
	tunnel_tick(x.server.tunnel, 60 * SECOND, 60 * SECOND);
	ck_assert_ptr_nonnull(x.server.tunnel);
	while (x.server.tunnel != NULL) {
		ends_turns(&x, 1);
		tunnel_tick(x.server.tunnel, SECOND / 100, SECOND / 20);
	}
	ck_assert(x.server.flows[0].reset);
	ck_assert_str_eq(x.server.why, "no answer from the peer");
	close(x.fds[1]);
}
END_TEST

START_TEST(peer_that_does_not_read_ends_it)
{
	const uint8_t ping[8] = { 0 };

	ends_prepare(&x);
	ends_sockets(x.fds, TINY);
	end_init(&x, &x.server, x.fds[0], true, RECORD_AES256_GCM);
	while (x.server.tunnel != NULL) {
		for (int i = 0; i < 1000; i++)
			tunnel_control(x.server.tunnel, FRAME_PING, ping, 8);
		ends_turns(&x, 1);
	}
	ck_assert_str_eq(x.server.why, "the peer does not read");
	close(x.fds[1]);
}
END_TEST

static bool
client_was_told(struct ends *e)
{
	return e->client.ncontrol == 3;
}

START_TEST(control_frames_pass_in_order)
{
	static const uint8_t types[] = { FRAME_GRANTED, FRAME_TICKET,
		FRAME_GOAWAY };
	const uint8_t payload[20] = { 0 };

	ends_init(&x, RECORD_AES256_GCM, 0);
	tunnel_control(x.server.tunnel, types[0], payload, 6);
	tunnel_control(x.server.tunnel, types[1], payload, 20);
	tunnel_control(x.server.tunnel, types[2], payload, 6);
	ck_assert(!tunnel_flushed(x.server.tunnel));
	ends_run(&x, client_was_told);
	ck_assert(tunnel_flushed(x.server.tunnel));
	ck_assert_mem_eq(x.client.control, types, sizeof(types));
}
END_TEST

START_TEST(write_takes_what_there_is_room_for)
{
	static uint8_t bytes[2 * TUNNEL_WINDOW];
	struct flow *f;

	ends_init(&x, RECORD_AES256_GCM, 0);
	f = ends_open(&x, NOTHING);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = pattern(f->seed, i);
	ck_assert_uint_eq(stream_room(f->stream), TUNNEL_WINDOW);
	ck_assert_uint_eq(
	    stream_write(f->stream, bytes, sizeof(bytes)), TUNNEL_WINDOW);
	ck_assert_uint_eq(stream_room(f->stream), 0);
	ck_assert_uint_eq(stream_write(f->stream, bytes, 1), 0);
	ends_run(&x, client_opened);
	while (x.client.flows[0].received < TUNNEL_WINDOW)
		ck_assert_int_eq(turn_once(x.turn), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tunnel");
	TCase *t = tcase_create("two ends");
	SRunner *r = srunner_create(s);
	int failed;

	signal(SIGPIPE, SIG_IGN);
	tcase_add_checked_fixture(t, NULL, tear_down);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, carries_any_size_both_ways, 0, SIZES * CIPHERS);
	tcase_add_loop_test(t, carries_through_tiny_buffers, 0, CIPHERS);
	tcase_add_loop_test(t, carries_many_streams_at_once, 0, CIPHERS);
	tcase_add_test(t, half_close_leaves_the_other_direction);
	tcase_add_test(t, refusal_says_why);
	tcase_add_loop_test(
	    t, reset_ends_both_and_late_bytes_do_no_harm, 0, CIPHERS);
	tcase_add_loop_test(
	    t, stalled_reader_holds_a_window_and_nobody_else, 0, CIPHERS);
	tcase_add_test(t, window_grows_with_use_to_its_bound);
	tcase_add_test(t, budget_bounds_what_streams_hold);
	tcase_add_test(t, longest_stalled_is_reset_at_the_bound);
	tcase_add_test(t, longest_stalled_of_the_client_is_reset_too);
	tcase_add_test(t, large_windows_shrink_when_it_is_short);
	tcase_add_test(t, end_of_the_tunnel_resets_its_streams);
	tcase_add_test(t, measures_the_round_trip);
	tcase_add_test(t, silence_ends_the_tunnel);
	tcase_add_test(t, peer_that_does_not_read_ends_it);
	tcase_add_test(t, control_frames_pass_in_order);
	tcase_add_test(t, write_takes_what_there_is_room_for);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
