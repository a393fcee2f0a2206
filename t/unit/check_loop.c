/* The event loop: when its timers are over. */
#include <check.h>
#include <event2/event.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/ipc/loop.h"

#define LONG_MS 300  /* a handler takes, */
#define TIMER_MS 100 /* and then has a timer wait */
#define COARSE_MS 10 /* that libevent's clock may be behind */

struct slow {
	struct event *timer, *nudged;
	int pair[2];
	uint64_t set, over;
};

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct slow *s = arg;

	(void)fd;
	(void)what;
	s->over = clock_ms();
}

/* Something else wakes the loop meanwhile. */
static void
on_nudged(evutil_socket_t fd, short what, void *arg)
{
	char byte;

	(void)what;
	(void)arg;
	ck_assert_int_eq(read(fd, &byte, 1), 1);
}

static void
on_begin(evutil_socket_t fd, short what, void *arg)
{
	struct timeval tv = { 0, TIMER_MS * 1000 };
	struct slow *s = arg;

	(void)fd;
	(void)what;
	ck_assert_int_eq(usleep(LONG_MS * 1000), 0);
	s->set = clock_ms();
	ck_assert_int_eq(evtimer_add(s->timer, &tv), 0);
	ck_assert_int_eq(event_add(s->nudged, NULL), 0);
	ck_assert_int_eq(write(s->pair[1], "x", 1), 1);
}

START_TEST(a_timer_waits_after_a_long_handler)
{
	struct event_base *base = loop_new();
	struct slow s = { .set = 0 };
	struct event *begin;

	ck_assert_ptr_nonnull(base);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, s.pair), 0);
	s.timer = evtimer_new(base, on_timer, &s);
	s.nudged = event_new(base, s.pair[0], EV_READ, on_nudged, &s);
	begin = event_new(base, -1, 0, on_begin, &s);
	ck_assert(s.timer != NULL && s.nudged != NULL && begin != NULL);
	event_active(begin, EV_TIMEOUT, 0);
	ck_assert_int_eq(event_base_dispatch(base), 1);
	ck_assert_uint_ge(s.over, s.set + TIMER_MS - COARSE_MS);
	event_free(begin);
	event_free(s.nudged);
	event_free(s.timer);
	event_base_free(base);
	close(s.pair[0]);
	close(s.pair[1]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("loop");
	TCase *c = tcase_create("loop");
	SRunner *r;
	int failed;

	tcase_add_test(c, a_timer_waits_after_a_long_handler);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
