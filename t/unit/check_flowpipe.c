/* Flows of datagrams over a stream socketpair. */
#include <sys/socket.h>

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/net/flowpipe.h"

#define GOT_MAX 20000

/* What came out at the other end. */
static struct got {
	uint32_t flow;
	uint8_t type;
	size_t n;
	uint32_t first; /* of its bytes */
} got[GOT_MAX];

static size_t ngot;
static struct flowpipe *a, *b;
static int raw; /* b's descriptor, for bytes of the test's own */
static uint8_t scratch[FLOWPIPE_SCRATCH], payload[FLOWPIPE_DGRAM_MAX + 1];

static const struct addr peer = { ADDR_V4, 5353, { 192, 0, 2, 1 } };
static const struct addr local = { ADDR_V6, 53, { 0x20, 1, 0xd, 0xb8 } };

static void
setup(void)
{
	int fds[2];

	signal(SIGPIPE, SIG_IGN);

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	ck_assert_ptr_nonnull(a = flowpipe_new(fds[0]));
	ck_assert_ptr_nonnull(b = flowpipe_new(fds[1]));
	raw = fds[1];
	ngot = 0;
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7);
}

static void
teardown(void)
{
	flowpipe_free(a);
	flowpipe_free(b);
}

static int
take(void *arg, const struct flow_frame *f)
{
	struct got *g = &got[ngot++];

	(void)arg;
	ck_assert_uint_lt(ngot, GOT_MAX);
	*g = (struct got){ f->flow, f->type, f->n, 0 };
	if (f->type == FLOW_OPEN) {
		ck_assert(addr_equal(&f->peer, &peer));
		ck_assert(addr_equal(&f->local, &local));
	}
	if (f->type == FLOW_DGRAM && f->n >= 4) {
		memcpy(&g->first, f->p, 4);
		ck_assert_mem_eq(f->p + 4, payload + 4, f->n - 4);
	}
	return 0;
}

/* Everything from a to b. */
static void
drain(void)
{
	do
		ck_assert_int_eq(flowpipe_flush(a), 0);
	while (flowpipe_read(b, scratch, true, take, NULL) > 0 ||
	    flowpipe_waits(a));
}

static void
put(uint32_t flow, uint32_t number, size_t n)
{
	memcpy(payload, &number, sizeof(number));
	flowpipe_dgram(a, flow, payload, n);
}

static const size_t sizes[] = { 0, 1, 4, 1200, 1472, 9000, 65507, 65527 };

START_TEST(carries_every_size)
{
	ck_assert_int_eq(flowpipe_open(a, 7, &peer, &local), 0);
	put(7, 1, sizes[_i]);
	put(7, 2, sizes[_i]);
	ck_assert_int_eq(flowpipe_flush(a), 0);
	ck_assert_int_eq(flowpipe_end(a, 7), 0);
	drain();
	ck_assert_uint_eq(ngot, 4);
	ck_assert_uint_eq(got[0].type, FLOW_OPEN);
	ck_assert_uint_eq(got[1].type, FLOW_DGRAM);
	ck_assert_uint_eq(got[1].n, sizes[_i]);
	ck_assert_uint_eq(got[2].n, sizes[_i]);
	ck_assert_uint_eq(got[3].type, FLOW_END);
	ck_assert_uint_eq(got[3].flow, 7);
	ck_assert_uint_eq(flowpipe_drops(a), 0);
}
END_TEST

START_TEST(too_large_is_nothing)
{
	flowpipe_dgram(a, 1, payload, FLOWPIPE_DGRAM_MAX + 1);
	ck_assert(!flowpipe_waits(a));
}
END_TEST

/* Nobody reads: the oldest go, what begun is ended, control stays. */
START_TEST(drops_the_oldest)
{
	uint32_t n = 4000, last = 0;
	size_t dgrams = 0, opens = 0;

	for (uint32_t i = 1; i <= n; i++) {
		if (i % 100 == 0)
			ck_assert_int_eq(flowpipe_open(a, i, &peer, &local), 0);
		put(1, i, 1200);
		if (_i == 1) /* in small writes: frames are cut anywhere */
			ck_assert_int_eq(flowpipe_flush(a), 0);
	}
	ck_assert_uint_gt(flowpipe_drops(a), 0);
	drain();
	for (size_t i = 0; i < ngot; i++) {
		opens += got[i].type == FLOW_OPEN;
		if (got[i].type != FLOW_DGRAM)
			continue;
		dgrams++;
		ck_assert_uint_gt(got[i].first, last); /* in order */
		last = got[i].first;
	}
	ck_assert_uint_eq(opens, n / 100);
	ck_assert_uint_eq(last, n);
	ck_assert_uint_eq(dgrams + flowpipe_drops(a), n);
}
END_TEST

