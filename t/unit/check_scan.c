/* Unit test of scan.c: texts that libconfig must not see. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf/scan.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define D16 "(((((((((((((((("

/* The line of the fault, 0 for none. */
static const struct {
	const char *text;
	unsigned int line;
} cases[] = {
	{ "", 0 },
	{ "a = 1;\nb = \"x\";\n", 0 },
	{ "a = 2147483647; b = -2147483647; c = 0x7fffffff;", 0 },
	{ "a = 2147483648;", 1 },
	{ "\n\na = 99999999999;", 3 },
	{ "a = 0x80000000;", 1 },
	{ "a = 0X80000000;", 1 },
	{ "a = 2147483648L;", 0 },
	{ "a = 9223372036854775807L;", 1 }, /* the last 15 are given up */
	{ "a = 9223372036854775000L;", 0 },
	{ "a = 92233720368547758070L;", 1 },
	{ "a = 0x10000000000000000L;", 1 },
	{ "a = 99999999999.5; b = 9e99;", 0 },
	{ "a99999999999 = 1;", 0 },
	{ "a = \"99999999999\"; # 99999999999\n// 99999999999\n", 0 },
	{ "/* 99999999999\n */ a = 1;", 0 },
	{ "a = \"\\\"99999999999\";", 0 },
	{ "a = \"x\ny\";\nb = 99999999999;", 3 },
	{ "a = \"\\x01\\\\x00x00\";", 0 },
	{ "\na = \"b\\x00c\";", 2 },
	{ "@include \"x\"", 1 },
	{ "a = 1;\n \t@include \"x\"", 2 },
	{ "\n\n@include", 3 },
	{ "/*\n@include \"x\"\n*/", 2 },
	{ "a = \"@include\"; # @include\n", 0 },
	{ D16, 0 },
	{ "\n" D16 "(", 2 },
	{ "a = {\n" D16 "[", 2 },
	{ "\"unterminated", 0 },
	{ "\"\\", 0 },
	{ "/* unterminated", 0 },
	{ "))))]]]}}}", 0 },
	{ "0x", 0 },
	{ "/", 0 },
};

START_TEST(lines_of_faults)
{
	unsigned int line = 0;
	const char *text = cases[_i].text;
	const char *fault = scan_text(text, strlen(text), &line);

	ck_assert_msg((fault != NULL) == (cases[_i].line != 0), "\"%s\": %s",
	    text, fault == NULL ? "taken" : fault);
	if (fault != NULL)
		ck_assert_uint_eq(line, cases[_i].line);
}
END_TEST

START_TEST(nul_is_refused)
{
	unsigned int line;

	ck_assert_ptr_nonnull(scan_text("a = 1;\n\0", 8, &line));
	ck_assert_uint_eq(line, 2);
	ck_assert_ptr_nonnull(scan_text("# \0\n", 4, &line));
	ck_assert_uint_eq(line, 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("scan");
	TCase *t = tcase_create("texts");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, lines_of_faults, 0, ROWS(cases));
	tcase_add_test(t, nul_is_refused);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
