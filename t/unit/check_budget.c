/* Unit test of budget.c: bounds, shares, and who has to go. */
#include "common/tunnel/budget.h"

#include <check.h>
#include <stdlib.h>

#define MS UINT64_C(1000)
#define START (1000 * MS)
#define LATER (START + BUDGET_STALL_MS * MS)

static struct tunnel_budget all, a, b;
static struct budget_stall x, y, z;

static void
setup(void)
{
	budget_init(&all, 1500, NULL);
	budget_init(&a, 1000, &all);
	budget_init(&b, 1000, &all);
	x = y = z = (struct budget_stall){ 0 };
}

START_TEST(bounds)
{
	ck_assert(budget_take(&a, 1000));
	ck_assert(!budget_take(&a, 1));
	ck_assert(!budget_take(&b, 501)); /* all together */
	ck_assert(budget_take(&b, 500));
	ck_assert_uint_eq(all.used, 1500);
	ck_assert(!budget_take(&b, 1));
	ck_assert(!budget_take(&b, UINT64_MAX));
	budget_give(&a, 1000);
	ck_assert(budget_take(&b, 500));
	ck_assert(!budget_take(&b, 1));
	ck_assert_uint_eq(a.used, 0);
	ck_assert_uint_eq(b.used, 1000);
	/* A limit that has become less than what is in use. */
	b.limit = 10;
	ck_assert(!budget_take(&b, 1));
}
END_TEST

START_TEST(windows_shrink)
{
	ck_assert_uint_eq(budget_window(&a, 320), 320);
	budget_take(&a, 499);
	ck_assert(!budget_is_short(&a));
	budget_take(&a, 1);
	ck_assert(budget_is_short(&a));
	ck_assert_uint_eq(budget_window(&a, 320), 80);
	ck_assert(!budget_is_short(&b));
	budget_take(&a, 250);
	ck_assert_uint_eq(budget_window(&a, 320), 10);
	/* Half of all is in use by another. */
	ck_assert(budget_is_short(&b));
	ck_assert_uint_eq(budget_window(&b, 320), 80);
	budget_take(&b, 375);
	ck_assert_uint_eq(budget_window(&b, 320), 10);
}
END_TEST

START_TEST(longest_stalled_goes)
{
	budget_take(&a, 1000);
	ck_assert_ptr_null(budget_victim(&a, 1, LATER));
	budget_stalled(&a, &x, START);
	budget_stalled(&a, &y, START + MS);
	budget_stalled(&a, &z, START + 2 * MS);
	ck_assert_ptr_null(budget_victim(&a, 1, LATER - MS));
	ck_assert_ptr_eq(budget_victim(&a, 1, LATER), &x);
	ck_assert_ptr_null(budget_victim(&a, 0, LATER)); /* there is room */
	budget_stalled(&a, &x, LATER); /* it has moved: now the last */
	ck_assert_ptr_eq(budget_victim(&a, 1, LATER + MS), &y);
	budget_moved(&a, &y);
	budget_moved(&a, &y);
	ck_assert_ptr_eq(budget_victim(&a, 1, LATER + 2 * MS), &z);
	budget_moved(&a, &z);
	ck_assert_ptr_null(budget_victim(&a, 1, LATER + 2 * MS));
	ck_assert_ptr_eq(budget_victim(&a, 1, LATER + 9000 * MS), &x);
	budget_moved(&a, &x);
	ck_assert_ptr_null(a.first);
	ck_assert_ptr_null(a.last);
}
END_TEST

/* Out of the middle, and both ends. */
START_TEST(order_of_three)
{
	struct budget_stall *three[] = { &x, &y, &z };

	for (int i = 0; i < 3; i++)
		budget_stalled(&a, three[i], START + (uint64_t)i * MS);
	budget_moved(&a, three[_i]);
	ck_assert_ptr_eq(a.first, _i == 0 ? &y : &x);
	ck_assert_ptr_eq(a.last, _i == 2 ? &y : &z);
	ck_assert_ptr_eq(a.first->next, a.last);
	ck_assert_ptr_eq(a.last->prev, a.first);
}
END_TEST

START_TEST(greediest_pays_for_all)
{
	budget_take(&a, 900);
	budget_take(&b, 600);
	budget_stalled(&b, &x, START);
	/* a uses more, but nobody of it has stalled. */
	ck_assert_ptr_eq(budget_victim(&b, 1, LATER), &x);
	budget_stalled(&a, &y, START + MS);
	ck_assert_ptr_eq(budget_victim(&b, 1, LATER), &x);
	ck_assert_ptr_eq(budget_victim(&b, 1, LATER + MS), &y);
	/* Who is at its own bound pays itself. */
	b.limit = 600;
	ck_assert_ptr_eq(budget_victim(&b, 1, LATER + MS), &x);
	budget_end(&a);
	b.limit = 1000;
	ck_assert_ptr_eq(budget_victim(&b, 1, LATER + MS), &x);
	budget_end(&b);
	budget_end(&b);
	ck_assert_ptr_null(all.children);
}
END_TEST

/* The clock of stalls is 32 bits of milliseconds: 49 days. */
START_TEST(clock_wraps)
{
	uint64_t wrap = (UINT64_C(1) << 32) * MS;

	budget_take(&a, 1000);
	budget_stalled(&a, &x, wrap - MS);
	ck_assert_ptr_null(budget_victim(&a, 1, wrap + MS));
	ck_assert_ptr_eq(
	    budget_victim(&a, 1, wrap - MS + BUDGET_STALL_MS * MS), &x);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("budget");
	TCase *c = tcase_create("budget");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, NULL);
	tcase_add_test(c, bounds);
	tcase_add_test(c, windows_shrink);
	tcase_add_test(c, longest_stalled_goes);
	tcase_add_loop_test(c, order_of_three, 0, 3);
	tcase_add_test(c, greediest_pays_for_all);
	tcase_add_test(c, clock_wraps);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