START_TEST(control_is_bounded)
{
	size_t n = 0;

	while (flowpipe_end(a, 1) == 0)
		ck_assert_uint_le(++n, FLOWPIPE_CONTROL / FLOWPIPE_HEAD);
	ck_assert_uint_eq(n, FLOWPIPE_CONTROL / FLOWPIPE_HEAD);
}
END_TEST

START_TEST(gives_memory_back)
{
	put(1, 1, 1200);
	drain();
	flowpipe_rest(a);
	flowpipe_rest(a);
	put(1, 2, 1200);
	drain();
	ck_assert_uint_eq(ngot, 2);
}
END_TEST

START_TEST(end_is_told)
{
	flowpipe_free(a);
	a = NULL;
	ck_assert_int_eq(flowpipe_read(b, scratch, true, take, NULL), -1);
	ck_assert_int_eq(errno, EPIPE);
	for (int i = 0; i < 2000; i++)
		flowpipe_dgram(b, 1, payload, 100);
	ck_assert_int_eq(flowpipe_flush(b), -1);
}
END_TEST

static const struct {
	uint8_t p[12];
	size_t n;
} broken[] = {
	{ { 0, 0, 0, 1, 0, 0, 0, 0 }, 8 }, /* no type */
	{ { 0, 0, 0, 1, 4, 0, 0, 0 }, 8 },
	{ { 0, 0, 0, 1, FLOW_DGRAM, 1, 0, 0 }, 8 }, /* 65536 */
	{ { 0, 0, 0, 1, FLOW_DGRAM, 0, 0xff, 0xf8 }, 8 },
	{ { 0, 0, 0, 1, FLOW_END, 0, 0, 1, 0 }, 9 },
	{ { 0, 0, 0, 1, FLOW_OPEN, 0, 0, 37 }, 8 },
};

START_TEST(broken_frames)
{
	ck_assert_int_eq(
	    write(raw, broken[_i].p, broken[_i].n), (ssize_t)broken[_i].n);
	ck_assert_int_eq(flowpipe_read(a, scratch, true, take, NULL), -1);
	ck_assert_int_eq(errno, EBADMSG);
	ck_assert_uint_eq(ngot, 0);
}
END_TEST

/* The relay opens nothing; an address has one form. */
START_TEST(opens_of_the_wrong_side)
{
	flowpipe_open(a, 1, &peer, &local);
	ck_assert_int_eq(flowpipe_flush(a), 0);
	ck_assert_int_eq(flowpipe_read(b, scratch, false, take, NULL), -1);
	ck_assert_int_eq(errno, EBADMSG);
}
END_TEST

START_TEST(byte_by_byte)
{
	uint8_t space[200];
	ssize_t n;

	flowpipe_open(a, 1, &peer, &local);
	put(1, 9, 50);
	ck_assert_int_eq(flowpipe_flush(a), 0);
	n = read(raw, space, sizeof(space));
	ck_assert_int_eq(n, 46 + 58);
	for (ssize_t i = 0; i < n; i++) {
		ck_assert_int_eq(write(raw, space + i, 1), 1);
		ck_assert_int_eq(
		    flowpipe_read(a, scratch, true, take, NULL), 1);
	}
	ck_assert_uint_eq(ngot, 2);
	ck_assert_uint_eq(got[1].n, 50);
	ck_assert_int_eq(flowpipe_read(a, scratch, true, take, NULL), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("flowpipe");
	TCase *t = tcase_create("flowpipe");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(
	    t, carries_every_size, 0, (int)(sizeof(sizes) / sizeof(sizes[0])));
	tcase_add_test(t, too_large_is_nothing);
	tcase_add_loop_test(t, drops_the_oldest, 0, 2);
	tcase_add_test(t, control_is_bounded);
	tcase_add_test(t, gives_memory_back);
	tcase_add_test(t, end_is_told);
	tcase_add_loop_test(
	    t, broken_frames, 0, (int)(sizeof(broken) / sizeof(broken[0])));
	tcase_add_test(t, opens_of_the_wrong_side);
	tcase_add_test(t, byte_by_byte);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
