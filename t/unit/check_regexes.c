/* Rules on names: compiled once, matched in bounded time. */
#include "master/regexes.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf/checks.h"

#include "common/conf/checks.h"

START_TEST(matches_anywhere_unless_anchored)
{
	struct regexes *t = regexes_new();

	ck_assert_int_eq(regexes_add(t, "web"), 0);
	ck_assert_int_eq(regexes_add(t, "^web-[0-9]+$"), 0);
	ck_assert_int_eq(regexes_add(t, "web"), 0); /* of another user */
	ck_assert(regexes_match(t, "web", "myweb1"));
	ck_assert(!regexes_match(t, "web", "we-b"));
	ck_assert(regexes_match(t, "^web-[0-9]+$", "web-12"));
	ck_assert(!regexes_match(t, "^web-[0-9]+$", "web-12x"));
	/* One that nobody added lets nothing through. */
	ck_assert(!regexes_match(t, "", "web"));
	ck_assert_int_eq(regexes_add(t, "("), -1);
	ck_assert(!regexes_match(t, "(", "("));
	regexes_free(t);
	regexes_free(NULL);
}
END_TEST

START_TEST(checked_when_loaded)
{
	char rule[CHECKS_REGEX_MAX + 2];

	ck_assert_ptr_null(checks_regex("^(a|b)+$"));
	ck_assert_ptr_null(checks_regex("a\\.b"));
	ck_assert_ptr_null(checks_regex("\\\\1"));
	ck_assert_ptr_nonnull(checks_regex("("));
	ck_assert_ptr_nonnull(checks_regex("[a"));
	ck_assert_ptr_nonnull(checks_regex("a\\"));
	ck_assert_ptr_nonnull(checks_regex("(a*)\\1"));
	ck_assert_ptr_nonnull(checks_regex("(a)\\\\\\1"));
	memset(rule, 'a', sizeof(rule));
	rule[CHECKS_REGEX_MAX] = '\0';
	ck_assert_ptr_null(checks_regex(rule));
	rule[CHECKS_REGEX_MAX] = 'a';
	rule[CHECKS_REGEX_MAX + 1] = '\0';
	ck_assert_ptr_nonnull(checks_regex(rule));
}
END_TEST

/* What makes engines that go back run for years. */
START_TEST(takes_no_longer_for_a_spiteful_name)
{
	static const char *const rules[] = { "^(a+)+$", "^(a|aa)+$", "^(a*)*b$",
		"^(a|a?)+$" };
	struct regexes *t = regexes_new();
	char name[64];

	memset(name, 'a', 62);
	strcpy(name + 62, "!");
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		ck_assert_ptr_null(checks_regex(rules[i]));
		ck_assert_int_eq(regexes_add(t, rules[i]), 0);
		for (int n = 0; n < 100; n++)
			ck_assert(!regexes_match(t, rules[i], name));
	}
	regexes_free(t);
}
END_TEST

/* What libc would write out until memory is full. */
START_TEST(test_repetitions)
{
	static const char *const good[] = { "a{1,64}b{64}", "[+]++[{9999}]+",
		"a\\++\\{", "[[:alpha:]+++++++++++++++]+", "[]+++++++++++++++]",
		"^([a-z]+-)*[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}$" };
	static const char *const bad[] = { "a+++++++++++++", "(a{64}){65}",
		"((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)", "a{4097}",
		"a{0,99999999999999999999}", "[[:alpha:]]{99}{99}",
		"[]a]{9999}" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(checks_regex(good[i]) == NULL, "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(checks_regex(bad[i]) != NULL, "%s", bad[i]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("regexes");
	TCase *tc = tcase_create("regexes");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, matches_anywhere_unless_anchored);
	tcase_add_test(tc, test_repetitions);
	tcase_add_test(tc, checked_when_loaded);
	tcase_add_test(tc, takes_no_longer_for_a_spiteful_name);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
