/* Unit test of the tunnel: streams of datagrams. */
#include "common/tunnel/scheme.h"
#include "t/unit/ends.h"

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

static const size_t sizes[] = { 0, 1, 1200, 16359, 16360, 16361, 32720, 32721,
	65507, TUNNEL_DGRAM_MAX };

#define SIZES (int)(sizeof(sizes) / sizeof(sizes[0]))

static struct flow *
open_flow(void)
{
	struct end *e = &x.server;
	struct flow *f = &e->flows[e->n];
	struct tunnel_open o = { .service = (uint16_t)e->n++,
		.scheme = SCHEME_UDP };

	f->end = e;
	f->to_send = NOTHING;
	f->stream = tunnel_open(e->tunnel, &o, f);
	ck_assert_ptr_nonnull(f->stream);
	return f;
}

/* Send one of n bytes; whether it was taken. */
static bool
send_one(struct stream *s, size_t n)
{
	static uint8_t space[TUNNEL_DGRAM_MAX + 1];

	for (size_t i = 0; i < n && i < sizeof(space); i++)
		space[i] = pattern(n, i);
	return stream_dgram(s, space, n) == 0;
}

static bool
has_three(struct ends *e)
{
	return e->client.n > 0 && e->client.flows[0].dgrams == 3;
}

static bool
answered(struct ends *e)
{
	return e->server.flows[0].dgrams == 2;
}

START_TEST(any_size_both_ways)
{
	size_t n = sizes[_i / CIPHERS];
	struct flow *f, *c = &x.client.flows[0];

	ends_init(&x, ciphers[_i % CIPHERS], 0);
	f = open_flow();
	ck_assert(send_one(f->stream, n));
	ck_assert(send_one(f->stream, 3));
	ck_assert(send_one(f->stream, n));
	ends_run(&x, has_three);
	ck_assert_uint_eq(c->received, 2 * n + 3);
	ck_assert_uint_eq(c->last, n);
	ck_assert(send_one(c->stream, n));
	ck_assert(send_one(c->stream, n));
	ends_run(&x, answered);
	ck_assert_uint_eq(f->received, 2 * n);
	ck_assert_uint_eq(tunnel_unanswered(x.server.tunnel), 0);
	ck_assert_uint_eq(x.server.budget.used + x.client.budget.used, 0);
}
END_TEST

START_TEST(too_large_is_refused)
{
	ends_init(&x, RECORD_NONE, 0);
	ck_assert(!send_one(open_flow()->stream, TUNNEL_DGRAM_MAX + 1));
}
END_TEST

static bool
all_arrived(struct ends *e)
{
	return e->client.n > 0 &&
	    e->client.flows[0].dgrams + e->server.flows[0].lost ==
	    (size_t)e->fds[0];
}

/* Nobody reads: the oldest are lost, whole, and counted; the rest arrives. */
START_TEST(no_room_is_loss)
{
	const struct flow *c = &x.client.flows[0];
	struct flow *f;
	size_t lost;
	int sent = 0;

	ends_init(&x, ciphers[_i], TINY);
	f = open_flow();
	for (; sent < 1000; sent++)
		ck_assert(send_one(f->stream, 9000));
	lost = f->lost;
	ck_assert_uint_gt(lost, 100);
	ck_assert_uint_lt(lost, 900);
	ck_assert_uint_le(x.server.budget.used, TUNNEL_DGRAM_MOST);
	ck_assert(send_one(f->stream, 77));
	x.fds[0] = sent + 1;
	ends_run(&x, all_arrived);
	ck_assert_uint_eq(c->last, 77); /* the latest came through */
	ck_assert_uint_eq(c->received, (c->dgrams - 1) * 9000 + 77);
	ck_assert_uint_eq(x.server.budget.used, 0);
}
END_TEST

/* What a budget does not hold is refused, and what waits stays in it. */
START_TEST(budget_is_a_bound)
{
	struct flow *f;

	ends_init(&x, RECORD_NONE, TINY);
	x.server.budget.limit = 20000;
	f = open_flow();
	for (int i = 0; i < 200; i++)
		ck_assert(send_one(f->stream, 9000));
	ck_assert_uint_gt(f->lost, 100);
	ck_assert_uint_le(x.server.budget.used, 20000);
	ck_assert(!send_one(f->stream, 60000));
	stream_end(f->stream, RESET_TIMEOUT);
	tunnel_close(x.server.tunnel);
	x.server.tunnel = NULL;
	ck_assert_uint_eq(x.server.budget.used, 0);
}
END_TEST

