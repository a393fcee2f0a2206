/* Turns of the event loop. */
#include <check.h>
#include <event2/event.h>
#include <string.h>
#include <unistd.h>

#include "common/tunnel/turn.h"

static struct event_base *base;
static struct turn *turn;
static char trace[64]; /* names of the items, as they were called */

struct named {
	struct turn_item item;
	char name;
	struct named *end, *next, *cancel; /* to ask for while called */
};

static void
called(void *arg)
{
	struct named *n = arg;

	strncat(trace, &n->name, 1);
	if (n->end != NULL)
		turn_end(turn, &n->end->item);
	if (n->next != NULL)
		turn_next(turn, &n->next->item);
	if (n->cancel != NULL)
		turn_cancel(&n->cancel->item);
}

static struct named a, b, c, d;

static void
setup(void)
{
	struct named *const all[] = { &a, &b, &c, &d };

	base = event_base_new();
	turn = turn_new(base);
	ck_assert_ptr_nonnull(turn);
	for (size_t i = 0; i < 4; i++) {
		*all[i] = (struct named){ .name = (char)('a' + i) };
		turn_item_init(&all[i]->item, called, all[i]);
	}
	trace[0] = '\0';
}

static void
teardown(void)
{
	turn_free(turn);
	event_base_free(base);
}

START_TEST(in_order)
{
	turn_end(turn, &a.item);
	turn_end(turn, &b.item);
	turn_end(turn, &a.item); /* twice is once */
	turn_next(turn, &c.item);
	turn_end(turn, &c.item); /* it is asked for already */
	ck_assert_int_eq(turn_once(turn), 0);
	ck_assert_str_eq(trace, "abc");
	turn_next(turn, &a.item);
	ck_assert_int_eq(turn_once(turn), 0);
	ck_assert_str_eq(trace, "abca");
}
END_TEST

START_TEST(while_called)
{
	/* What is asked for at the end still belongs to this turn. */
	a.end = &b;
	b.next = &c;
	turn_end(turn, &a.item);
	turn_next(turn, &d.item); /* so that nothing waits */
	ck_assert_int_eq(turn_once(turn), 0);
	ck_assert_str_eq(trace, "abdc");
	/* What is asked for the next turn by one of it waits for that. */
	trace[0] = '\0';
	b.next = NULL;
	a.end = NULL;
	a.next = &a;
	turn_next(turn, &a.item);
	ck_assert_int_eq(turn_once(turn), 0);
	ck_assert_str_eq(trace, "a");
	ck_assert_int_eq(turn_once(turn), 0);
	ck_assert_str_eq(trace, "aa");
}
END_TEST

START_TEST(cancel)
{
	a.cancel = &b;
	turn_end(turn, &a.item);
	turn_end(turn, &b.item);
	turn_end(turn, &c.item);
	turn_end(turn, &d.item);
	turn_cancel(&c.item);
	turn_cancel(&c.item);
	turn_next(turn, &c.item);
	ck_assert_int_eq(turn_once(turn), 0);
	ck_assert_str_eq(trace, "adc");
	/* Cancelled in a ring that is being called, and asked for again. */
	trace[0] = '\0';
	a.end = &b;
	turn_end(turn, &a.item);
	turn_end(turn, &b.item);
	turn_next(turn, &c.item);
	ck_assert_int_eq(turn_once(turn), 0);
	ck_assert_str_eq(trace, "ac");
}
END_TEST

START_TEST(frees)
{
	a.end = &b;
	turn_end(turn, &a.item);
	turn_next(turn, &c.item);
	turn_free(turn);
	turn = NULL;
	ck_assert_str_eq(trace, "ab");
}
END_TEST

static void
stop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	turn_end(turn, &((struct named *)arg)->item);
	turn_stop(turn);
}

START_TEST(run)
{
	static const struct timeval soon = { 0, 100000 };
	uint64_t before = turn_now(turn);
	struct event *ev = event_new(base, -1, 0, stop, &a);

	ck_assert_uint_eq(turn_now(turn), before);
	event_add(ev, &soon);
	turn_next(turn, &b.item);
	ck_assert_int_eq(turn_run(turn), 0);
	ck_assert_str_eq(trace, "ba");
	ck_assert_uint_ge(turn_now(turn), before + 80000);
	memset(turn_scratch(turn), 1, TURN_SCRATCH);
	ck_assert_ptr_eq(turn_base(turn), base);
	event_free(ev);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("turn");
	TCase *t = tcase_create("turn");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, in_order);
	tcase_add_test(t, while_called);
	tcase_add_test(t, cancel);
	tcase_add_test(t, frees);
	tcase_add_test(t, run);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
