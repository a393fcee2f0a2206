/* The rules on names (PROTOCOL.md section 4). */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "master/claims.h"
#include "master/regexes.h"

/* The ids that exist: those in this list. */
static bool
is_id(void *arg, const char *label)
{
	const char *const *ids = arg;

	for (; *ids != NULL; ids++) {
		if (strcmp(*ids, label) == 0)
			return true;
	}
	return false;
}

static const char *const IDS[] = { "id1", "id2", "a", "a-b", "id1-x", NULL };

static enum grant
judge(struct claim *c, const char *id, const struct limits *l,
    const char *domain, const char *asked)
{
	struct claim_rules rules = { .id = id,
		.limits = l,
		.domain = domain,
		.is_id = is_id,
		.arg = (void *)(uintptr_t)IDS };

	return claim_judge(c, &rules, asked);
}

static const struct limits FREE;
static const struct limits WITH_ID = { .hosts_with_id = true };

START_TEST(test_own_id)
{
	struct claim c;

	ck_assert_int_eq(judge(&c, "id1", &FREE, NULL, ""), GRANT_OK);
	ck_assert_int_eq(c.kind, ROUTE_LABEL);
	ck_assert_str_eq(c.name, "id1");
	ck_assert_str_eq(c.host, "id1");
	ck_assert(c.own);
	ck_assert_int_eq(judge(&c, "id1", &FREE, "ex.org", "id1"), GRANT_OK);
	ck_assert_str_eq(c.host, "id1.ex.org");
	ck_assert(c.own);
	/* The rules on prefixes are not for the id. */
	ck_assert_int_eq(judge(&c, "id1", &WITH_ID, "ex.org", ""), GRANT_OK);
	ck_assert_str_eq(c.host, "id1.ex.org");
}
END_TEST

START_TEST(test_prefix)
{
	struct claim c;

	ck_assert_int_eq(judge(&c, "id1", &FREE, "ex.org", "web"), GRANT_OK);
	ck_assert_int_eq(c.kind, ROUTE_LABEL);
	ck_assert_str_eq(c.name, "web");
	ck_assert_str_eq(c.host, "web.ex.org");
	ck_assert(!c.own);
	/* Nobody takes another's id. */
	ck_assert_int_eq(judge(&c, "id1", &FREE, NULL, "id2"), GRANT_RESERVED);
	ck_assert_int_eq(
	    judge(&c, "id1", &FREE, NULL, "id1-x"), GRANT_RESERVED);
}
END_TEST

START_TEST(test_with_id)
{
	struct claim c;

	ck_assert_int_eq(judge(&c, "id2", &WITH_ID, NULL, "web"), GRANT_OK);
	ck_assert_str_eq(c.name, "id2-web");
	ck_assert_str_eq(c.host, "id2-web");
	ck_assert_int_eq(judge(&c, "id1", &WITH_ID, NULL, "x"), GRANT_RESERVED);
	/* a + b-c is refused if a-b exists; a-b itself may have it. */
	ck_assert_int_eq(judge(&c, "a", &WITH_ID, NULL, "b-c"), GRANT_RESERVED);
	ck_assert_int_eq(judge(&c, "a", &WITH_ID, NULL, "bc"), GRANT_OK);
	ck_assert_int_eq(judge(&c, "a-b", &WITH_ID, NULL, "c"), GRANT_OK);
	ck_assert_str_eq(c.name, "a-b-c");
}
END_TEST

START_TEST(test_with_id_is_not_passed_by_full_name)
{
	struct claim c;

	ck_assert_int_eq(
	    judge(&c, "id2", &WITH_ID, "ex.org", "web.ex.org"), GRANT_RULE);
	ck_assert_int_eq(
	    judge(&c, "id2", &WITH_ID, "ex.org", "id2-web.ex.org"), GRANT_OK);
	ck_assert_int_eq(c.kind, ROUTE_LABEL);
	ck_assert_str_eq(c.name, "id2-web");
	ck_assert_int_eq(
	    judge(&c, "id2", &WITH_ID, "ex.org", "id2.ex.org"), GRANT_OK);
	ck_assert(c.own);
	ck_assert_int_eq(
	    judge(&c, "a", &WITH_ID, "ex.org", "a-b.ex.org"), GRANT_RESERVED);
	ck_assert_int_eq(
	    judge(&c, "a", &WITH_ID, "ex.org", "a-b-c.ex.org"), GRANT_RESERVED);
}
END_TEST

