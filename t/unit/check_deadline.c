/* Unit test of deadline.c: order, moving, dropping. */
#include "common/base/deadline.h"

#include <check.h>
#include <stddef.h>
#include <stdlib.h>

static struct deadlines d;
static struct deadline x[3];

static void
setup(void)
{
	deadlines_init(&d, 10);
	for (int i = 0; i < 3; i++)
		x[i] = (struct deadline){ 0 };
}

START_TEST(due_in_order)
{
	for (uint64_t i = 0; i < 3; i++)
		deadline_set(&d, &x[i], 100 + i);
	ck_assert_ptr_null(deadlines_due(&d, 109));
	ck_assert_ptr_eq(deadlines_due(&d, 110), &x[0]);
	ck_assert(!deadline_is_set(&x[0]));
	ck_assert_ptr_null(deadlines_due(&d, 110));
	ck_assert_ptr_eq(deadlines_due(&d, 200), &x[1]);
	ck_assert_ptr_eq(deadlines_due(&d, 200), &x[2]);
	ck_assert_ptr_null(deadlines_due(&d, 200));
}
END_TEST

START_TEST(set_again_moves)
{
	deadline_set(&d, &x[0], 100);
	deadline_set(&d, &x[1], 101);
	deadline_set(&d, &x[0], 105);
	ck_assert_ptr_eq(deadlines_due(&d, 112), &x[1]);
	ck_assert_ptr_null(deadlines_due(&d, 112));
	ck_assert(deadline_is_set(&x[0]));
	ck_assert_ptr_eq(deadlines_due(&d, 115), &x[0]);
}
END_TEST

START_TEST(dropped_is_never_due)
{
	for (uint64_t i = 0; i < 3; i++)
		deadline_set(&d, &x[i], 100);
	deadline_drop(&x[1]);
	deadline_drop(&x[1]);
	ck_assert(!deadline_is_set(&x[1]));
	ck_assert_ptr_eq(deadlines_due(&d, UINT64_MAX), &x[0]);
	ck_assert_ptr_eq(deadlines_due(&d, UINT64_MAX), &x[2]);
	ck_assert_ptr_null(deadlines_due(&d, UINT64_MAX));
}
END_TEST

START_TEST(no_wait_is_for_ever)
{
	deadlines_init(&d, 0);
	deadline_set(&d, &x[0], 100);
	ck_assert(!deadline_is_set(&x[0]));
	ck_assert_ptr_null(deadlines_due(&d, UINT64_MAX));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("deadline");
	TCase *t = tcase_create("deadline");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, due_in_order);
	tcase_add_test(t, set_again_moves);
	tcase_add_test(t, dropped_is_never_due);
	tcase_add_test(t, no_wait_is_for_ever);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
