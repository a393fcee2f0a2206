/* Unit test of idmap.c: against a plain array, through growth and removal. */
#include "common/base/idmap.h"

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define IDS 512
#define STEPS 20000

static struct idmap m;

static void
teardown(void)
{
	idmap_free(&m);
}

START_TEST(empty)
{
	size_t at = 0;

	ck_assert_ptr_null(idmap_get(&m, 1));
	ck_assert_ptr_null(idmap_get(&m, 0));
	ck_assert_ptr_null(idmap_take(&m, 1));
	ck_assert_ptr_null(idmap_next(&m, &at));
	ck_assert_int_eq(idmap_put(&m, 1, &m), 0);
	ck_assert_ptr_null(idmap_get(&m, 0));
	ck_assert_ptr_null(idmap_take(&m, 0));
	ck_assert_ptr_eq(idmap_take(&m, 1), &m);
	ck_assert_ptr_null(idmap_take(&m, 1));
	ck_assert_uint_eq(m.count, 0);
}
END_TEST

/* Numbers as the master gives them: an index below, its generation above. */
static uint32_t
number(size_t i)
{
	return i % 2 == 0 ? (uint32_t)(i + 1) : (uint32_t)(i + 1) << 20;
}

START_TEST(as_an_array_would)
{
	static int values[IDS];
	bool there[IDS] = { false };
	size_t count = 0;

	srand(1);
	for (int step = 0; step < STEPS; step++) {
		size_t i = (size_t)rand() % IDS;
		uint32_t id = number(i);

		if (rand() % 2 == 0) {
			ck_assert_int_eq(idmap_put(&m, id, &values[i]), 0);
			count += !there[i];
			there[i] = true;
		} else {
			ck_assert_ptr_eq(
			    idmap_take(&m, id), there[i] ? &values[i] : NULL);
			count -= there[i];
			there[i] = false;
		}
		ck_assert_uint_eq(m.count, count);
	}
	for (size_t i = 0; i < IDS; i++)
		ck_assert_ptr_eq(
		    idmap_get(&m, number(i)), there[i] ? &values[i] : NULL);
}
END_TEST

START_TEST(put_replaces)
{
	int a, b;

	idmap_put(&m, 5, &a);
	idmap_put(&m, 5, &b);
	ck_assert_uint_eq(m.count, 1);
	ck_assert_ptr_eq(idmap_take(&m, 5), &b);
}
END_TEST

/* Each is taken out as it is met, with others, in order or colliding. */
START_TEST(walk_sees_everything)
{
	static int seen[IDS], values[IDS];
	size_t at = 0;
	int *v;

	for (size_t i = 0; i < IDS; i++)
		idmap_put(&m, number(i), &values[i]);
	while ((v = idmap_next(&m, &at)) != NULL) {
		size_t i = (size_t)(v - values);

		seen[i]++;
		idmap_take(&m, number(i));
		/* Every fourth is gone before it is met, or after. */
		idmap_take(&m, number(i / 4 * 4));
	}
	for (size_t i = 0; i < IDS; i++) {
		ck_assert_int_le(seen[i], 1);
		if (i % 4 != 0)
			ck_assert_int_eq(seen[i], 1);
	}
	ck_assert_uint_eq(m.count, 0);
}
END_TEST

/* Ever new numbers, few at a time: the map does not grow with them. */
START_TEST(size_follows_what_is_there)
{
	int value;

	for (uint32_t id = 1; id < 100000; id++) {
		ck_assert_int_eq(idmap_put(&m, id, &value), 0);
		if (id > 8)
			ck_assert_ptr_eq(idmap_take(&m, id - 8), &value);
	}
	ck_assert_uint_eq(m.count, 8);
	ck_assert_uint_le(m.size, 128);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("idmap");
	TCase *t = tcase_create("idmap");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_test(t, empty);
	tcase_add_test(t, as_an_array_would);
	tcase_add_test(t, put_replaces);
	tcase_add_test(t, walk_sees_everything);
	tcase_add_test(t, size_follows_what_is_there);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