static bool
bytes_arrived(struct ends *e)
{
	return e->server.flows[0].fin && e->client.flows[0].fin;
}

/*
 * Datagrams as many as it takes, in each turn, beside a stream of bytes
 * through a tiny socket: the bytes arrive all the same, and datagrams too.
 */
START_TEST(neither_starves)
{
	struct flow *bytes, *f;
	int turns = 0;

	ends_init(&x, ciphers[_i], TINY);
	x.client.answer = 0;
	bytes = ends_open(&x, 1u << 20);
	f = open_flow();
	while (!bytes_arrived(&x)) {
		for (int i = 0; i < 500; i++)
			send_one(f->stream, 1200);
		ck_assert_int_lt(turns++, 1000000);
		ck_assert_int_eq(turn_once(x.turn), 0);
	}
	ck_assert_uint_eq(x.client.flows[0].received, 1u << 20);
	ck_assert_uint_gt(x.client.flows[1].dgrams, 100);
	ck_assert(bytes->fin);
}
END_TEST

static bool
client_is_reset(struct ends *e)
{
	return e->client.n > 0 && e->client.flows[0].reset;
}

START_TEST(either_end_ends_it)
{
	struct flow *f;

	ends_init(&x, RECORD_NONE, 0);
	f = open_flow();
	send_one(f->stream, 100);
	send_one(f->stream, 65507);
	stream_end(f->stream, RESET_TIMEOUT);
	ends_run(&x, client_is_reset);
	ck_assert_uint_eq(x.client.flows[0].dgrams, 2);
	ck_assert_int_eq((int)x.client.flows[0].reason, RESET_TIMEOUT);
	ck_assert_uint_eq(tunnel_streams(x.client.tunnel), 0);
	ck_assert_uint_eq(tunnel_streams(x.server.tunnel), 0);
}
END_TEST

static bool
server_has_ended(struct ends *e)
{
	return e->server.tunnel == NULL;
}

/* A whole line of frames that ends the tunnel. */
static const struct {
	uint8_t type[5];
	uint16_t n[5];
	const char *why;
} bad[] = {
	{ { FRAME_DATA }, { 1 }, "frame of bytes" },
	{ { FRAME_FIN }, { 0 }, "frame of bytes" },
	{ { FRAME_CREDIT }, { 4 }, "frame of bytes" },
	{ { FRAME_DGRAM_PART, FRAME_RESET }, { 1, 1 }, "not ended" },
	{ { FRAME_DGRAM_PART, FRAME_PING }, { 1, 8 }, "not ended" },
	{ { FRAME_DGRAM_PART, FRAME_DGRAM_PART, FRAME_DGRAM_PART,
	      FRAME_DGRAM_PART, FRAME_DGRAM },
	    { 16360, 16360, 16360, 16360, 88 }, "too large" },
};

START_TEST(nonsense_ends_the_tunnel)
{
	uint8_t frame[FRAME_HEAD + FRAME_PAYLOAD_MAX] = { 0 };
	struct flow *f;

	ends_init(&x, RECORD_NONE, 0);
	f = open_flow();
	ends_turns(&x, 3);
	for (size_t i = 0; i < 5 && bad[_i].type[i] != 0; i++) {
		frame_head(frame,
		    bad[_i].type[i] == FRAME_PING ? 0 : stream_id(f->stream),
		    bad[_i].type[i], bad[_i].n[i]);
		ck_assert_int_eq(
		    write(x.fds[1], frame, FRAME_HEAD + bad[_i].n[i]),
		    FRAME_HEAD + bad[_i].n[i]);
	}
	ends_run(&x, server_has_ended);
	ck_assert_ptr_nonnull(strstr(x.server.why, bad[_i].why));
	ck_assert(f->reset);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tunnel_dgrams");
	TCase *t = tcase_create("tunnel_dgrams");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, NULL, tear_down);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, any_size_both_ways, 0, SIZES * CIPHERS);
	tcase_add_test(t, too_large_is_refused);
	tcase_add_loop_test(t, no_room_is_loss, 0, CIPHERS);
	tcase_add_test(t, budget_is_a_bound);
	tcase_add_loop_test(t, neither_starves, 0, CIPHERS);
	tcase_add_test(t, either_end_ends_it);
	tcase_add_loop_test(t, nonsense_ends_the_tunnel, 0,
	    (int)(sizeof(bad) / sizeof(bad[0])));
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
