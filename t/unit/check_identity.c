/* Unit test of identity.c. */
#include "client/identity.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"

#define ROOM 1024

static uint8_t bytes[ROOM];
static struct buf b;

static size_t
put(const struct identity *i)
{
	buf_write(&b, bytes, sizeof(bytes));
	ck_assert_int_eq(identity_put(&b, i), 0);
	return buf_used(&b);
}

static int
get(struct identity *i, size_t n)
{
	buf_read(&b, bytes, n);
	return identity_get(&b, i);
}

START_TEST(goes_both_ways_and_in_one_length)
{
	struct identity i = { .number = IDENTITY_MAX - 1,
		.method = _i == 0 ? LOGIN_SECRET : LOGIN_KEY,
		.cipher = IDENTITY_CIPHER_AUTO };
	struct identity back;
	size_t n;

	memset(i.id, 'a', TEXT_LABEL_MAX);
	memset(i.instance, 7, sizeof(i.instance));
	if (_i == 0)
		memset(i.secret, 's', LOGIN_SECRET_MAX);
	else
		memset(i.key, 0x99, sizeof(i.key));
	n = put(&i);
	ck_assert_int_eq(get(&back, n), 0);
	ck_assert_mem_eq(&back, &i, sizeof(i));
	for (size_t len = 0; len < n; len++)
		ck_assert_int_eq(get(&back, len), -1);
	ck_assert_int_eq(get(&back, n + 1), -1);
}
END_TEST

START_TEST(refuses_what_is_out_of_bounds)
{
	struct identity i = { .method = LOGIN_SECRET, .id = "a" }, back;
	size_t n = put(&i);

	ck_assert_int_eq(get(&back, n), 0);
	bytes[0] = IDENTITY_MAX;
	ck_assert_int_eq(get(&back, n), -1);
	bytes[0] = 0;
	for (unsigned method = 0; method < 256; method++) {
		bytes[1] = (uint8_t)method;
		if (method != LOGIN_SECRET && method != LOGIN_KEY)
			ck_assert_int_eq(get(&back, n), -1);
	}
	bytes[1] = LOGIN_SECRET;
	bytes[2] = 3; /* no cipher */
	ck_assert_int_eq(get(&back, n), -1);
}
END_TEST

START_TEST(start_goes_both_ways)
{
	const uint8_t exporter[255] = { 1 }, preface[8] = { 2 };
	struct identity_start s = { .transport = 3,
		.exporter = exporter,
		.exporter_len = sizeof(exporter),
		.preface = preface,
		.preface_len = sizeof(preface),
		.identity = 4,
		.plain = true };
	struct identity_start back;
	size_t n;

	buf_write(&b, bytes, sizeof(bytes));
	ck_assert_int_eq(identity_start_put(&b, &s), 0);
	n = buf_used(&b);
	buf_read(&b, bytes, n);
	ck_assert_int_eq(identity_start_get(&b, &back), 0);
	ck_assert_uint_eq(back.transport, 3);
	ck_assert_uint_eq(back.identity, 4);
	ck_assert(back.plain);
	ck_assert_uint_eq(back.exporter_len, sizeof(exporter));
	ck_assert_mem_eq(back.exporter, exporter, sizeof(exporter));
	ck_assert_uint_eq(back.preface_len, sizeof(preface));
	ck_assert_mem_eq(back.preface, preface, sizeof(preface));
	bytes[n - 1] = 2;
	buf_read(&b, bytes, n);
	ck_assert_int_eq(identity_start_get(&b, &back), -1);
	for (size_t len = 0; len < n; len++) {
		buf_read(&b, bytes, len);
		ck_assert_int_eq(identity_start_get(&b, &back), -1);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("identity");
	TCase *t = tcase_create("codecs");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, goes_both_ways_and_in_one_length, 0, 2);
	tcase_add_test(t, refuses_what_is_out_of_bounds);
	tcase_add_test(t, start_goes_both_ways);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
