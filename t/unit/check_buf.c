/* Unit test of buf.c: all or nothing, at every boundary, and for good. */
#include "common/base/buf.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(numbers_are_big_endian)
{
	static const uint8_t want[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
		13, 14, 15 };
	uint8_t p[15], u8 = 0;
	uint16_t u16 = 0;
	uint32_t u32 = 0;
	uint64_t u64 = 0;
	struct buf b;

	buf_write(&b, p, sizeof(p));
	ck_assert_int_eq(buf_put_u8(&b, 1), 0);
	ck_assert_int_eq(buf_put_u16(&b, 0x0203), 0);
	ck_assert_int_eq(buf_put_u32(&b, 0x04050607), 0);
	ck_assert_int_eq(buf_put_u64(&b, 0x08090a0b0c0d0e0f), 0);
	ck_assert(buf_done(&b));
	ck_assert_mem_eq(p, want, sizeof(want));
	buf_read(&b, p, sizeof(p));
	ck_assert_int_eq(buf_get_u8(&b, &u8), 0);
	ck_assert_int_eq(buf_get_u16(&b, &u16), 0);
	ck_assert_int_eq(buf_get_u32(&b, &u32), 0);
	ck_assert_int_eq(buf_get_u64(&b, &u64), 0);
	ck_assert(buf_done(&b));
	ck_assert_uint_eq(u8, 1);
	ck_assert_uint_eq(u16, 0x0203);
	ck_assert_uint_eq(u32, 0x04050607);
	ck_assert_uint_eq(u64, 0x08090a0b0c0d0e0f);
}
END_TEST

/* One byte too few: nothing is got, and nothing is ever again. */
START_TEST(too_short_is_sticky)
{
	static const uint8_t p[8] = { 9, 9, 9, 9, 9, 9, 9, 9 };
	static const size_t need[] = { 1, 2, 4, 8, 3, 3, 2, 3, 2, 3 };
	uint8_t u8 = 7, out[8] = { 7 };
	uint16_t u16 = 7;
	uint32_t u32 = 7;
	uint64_t u64 = 7;
	const uint8_t *view = NULL;
	const char *str = NULL;
	char dst[8] = "7";
	size_t n = 7;
	struct buf b;
	int rc = 0;

	buf_read(&b, p, need[_i] - 1);
	switch (_i) {
	case 0:
		rc = buf_get_u8(&b, &u8);
		break;
	case 1:
		rc = buf_get_u16(&b, &u16);
		break;
	case 2:
		rc = buf_get_u32(&b, &u32);
		break;
	case 3:
		rc = buf_get_u64(&b, &u64);
		break;
	case 4:
		rc = buf_get(&b, out, 3);
		break;
	case 5:
		rc = buf_get_view(&b, &view, 3);
		break;
	case 6:
		rc = buf_get_str8(&b, &str, &n);
		break;
	case 7:
		rc = buf_get_str16(&b, &str, &n);
		break;
	case 8:
		rc = buf_get_cstr8(&b, dst, sizeof(dst));
		break;
	case 9:
		rc = buf_get_cstr16(&b, dst, sizeof(dst));
		break;
	}
	ck_assert_int_eq(rc, -1);
	ck_assert(!buf_ok(&b));
	ck_assert(!buf_done(&b));
	ck_assert_uint_eq(buf_left(&b), 0);
	ck_assert_uint_eq(u8 + u16 + u32 + u64 + n, 35);
	ck_assert_uint_eq(out[0], 7);
	ck_assert_str_eq(dst, "7");
	ck_assert_ptr_null(view);
	ck_assert_ptr_null(str);
	ck_assert_int_eq(buf_get(&b, out, 0), -1);
	ck_assert_int_eq(buf_put_u8(&b, 1), -1);
}
END_TEST

START_TEST(strings)
{
	uint8_t p[600];
	char dst[256], small[3];
	const char *v;
	struct buf b;
	size_t n;

	memset(dst, 'x', sizeof(dst));
	buf_write(&b, p, sizeof(p));
	ck_assert_int_eq(buf_put_str8(&b, dst, 255), 0);
	ck_assert_int_eq(buf_put_str16(&b, dst, 256), 0);
	ck_assert_int_eq(buf_put_cstr8(&b, ""), 0);
	ck_assert_int_eq(buf_put_cstr16(&b, "ab"), 0);
	n = buf_used(&b);
	ck_assert_uint_eq(n, 256 + 258 + 1 + 4);
	buf_read(&b, p, n);
	ck_assert_int_eq(buf_get_str8(&b, &v, &n), 0);
	ck_assert_uint_eq(n, 255);
	ck_assert_int_eq(buf_get_str16(&b, &v, &n), 0);
	ck_assert_uint_eq(n, 256);
	ck_assert_mem_eq(v, dst, n);
	ck_assert_int_eq(buf_get_cstr8(&b, small, sizeof(small)), 0);
	ck_assert_str_eq(small, "");
	ck_assert_int_eq(buf_get_cstr16(&b, small, sizeof(small)), 0);
	ck_assert_str_eq(small, "ab");
	ck_assert(buf_done(&b));
}
END_TEST

START_TEST(strings_that_are_none)
{
	uint8_t p[600];
	char dst[4], big[300];
	struct buf b;

	/* Does not fit with its terminator; holds a NUL. */
	buf_read(&b, "\4abcd", 5);
	ck_assert_int_eq(buf_get_cstr8(&b, dst, sizeof(dst)), -1);
	ck_assert(!buf_ok(&b));
	buf_read(&b, "\3a\0b", 4);
	ck_assert_int_eq(buf_get_cstr8(&b, dst, sizeof(dst)), -1);
	ck_assert(!buf_ok(&b));
	/* Longer than the length can say. */
	memset(big, 'x', sizeof(big));
	buf_write(&b, p, sizeof(p));
	ck_assert_int_eq(buf_put_str8(&b, big, 256), -1);
	ck_assert(!buf_ok(&b));
	ck_assert_uint_eq(buf_used(&b), 0);
	/* No room: a length without its bytes counts as a failure. */
	buf_write(&b, p, 5);
	ck_assert_int_eq(buf_put_str8(&b, big, 5), -1);
	ck_assert(!buf_ok(&b));
}
END_TEST

START_TEST(empty_is_well_formed)
{
	struct buf b;

	buf_read(&b, NULL, 0);
	ck_assert(buf_done(&b));
	ck_assert_int_eq(buf_get(&b, NULL, 0), 0);
	ck_assert_int_eq(buf_put(&b, NULL, 0), 0);
	ck_assert(buf_done(&b));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("buf");
	TCase *t = tcase_create("buf");
	SRunner *r;
	int failed;

	tcase_add_test(t, numbers_are_big_endian);
	tcase_add_loop_test(t, too_short_is_sticky, 0, 10);
	tcase_add_test(t, strings);
	tcase_add_test(t, strings_that_are_none);
	tcase_add_test(t, empty_is_well_formed);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
