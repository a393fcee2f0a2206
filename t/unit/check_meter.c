/* Unit test of meter.c: turns, shares, change of rate, leaving. */
#include "worker/relay/meter.h"

#include <check.h>
#include <event2/event.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/tunnel/turn.h"

#define USERS 4
#define GAP_MS 50 /* longer between two turns, and a burst is all there is */

/* Somebody who always wants more. */
struct eater {
	struct meter_wait wait;
	size_t want, got;
	unsigned calls;
};

static struct event_base *base;
static struct turn *turn;
static struct meter m;
static struct eater user[USERS];
static uint64_t start, awake; /* ms: the test's begin, and what it ran of it */

static void
eat(void *arg)
{
	struct eater *u = arg;
	size_t n = meter_room(&m, &u->wait, u->want - u->got);

	u->calls++;
	meter_charge(&m, n);
	u->got += n;
}

static void
setup(void)
{
	base = event_base_new();
	turn = turn_new(base);
	meter_init(&m, turn);
	awake = 0;
	start = clock_ms();
	for (int i = 0; i < USERS; i++)
		user[i] =
		    (struct eater){ .wait = { .fn = eat, .arg = &user[i] },
			    .want = SIZE_MAX / 2 };
}

static void
teardown(void)
{
	for (int i = 0; i < USERS; i++)
		meter_leave(&m, &user[i].wait);
	meter_free(&m);
	turn_free(turn);
	event_base_free(base);
}

static void
beat(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

/* Turns for that long, which may be longer, and one when it has passed. */
static void
turns(uint64_t ms)
{
	static const struct timeval often = { 0, 1000 };
	struct event *pulse = event_new(base, -1, EV_PERSIST, beat, NULL);
	uint64_t now = clock_ms(), end = now + ms, last;
	bool over;

	event_add(pulse, &often); /* so that no turn waits for long */
	do {
		over = now >= end;
		last = now;
		turn_once(turn);
		now = clock_ms();
		awake += now - last < GAP_MS ? now - last : GAP_MS;
	} while (!over);
	event_free(pulse);
}

/* Turns until somebody has got something. */
static void
until_fed(const struct eater *u)
{
	while (u->got == 0)
		turns(5);
}

/* What may have passed since the test began, at that rate and burst. */
static uint64_t
at_most(uint64_t rate, uint64_t burst)
{
	return burst + (clock_ms() - start + 1) * rate / 1000;
}

START_TEST(without_limit)
{
	eat(&user[0]);
	ck_assert_uint_eq(user[0].got, user[0].want);
	ck_assert(!meter_limits(&m));
	ck_assert(meter_pass(&m, SIZE_MAX));
	ck_assert_ptr_null(m.timer);
}
END_TEST

START_TEST(shares_in_turn)
{
	uint64_t sum = 0;

	meter_set(&m, 1000000);
	for (int i = 0; i < USERS; i++)
		eat(&user[i]);
	turns(400);
	for (int i = 0; i < USERS; i++)
		sum += user[i].got;
	ck_assert_uint_le(sum, at_most(1000000, 100000));
	ck_assert_uint_ge(sum, awake * 1000 / 2);
	/* The first took the burst; the others have alike. */
	for (int i = 2; i < USERS; i++) {
		ck_assert_uint_ge(user[i].got + 25000, user[1].got);
		ck_assert_uint_le(user[i].got, user[1].got + 25000);
	}
}
END_TEST

/* Whoever comes while others wait gets nothing at once. */
START_TEST(nobody_goes_before)
{
	size_t first;

	meter_set(&m, 10); /* a portion takes 25 seconds */
	eat(&user[0]);
	first = user[0].got;
	ck_assert_uint_ge(first, BUCKET_BURST_MIN);
	turns(30);
	eat(&user[1]);
	ck_assert_uint_eq(user[1].got, 0);
	/* Nor the first by asking again. */
	eat(&user[0]);
	ck_assert_uint_eq(user[0].got, first);
}
END_TEST

START_TEST(who_leaves_is_not_called)
{
	unsigned calls;

	meter_set(&m, 100000);
	for (int i = 0; i < USERS; i++)
		eat(&user[i]);
	meter_leave(&m, &user[1].wait);
	meter_leave(&m, &user[USERS - 1].wait);
	meter_leave(&m, &user[USERS - 1].wait);
	calls = user[1].calls;
	until_fed(&user[2]);
	turns(100);
	ck_assert_uint_eq(user[1].calls, calls);
	ck_assert_uint_eq(user[USERS - 1].got, 0);
	eat(&user[USERS - 1]); /* and back */
	until_fed(&user[USERS - 1]);
}
END_TEST

START_TEST(another_rate_is_seen_at_once)
{
	meter_set(&m, 1);
	for (int i = 0; i < USERS; i++)
		eat(&user[i]);
	turns(50);
	ck_assert_uint_eq(user[1].got, 0);
	meter_set(&m, 1000000);
	until_fed(&user[1]);
	turns(100);
	ck_assert_uint_lt(user[1].got, 200000);
	meter_set(&m, 0);
	turns(20);
	for (int i = 0; i < USERS; i++)
		ck_assert_uint_eq(user[i].got, user[i].want);
}
END_TEST

START_TEST(datagrams_pass_or_do_not)
{
	meter_set(&m, 10000);
	ck_assert(meter_pass(&m, 600));
	ck_assert(meter_pass(&m, 600));
	ck_assert(!meter_pass(&m, 1)); /* 200 were in advance */
	turns(60);
	ck_assert(meter_pass(&m, 500));
	ck_assert(!meter_pass(&m, METER_PASS_MAX + 1));
}
END_TEST

/* Pieces larger than what a turn brings, beside one who always waits. */
START_TEST(datagrams_beside_bytes)
{
	uint64_t sum = 0;

	meter_set(&m, 10000);
	eat(&user[0]);
	do {
		sum += meter_pass(&m, 1200) ? 1200 : 0;
		turns(5);
	} while (awake < 1200);
	/* Half each, on a busy machine less. */
	ck_assert_uint_ge(sum, awake * 10 / 6);
	ck_assert_uint_ge(user[0].got, awake * 10 / 6);
	ck_assert_uint_le(sum + user[0].got, at_most(10000, 1000 + 1200));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("meter");
	TCase *c = tcase_create("meter");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, without_limit);
	tcase_add_test(c, shares_in_turn);
	tcase_add_test(c, nobody_goes_before);
	tcase_add_test(c, who_leaves_is_not_called);
	tcase_add_test(c, another_rate_is_seen_at_once);
	tcase_add_test(c, datagrams_pass_or_do_not);
	tcase_add_test(c, datagrams_beside_bytes);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
