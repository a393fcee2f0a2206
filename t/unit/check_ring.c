/* Unit test of ring.c: against a plain list, around the end and through growth.
 */
#include "common/base/ring.h"

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 20000
#define MOST 200000
#define PIECES 4096

static struct ring r;
static uint32_t size[PIECES]; /* of what waits */
static uint8_t sign[PIECES];
static size_t first, count, sum;

static void
setup(void)
{
	first = count = sum = 0;
}

static void
teardown(void)
{
	ring_free(&r);
}

static void
put(size_t n)
{
	size_t at = (first + count) % PIECES;
	uint8_t *p;

	if (count == PIECES)
		return;
	p = ring_put(&r, n, MOST);
	ck_assert_int_eq(p == NULL, sum + n > MOST);
	if (p == NULL)
		return;
	size[at] = (uint32_t)n;
	sign[at] = (uint8_t)rand();
	memset(p, sign[at], n);
	count++;
	sum += n;
}

static void
take(void)
{
	const uint8_t *p = ring_first(&r);
	bool same = true;

	if (count == 0) {
		ck_assert_ptr_null(p);
		return;
	}
	for (size_t i = 0; i < size[first]; i++)
		same = same && p[i] == sign[first];
	ck_assert(same);
	ring_take(&r, size[first]);
	sum -= size[first];
	count--;
	first = (first + 1) % PIECES;
}

/* The parts have the very bytes of the pieces, in order. */
static void
compare(void)
{
	struct iovec parts[RING_PARTS];
	int n = ring_parts(&r, parts);
	size_t all = 0, at = 0;
	int part = 0;

	for (int i = 0; i < n; i++)
		all += parts[i].iov_len;
	ck_assert_uint_eq(all, sum);
	ck_assert_uint_eq(r.used, sum);
	for (size_t i = 0; i < count; i++) {
		size_t which = (first + i) % PIECES;
		const uint8_t *p = (uint8_t *)parts[part].iov_base + at;

		ck_assert_uint_eq(p[0], sign[which]);
		ck_assert_uint_eq(p[size[which] - 1], sign[which]);
		at += size[which];
		if (at == parts[part].iov_len) {
			part++;
			at = 0;
		}
	}
}

START_TEST(as_a_list_would)
{
	static const size_t most[] = { 60, 3000, 66000 };

	srand((unsigned)_i);
	for (int step = 0; step < STEPS; step++) {
		/* More are put than taken for a while, then fewer. */
		if (rand() % 10 < (step / 500 % 2 == 0 ? 6 : 4))
			put(1 + (size_t)rand() % most[_i]);
		else
			take();
		if (step % 997 == 0)
			compare();
	}
	ck_assert_uint_le(r.cap, 4 * MOST);
	while (count > 0)
		take();
	ck_assert_ptr_null(ring_first(&r));
}
END_TEST

/* A full one turns round without growing. */
START_TEST(keeps_its_size)
{
	size_t cap;

	while (sum + 1208 <= MOST)
		put(1208);
	cap = r.cap;
	for (int i = 0; i < STEPS; i++) {
		take();
		put(1208);
	}
	ck_assert_uint_eq(r.cap, cap);
	compare();
}
END_TEST

START_TEST(has_its_bound)
{
	ck_assert_ptr_null(ring_put(&r, 11, 10));
	ck_assert_ptr_nonnull(ring_put(&r, 10, 10));
	ck_assert_ptr_null(ring_put(&r, 1, 10));
	ck_assert_ptr_null(ring_put(&r, SIZE_MAX, SIZE_MAX));
	ring_take(&r, 10);
	ck_assert_ptr_nonnull(ring_put(&r, 1, 10));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ring");
	TCase *t = tcase_create("ring");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, as_a_list_would, 0, 3);
	tcase_add_test(t, keeps_its_size);
	tcase_add_test(t, has_its_bound);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