START_TEST(test_full_names)
{
	struct claim c;

	/* Under the domain it is the label that it is made of. */
	ck_assert_int_eq(
	    judge(&c, "id1", &FREE, "ex.org", "web.ex.org"), GRANT_OK);
	ck_assert_int_eq(c.kind, ROUTE_LABEL);
	ck_assert_str_eq(c.name, "web");
	ck_assert_str_eq(c.host, "web.ex.org");
	ck_assert_int_eq(
	    judge(&c, "id1", &FREE, "ex.org", "id2.ex.org"), GRANT_RESERVED);
	ck_assert_int_eq(judge(&c, "id1", &FREE, "ex.org", "id2.sub.ex.org"),
	    GRANT_RESERVED);
	ck_assert_int_eq(
	    judge(&c, "id1", &FREE, "ex.org", "web.sub.ex.org"), GRANT_OK);
	ck_assert_int_eq(c.kind, ROUTE_FULL);
	/* Elsewhere any, while there is a domain; else no id in front. */
	ck_assert_int_eq(
	    judge(&c, "id1", &FREE, "ex.org", "id2.com"), GRANT_OK);
	ck_assert_str_eq(c.host, "id2.com");
	ck_assert_int_eq(
	    judge(&c, "id1", &FREE, NULL, "id2.com"), GRANT_RESERVED);
	ck_assert_int_eq(judge(&c, "id1", &FREE, NULL, "www.com"), GRANT_OK);
	ck_assert_int_eq(judge(&c, "id1", &FREE, NULL, "id1.com"), GRANT_OK);
	/* A name that only ends like the domain is not under it. */
	ck_assert_int_eq(
	    judge(&c, "id1", &FREE, "ex.org", "id2.notex.org"), GRANT_OK);
}
END_TEST

START_TEST(test_virtual_addresses)
{
	struct limits l = { .hosts_with_id = true };
	struct claim c;

	ck_assert_int_eq(
	    judge(&c, "id1", &l, "ex.org", "192.168.1.1:3000"), GRANT_OK);
	ck_assert_int_eq(c.kind, ROUTE_ADDRESS);
	ck_assert_str_eq(c.name, "192.168.1.1:3000");
	ck_assert_str_eq(c.host, "192.168.1.1:3000");
	ck_assert_int_eq(
	    judge(&c, "id1", &FREE, NULL, "192.168.1.1"), GRANT_RULE);
}
END_TEST

