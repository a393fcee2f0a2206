/* The control protocol's packets. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/ipc/ctl.h"

START_TEST(test_row)
{
	struct ctl_row row;
	struct ctl_field f;
	const uint8_t *p;
	struct buf b;
	size_t n;

	ctl_row_begin(&row);
	ctl_row_str(&row, "id", "a \"b\"");
	ctl_row_num(&row, "bytes", UINT64_MAX);
	ctl_row_bool(&row, "held", true);
	ctl_row_str(&row, "none", NULL);
	p = ctl_row_end(&row, &n);
	ck_assert_ptr_nonnull(p);
	ck_assert(ctl_row_ok(p, n));
	buf_read(&b, p, n);
	ck_assert_int_eq(ctl_row_next(&b, &f), 1);
	ck_assert_int_eq(f.kind, CTL_STRING);
	ck_assert_mem_eq(f.value, "a \"b\"", f.len);
	ck_assert_int_eq(ctl_row_next(&b, &f), 1);
	ck_assert_int_eq(f.kind, CTL_NUMBER);
	ck_assert_mem_eq(f.value, "18446744073709551615", f.len);
	ck_assert_int_eq(ctl_row_next(&b, &f), 1);
	ck_assert_int_eq(f.kind, CTL_BOOL);
	ck_assert_int_eq(ctl_row_next(&b, &f), 1);
	ck_assert_int_eq(f.kind, CTL_NULL);
	ck_assert_int_eq(ctl_row_next(&b, &f), 0);
	/* Every shorter one is malformed, but for those between two fields. */
	for (size_t i = 0; i < n; i++) {
		bool whole = ctl_row_ok(p, i);

		buf_read(&b, p, i);
		while (ctl_row_next(&b, &f) == 1)
			;
		ck_assert_int_eq(whole, buf_done(&b));
	}
}
END_TEST

START_TEST(test_row_too_big)
{
	char big[5000];
	struct ctl_row row;
	size_t n;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	ctl_row_begin(&row);
	ctl_row_str(&row, "big", big);
	ck_assert_ptr_null(ctl_row_end(&row, &n));
}
END_TEST

static bool
ok(const char *row, size_t n)
{
	return ctl_row_ok(row, n);
}

START_TEST(test_malformed_rows)
{
	ck_assert(ok("", 0));
	ck_assert(ok("\001a\001\000\001x", 6));
	ck_assert(!ok("\000\001\000\001x", 5));	 /* no name */
	ck_assert(!ok("\001a\000\000\001x", 6)); /* kind 0 */
	ck_assert(!ok("\001a\005\000\001x", 6)); /* kind 5 */
	ck_assert(!ok("\001a\002\000\001x", 6)); /* no number */
	ck_assert(!ok("\001a\002\000\000", 5));	 /* empty number */
	ck_assert(!ok("\001a\003\000\001x", 6)); /* no bool */
	ck_assert(!ok("\001a\004\000\001x", 6)); /* null with a value */
	ck_assert(!ok("\001a\001\000\002x", 6)); /* too short */
	ck_assert(!ok("\002a\001\000\001x", 6)); /* shifted */
}
END_TEST

START_TEST(test_too_many_fields)
{
	struct ctl_row row;
	const uint8_t *p;
	size_t n;

	ctl_row_begin(&row);
	for (int i = 0; i < CTL_FIELDS_MAX; i++)
		ctl_row_num(&row, "n", 1);
	p = ctl_row_end(&row, &n);
	ck_assert(ctl_row_ok(p, n));
	ctl_row_num(&row, "n", 1);
	p = ctl_row_end(&row, &n);
	ck_assert(!ctl_row_ok(p, n));
}
END_TEST

START_TEST(test_request)
{
	char show[] = "show", clients[] = "clients", empty[] = "";
	char *argv[] = { show, clients, empty };
	uint8_t out[CTL_PACKET_MAX];
	struct ctl_request r;
	size_t n;

	n = ctl_request_put(out, 3, argv);
	ck_assert_uint_gt(n, 0);
	ck_assert_int_eq(ctl_request_get(&r, out, n), 0);
	ck_assert_uint_eq(r.argc, 3);
	ck_assert_str_eq(r.argv[0], "show");
	ck_assert_str_eq(r.argv[1], "clients");
	ck_assert_str_eq(r.argv[2], "");
	ck_assert_ptr_null(r.argv[3]);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(ctl_request_get(&r, out, i), -1);
	out[n] = 0;
	ck_assert_int_eq(ctl_request_get(&r, out, n + 1), -1);
	out[0] = 0;
	ck_assert_int_eq(ctl_request_get(&r, out, n), -1);
	out[0] = CTL_ARGS_MAX + 1;
	ck_assert_int_eq(ctl_request_get(&r, out, n), -1);
}
END_TEST

START_TEST(test_request_bounds)
{
	char big[CTL_ARG_MAX + 1], *argv[CTL_ARGS_MAX + 1];
	uint8_t out[CTL_PACKET_MAX];
	struct ctl_request r;
	size_t n;

	memset(big, 'x', sizeof(big));
	big[CTL_ARG_MAX] = '\0';
	for (size_t i = 0; i <= CTL_ARGS_MAX; i++)
		argv[i] = big;
	ck_assert_uint_eq(ctl_request_put(out, 0, argv), 0);
	ck_assert_uint_eq(ctl_request_put(out, 1, argv), 0);
	big[CTL_ARG_MAX - 1] = '\0';
	n = ctl_request_put(out, 15, argv);
	ck_assert_uint_gt(n, 0);
	ck_assert_int_eq(ctl_request_get(&r, out, n), 0);
	ck_assert_str_eq(r.argv[14], big);
	ck_assert_uint_eq(ctl_request_put(out, 16, argv), 0);
	big[1] = '\0';
	ck_assert_uint_gt(ctl_request_put(out, CTL_ARGS_MAX, argv), 0);
	ck_assert_uint_eq(ctl_request_put(out, CTL_ARGS_MAX + 1, argv), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ctl");
	TCase *tc = tcase_create("ctl");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, test_row);
	tcase_add_test(tc, test_row_too_big);
	tcase_add_test(tc, test_malformed_rows);
	tcase_add_test(tc, test_too_many_fields);
	tcase_add_test(tc, test_request);
	tcase_add_test(tc, test_request_bounds);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
