/* Which public ports a client may open. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf/schema.h"
#include "master/port_rules.h"

static int
load(struct port_rule *r, const char *range, uint64_t number)
{
	struct faults f = { 0 };
	struct schema_place at = { .faults = &f, .key = "tcp[0]" };
	int errors;

	memset(r, 0, sizeof(*r));
	r->range = (char *)(uintptr_t)range;
	r->number = number;
	port_rules_finish(r, &at);
	errors = (int)f.errors;
	faults_free(&f);
	return errors;
}

START_TEST(test_ranges)
{
	static const struct {
		const char *text;
		uint64_t first, last; /* 0: a fault */
	} cases[] = { { "22", 22, 22 }, { "1", 1, 1 },
		{ "65535", 65535, 65535 }, { "1-65535", 1, 65535 },
		{ "7-7", 7, 7 }, { "0", 0, 0 }, { "0-5", 0, 0 },
		{ "65536", 0, 0 }, { "1-65536", 0, 0 }, { "9-8", 0, 0 },
		{ "", 0, 0 }, { "-", 0, 0 }, { "1-", 0, 0 }, { "-1", 0, 0 },
		{ "1-2-3", 0, 0 }, { "1 - 2", 0, 0 }, { "000001", 0, 0 },
		{ "1-000002", 0, 0 }, { "x", 0, 0 }, { NULL, 0, 0 } };
	struct port_rule r;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int errors = load(&r, cases[i].text, 1);

		ck_assert_msg((errors == 0) == (cases[i].first != 0), "%s",
		    cases[i].text);
		if (errors == 0) {
			ck_assert_uint_eq(r.first, cases[i].first);
			ck_assert_uint_eq(r.last, cases[i].last);
		}
	}
}
END_TEST

START_TEST(test_number)
{
	struct port_rule v[2];
	struct port_rule_list l = { v, 2 };
	struct port_use use = { 0 };

	load(&v[0], "1000-1009", 2);
	load(&v[1], "2000-2001", 0);
	ck_assert_int_eq(port_rules_take(&l, &use, 999), GRANT_PORT_RULE);
	ck_assert_int_eq(port_rules_take(&l, &use, 1010), GRANT_PORT_RULE);
	ck_assert_int_eq(port_rules_take(&l, &use, 1000), GRANT_OK);
	ck_assert_int_eq(port_rules_take(&l, &use, 1009), GRANT_OK);
	ck_assert_int_eq(port_rules_take(&l, &use, 1005), GRANT_PORT_NUMBER);
	for (int i = 0; i < 5; i++) /* 0: any number */
		ck_assert_int_eq(port_rules_take(&l, &use, 2001), GRANT_OK);
	ck_assert_uint_eq(use.n[0], 2);
	l.n = 0;
	ck_assert_int_eq(port_rules_take(&l, &use, 2001), GRANT_PORT_RULE);
}
END_TEST

/* Whichever is written first, the narrow range is used up first. */
START_TEST(test_overlap)
{
	struct port_rule v[2];
	struct port_rule_list l = { v, 2 };
	struct port_use use = { 0 };

	load(&v[_i], "1000-2000", 1);
	load(&v[1 - _i], "1500-1600", 1);
	ck_assert_int_eq(port_rules_take(&l, &use, 1550), GRANT_OK);
	ck_assert_int_eq(port_rules_take(&l, &use, 1700), GRANT_OK);
	ck_assert_int_eq(port_rules_take(&l, &use, 1551), GRANT_PORT_NUMBER);
	memset(&use, 0, sizeof(use));
	ck_assert_int_eq(port_rules_take(&l, &use, 1550), GRANT_OK);
	ck_assert_int_eq(port_rules_take(&l, &use, 1551), GRANT_OK);
	ck_assert_int_eq(port_rules_take(&l, &use, 1700), GRANT_PORT_NUMBER);
}
END_TEST

START_TEST(test_all)
{
	struct port_rule r;
	struct port_rule_list l = { &r, 1 };
	struct port_use use = { 0 };

	load(&r, "1-65535", 0);
	for (uint16_t i = 1; i <= PORT_RULES_CLIENT_MAX; i++) {
		ck_assert_uint_eq(port_rules_next(&l, &use, i), i);
		ck_assert_int_eq(port_rules_take(&l, &use, i), GRANT_OK);
	}
	ck_assert_uint_eq(port_rules_next(&l, &use, 1), 0);
	ck_assert_int_eq(port_rules_take(&l, &use, 2000), GRANT_PORT_NUMBER);
}
END_TEST

START_TEST(test_next)
{
	struct port_rule v[3];
	struct port_rule_list l = { v, 3 };
	struct port_use use = { 0 };

	load(&v[0], "65530-65535", 1);
	load(&v[1], "20-21", 1);
	load(&v[2], "21-22", 1);
	ck_assert_uint_eq(port_rules_next(&l, &use, 1), 20);
	ck_assert_uint_eq(port_rules_next(&l, &use, 21), 21);
	ck_assert_uint_eq(port_rules_next(&l, &use, 23), 65530);
	ck_assert_uint_eq(port_rules_next(&l, &use, 65535), 65535);
	use.n[1] = 1;
	ck_assert_uint_eq(port_rules_next(&l, &use, 1), 21);
	use.n[2] = 1;
	ck_assert_uint_eq(port_rules_next(&l, &use, 1), 65530);
	use.n[0] = 1;
	ck_assert_uint_eq(port_rules_next(&l, &use, 1), 0);
	l.n = 0;
	ck_assert_uint_eq(port_rules_next(&l, &use, 1), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("port_rules");
	TCase *t = tcase_create("port_rules");
	SRunner *r;
	int failed;

	tcase_add_test(t, test_ranges);
	tcase_add_test(t, test_number);
	tcase_add_loop_test(t, test_overlap, 0, 2);
	tcase_add_test(t, test_all);
	tcase_add_test(t, test_next);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