START_TEST(test_wildcards)
{
	char rule[] = "^web", *rules[] = { rule };
	const struct limits regex = { .hosts_regex = { rules, 1 } };
	const struct limits number = { .hosts_number = 3 };
	struct claim c;

	ck_assert_int_eq(
	    judge(&c, "id1", &FREE, "ex.org", "*.web.org"), GRANT_OK);
	ck_assert_int_eq(c.kind, ROUTE_WILDCARD);
	ck_assert_str_eq(c.name, "*.web.org");
	ck_assert_str_eq(c.host, "*.web.org");
	ck_assert(!c.own);
	/* All prefixes at once: only where nothing is said about prefixes. */
	ck_assert_int_eq(
	    judge(&c, "id1", &FREE, "ex.org", "*.ex.org"), GRANT_OK);
	ck_assert_int_eq(
	    judge(&c, "id1", &WITH_ID, "ex.org", "*.ex.org"), GRANT_RULE);
	ck_assert_int_eq(
	    judge(&c, "id1", &regex, "ex.org", "*.ex.org"), GRANT_RULE);
	ck_assert_int_eq(
	    judge(&c, "id1", &number, "ex.org", "*.ex.org"), GRANT_RULE);
	ck_assert_int_eq(
	    judge(&c, "id1", &number, "ex.org", "*.org"), GRANT_RULE);
	ck_assert_int_eq(
	    judge(&c, "id1", &number, "ex.org", "*.sub.ex.org"), GRANT_OK);
	ck_assert_int_eq(judge(&c, "id1", &number, NULL, "*.ex.org"), GRANT_OK);
	/* Below a name that is another's. */
	ck_assert_int_eq(
	    judge(&c, "id1", &FREE, "ex.org", "*.id2.ex.org"), GRANT_RESERVED);
	ck_assert_int_eq(
	    judge(&c, "id1", &FREE, "ex.org", "*.id1.ex.org"), GRANT_OK);
	ck_assert_int_eq(
	    judge(&c, "id1", &FREE, NULL, "*.id2.com"), GRANT_RESERVED);
	ck_assert_int_eq(judge(&c, "id1", &FREE, NULL, "*"), GRANT_RULE);
}
END_TEST

START_TEST(test_regex)
{
	char rule[] = "^web", *rules[] = { rule };
	struct limits l = { .hosts_regex = { rules, 1 } };
	struct regexes *compiled = regexes_new();
	struct claim c;

	ck_assert_int_eq(regexes_add(compiled, rule), 0);
	l.regexes = compiled;
	ck_assert_int_eq(judge(&c, "id1", &l, NULL, "web1"), GRANT_OK);
	ck_assert_int_eq(judge(&c, "id1", &l, NULL, "1web"), GRANT_RULE);
	ck_assert_int_eq(judge(&c, "id1", &l, NULL, ""), GRANT_OK);
	ck_assert_int_eq(
	    judge(&c, "id1", &l, "ex.org", "other.ex.org"), GRANT_RULE);
	l.hosts_with_id = true;
	ck_assert_int_eq(judge(&c, "id2", &l, NULL, "web"), GRANT_OK);
	ck_assert_str_eq(c.name, "id2-web");
	regexes_free(compiled);
}
END_TEST

START_TEST(test_lengths)
{
	char prefix[TEXT_LABEL_MAX + 2], domain[TEXT_NAME_MAX + 1];
	struct claim c;

	memset(prefix, 'p', sizeof(prefix));
	prefix[TEXT_LABEL_MAX] = '\0';
	ck_assert_int_eq(judge(&c, "id1", &FREE, NULL, prefix), GRANT_OK);
	ck_assert_int_eq(judge(&c, "id1", &WITH_ID, NULL, prefix), GRANT_RULE);
	prefix[TEXT_LABEL_MAX - 4] = '\0';
	ck_assert_int_eq(judge(&c, "id1", &WITH_ID, NULL, prefix), GRANT_OK);
	memset(prefix, 'p', sizeof(prefix));
	prefix[TEXT_LABEL_MAX + 1] = '\0';
	ck_assert_int_eq(judge(&c, "id1", &FREE, NULL, prefix), GRANT_RULE);
	/* An address that would be too long for a name. */
	memset(domain, 'd', sizeof(domain));
	domain[TEXT_NAME_MAX - 3] = '\0';
	ck_assert_int_eq(judge(&c, "id1", &FREE, domain, "web"), GRANT_RULE);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("claims");
	TCase *tc = tcase_create("claims");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, test_own_id);
	tcase_add_test(tc, test_prefix);
	tcase_add_test(tc, test_with_id);
	tcase_add_test(tc, test_with_id_is_not_passed_by_full_name);
	tcase_add_test(tc, test_full_names);
	tcase_add_test(tc, test_virtual_addresses);
	tcase_add_test(tc, test_wildcards);
	tcase_add_test(tc, test_regex);
	tcase_add_test(tc, test_lengths);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
