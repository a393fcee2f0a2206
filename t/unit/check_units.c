/* Unit test of units.c: tables of durations and sizes. */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/base/units.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define UNTOUCHED 77

static const struct {
	const char *text;
	bool ok;
	uint64_t value;
} durations[] = {
	{ "0", true, 0 },
	{ "0s", true, 0 },
	{ "30s", true, 30000 },
	{ "5m", true, 300000 },
	{ "500ms", true, 500 },
	{ "1h30m", true, 5400000 },
	{ "1h1m1s1ms", true, 3661001 },
	{ "1m1ms", true, 60001 },
	{ "90s", true, 90000 },
	{ "8784h", true, UNITS_DURATION_MAX },
	{ "8784h1ms", false, 0 },
	{ "8785h", false, 0 },
	{ "18446744073709551615h", false, 0 },
	{ "18446744073709551616ms", false, 0 },
	{ "99999999999999999999999s", false, 0 },
	{ "", false, 0 },
	{ "30", false, 0 },
	{ "00", false, 0 },
	{ "s", false, 0 },
	{ "30 s", false, 0 },
	{ " 30s", false, 0 },
	{ "30s ", false, 0 },
	{ "-30s", false, 0 },
	{ "+30s", false, 0 },
	{ "1.5s", false, 0 },
	{ "1m1h", false, 0 },
	{ "1s1s", false, 0 },
	{ "1h30", false, 0 },
	{ "1sm", false, 0 },
	{ "1msm", false, 0 },
	{ "30S", false, 0 },
	{ "1d", false, 0 },
	{ "0x1s", false, 0 },
};

static const struct {
	const char *text;
	bool ok;
	uint64_t value;
} sizes[] = {
	{ "0", true, 0 },
	{ "1", true, 1 },
	{ "16K", true, 16384 },
	{ "16k", true, 16384 },
	{ "1M", true, 1048576 },
	{ "3m", true, 3145728 },
	{ "512M", true, 536870912 },
	{ "1G", true, 1073741824 },
	{ "2g", true, UINT64_C(2147483648) },
	{ "18446744073709551615", true, UINT64_MAX },
	{ "17179869183G", true, UINT64_C(17179869183) << 30 },
	{ "17179869184G", false, 0 },
	{ "18446744073709551616", false, 0 },
	{ "18446744073709551615K", false, 0 },
	{ "", false, 0 },
	{ "K", false, 0 },
	{ "1KB", false, 0 },
	{ "1KK", false, 0 },
	{ "1T", false, 0 },
	{ "-1", false, 0 },
	{ "+1", false, 0 },
	{ " 1", false, 0 },
	{ "1 ", false, 0 },
	{ "1.5M", false, 0 },
	{ "0x10", false, 0 },
};

START_TEST(durations_parse)
{
	uint64_t v = UNTOUCHED;
	int rc = units_duration(&v, durations[_i].text);

	ck_assert_msg(
	    rc == (durations[_i].ok ? 0 : -1), "\"%s\"", durations[_i].text);
	ck_assert_uint_eq(
	    v, durations[_i].ok ? durations[_i].value : UNTOUCHED);
}
END_TEST

START_TEST(durations_print)
{
	char text[UNITS_TEXT];
	uint64_t v;

	if (!durations[_i].ok)
		return;
	units_duration_text(text, durations[_i].value);
	ck_assert_msg(units_duration(&v, text) == 0, "\"%s\"", text);
	ck_assert_uint_eq(v, durations[_i].value);
}
END_TEST

START_TEST(sizes_parse)
{
	uint64_t v = UNTOUCHED;
	int rc = units_size(&v, sizes[_i].text);

	ck_assert_msg(rc == (sizes[_i].ok ? 0 : -1), "\"%s\"", sizes[_i].text);
	ck_assert_uint_eq(v, sizes[_i].ok ? sizes[_i].value : UNTOUCHED);
}
END_TEST

START_TEST(duration_texts)
{
	char text[UNITS_TEXT];

	ck_assert_str_eq(units_duration_text(text, 0), "0");
	ck_assert_str_eq(units_duration_text(text, 5400000), "1h30m");
	ck_assert_str_eq(units_duration_text(text, 500), "500ms");
	/* No overrun, whatever the number. */
	units_duration_text(text, UINT64_MAX);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("units");
	TCase *t = tcase_create("tables");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, durations_parse, 0, ROWS(durations));
	tcase_add_loop_test(t, durations_print, 0, ROWS(durations));
	tcase_add_loop_test(t, sizes_parse, 0, ROWS(sizes));
	tcase_add_test(t, duration_texts);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
