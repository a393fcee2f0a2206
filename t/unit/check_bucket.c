/* Unit test of bucket.c: rate, burst, debt, and change of rate. */
#include "common/base/bucket.h"

#include <check.h>
#include <stdlib.h>

#define S UINT64_C(1000000) /* microseconds */
#define START (5 * S)

static struct bucket b;

static void
setup(void)
{
	b = (struct bucket){ 0 };
}

/* Bytes that pass from `from` to `to` if all is taken every `step`. */
static uint64_t
passed(uint64_t from, uint64_t to, uint64_t step)
{
	uint64_t sum = 0;

	for (uint64_t t = from; t <= to; t += step) {
		size_t n = bucket_room(&b, SIZE_MAX, t);

		bucket_charge(&b, n);
		sum += n;
	}
	return sum;
}

START_TEST(without_a_rate_all_passes)
{
	bucket_set(&b, 0, START);
	ck_assert_uint_eq(bucket_room(&b, SIZE_MAX, START), SIZE_MAX);
	bucket_charge(&b, UINT64_MAX);
	ck_assert_uint_eq(bucket_room(&b, 7, START), 7);
	ck_assert_uint_eq(bucket_wait(&b, SIZE_MAX, START), 0);
}
END_TEST

/* Rates from the least to the most, looked at seldom and often. */
START_TEST(keeps_the_rate)
{
	static const uint64_t rates[] = { 1, 7, 1024, 100000, 4 << 20,
		UINT64_C(1) << 32, BUCKET_RATE_MAX };
	static const uint64_t steps[] = { 1, 333, 10000 };
	uint64_t rate = rates[_i];

	for (size_t i = 0; i < 3; i++) {
		uint64_t time = steps[i] == 1 ? S / 10 : 20 * S, n, most;

		setup();
		bucket_set(&b, rate, START);
		passed(START, START, 1); /* the burst */
		n = passed(START, START + time, steps[i]);
		most = time < S ? rate / 10 : rate * (time / S);
		ck_assert_uint_le(n, most + most / 1000 + rate);
		if (most > 1000)
			ck_assert_uint_ge(n, most - most / 100);
	}
}
END_TEST

START_TEST(burst_is_small_also_after_long)
{
	bucket_set(&b, 1024, START);
	ck_assert_uint_eq(bucket_room(&b, SIZE_MAX, START), BUCKET_BURST_MIN);
	bucket_charge(&b, BUCKET_BURST_MIN);
	ck_assert_uint_eq(bucket_room(&b, 1, START), 0);
	ck_assert_uint_eq(bucket_room(&b, SIZE_MAX, START + 86400 * S * 365),
	    BUCKET_BURST_MIN);
	setup();
	bucket_set(&b, 1 << 20, START);
	ck_assert_uint_eq(
	    bucket_room(&b, SIZE_MAX, UINT64_MAX), (1 << 20) / 1000 * 100);
	setup();
	bucket_set(&b, UINT64_MAX, START);
	ck_assert_uint_eq(b.rate, BUCKET_RATE_MAX);
	ck_assert_uint_eq(bucket_room(&b, SIZE_MAX, UINT64_MAX),
	    BUCKET_RATE_MAX / 1000 * 100);
}
END_TEST

START_TEST(wait_is_just_enough)
{
	bucket_set(&b, 1000, START);
	bucket_charge(&b, BUCKET_BURST_MIN);
	ck_assert_uint_eq(bucket_wait(&b, 100, START), 100001);
	ck_assert_uint_lt(bucket_room(&b, 100, START + 99000), 100);
	ck_assert_uint_eq(bucket_room(&b, 100, START + 100001), 100);
	/* More than ever passes at once: until it is full. */
	ck_assert_uint_le(
	    bucket_wait(&b, SIZE_MAX, START + 100001), 412 * 1000 + 1);
	ck_assert_uint_eq(bucket_wait(&b, 1, START + 2 * S), 0);
}
END_TEST

START_TEST(others_may_use_it_up_but_not_for_ever)
{
	bucket_set(&b, 10000, START);
	bucket_charge(&b, UINT64_MAX); /* a liar */
	ck_assert_uint_eq(bucket_room(&b, 1, START), 0);
	ck_assert_uint_eq(bucket_room(&b, 1, START + S - 1000), 0);
	ck_assert_uint_eq(bucket_room(&b, 1, START + S + 1000), 1);
}
END_TEST

/* Larger than the burst, and than what a second brings: it is paid for. */
START_TEST(a_large_piece_is_paid_for)
{
	bucket_set(&b, 1000, START);
	ck_assert_uint_eq(bucket_wait(&b, 65507, START), 0);
	bucket_charge_whole(&b, 65507);
	bucket_charge(&b, 100); /* by others, who may add no more */
	ck_assert_uint_eq(bucket_room(&b, 1, START + 64 * S), 0);
	ck_assert_uint_gt(bucket_wait(&b, 65507, START + 65 * S), 0);
	ck_assert_uint_eq(bucket_wait(&b, 65507, START + 66 * S), 0);
}
END_TEST

START_TEST(another_rate)
{
	bucket_set(&b, 1 << 20, START);
	bucket_set(&b, 1000, START); /* what was saved up goes */
	ck_assert_uint_eq(bucket_room(&b, SIZE_MAX, START), BUCKET_BURST_MIN);
	bucket_charge(&b, BUCKET_BURST_MIN + 100);
	bucket_set(&b, 100000, START); /* what is owed stays */
	ck_assert_uint_eq(bucket_room(&b, SIZE_MAX, START), 0);
	ck_assert_uint_eq(bucket_room(&b, SIZE_MAX, START + 2000), 100);
	bucket_set(&b, 0, START);
	ck_assert_uint_eq(bucket_room(&b, 5000, START), 5000);
}
END_TEST

START_TEST(time_that_stands_still)
{
	bucket_set(&b, 1000, START);
	bucket_charge(&b, BUCKET_BURST_MIN);
	ck_assert_uint_eq(bucket_room(&b, 1, START - 1), 0);
	ck_assert_uint_eq(bucket_room(&b, 1, 0), 0);
	ck_assert_uint_eq(bucket_room(&b, 1, START + 1000), 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("bucket");
	TCase *c = tcase_create("bucket");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, NULL);
	tcase_add_test(c, without_a_rate_all_passes);
	tcase_add_loop_test(c, keeps_the_rate, 0, 7);
	tcase_add_test(c, burst_is_small_also_after_long);
	tcase_add_test(c, wait_is_just_enough);
	tcase_add_test(c, others_may_use_it_up_but_not_for_ever);
	tcase_add_test(c, a_large_piece_is_paid_for);
	tcase_add_test(c, another_rate);
	tcase_add_test(c, time_that_stands_still);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
