/* Names lead to where they belong. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "master/clients.h"
#include "master/routes.h"

static struct client *const SOMEBODY = (struct client *)0x10;

static struct route *
find(const struct routes *t, const char *name)
{
	return routes_find(t, name, false);
}

START_TEST(test_full_name_first)
{
	struct routes *t = routes_new();
	struct route *full, *label;

	full = routes_add(t, ROUTE_FULL, "www.example.com", SOMEBODY);
	label = routes_add(t, ROUTE_LABEL, "www", SOMEBODY);
	ck_assert_ptr_eq(find(t, "www.example.com"), full);
	ck_assert_ptr_eq(find(t, "www.example.org"), label);
	ck_assert_ptr_eq(find(t, "www.a.b.c"), label);
	ck_assert_ptr_null(find(t, "example.com"));
	ck_assert_ptr_null(find(t, "ww.example.com"));
	ck_assert_ptr_null(find(t, "wwww.example.com"));
	routes_remove(t, full);
	ck_assert_ptr_eq(find(t, "www.example.com"), label);
	routes_remove(t, label);
	ck_assert_ptr_null(find(t, "www.example.com"));
	routes_free(t);
}
END_TEST

START_TEST(test_no_dot_finds_full_names_only)
{
	struct routes *t = routes_new();
	struct route *label, *full;

	label = routes_add(t, ROUTE_LABEL, "id1", SOMEBODY);
	ck_assert_ptr_null(routes_find(t, "id1", false));
	/* Unless labels are what clients were told (no domain). */
	ck_assert_ptr_eq(routes_find(t, "id1", true), label);
	full = routes_add(t, ROUTE_FULL, "id1", SOMEBODY);
	ck_assert_ptr_eq(routes_find(t, "id1", false), full);
	routes_remove(t, label);
	routes_remove(t, full);
	routes_free(t);
}
END_TEST

START_TEST(test_lengths)
{
	char label[TEXT_LABEL_MAX + 8], name[TEXT_NAME_MAX + 8];
	struct routes *t = routes_new();
	struct route *r;

	memset(label, 'a', sizeof(label));
	label[TEXT_LABEL_MAX] = '\0';
	r = routes_add(t, ROUTE_LABEL, label, SOMEBODY);
	ck_assert_ptr_eq(routes_find(t, label, true), r);
	/* One more is another label, not this one cut off. */
	memset(label, 'a', sizeof(label));
	label[TEXT_LABEL_MAX + 1] = '\0';
	ck_assert_ptr_null(routes_find(t, label, true));
	strcpy(label + TEXT_LABEL_MAX + 1, ".b");
	ck_assert_ptr_null(routes_find(t, label, true));

	memset(name, 'b', sizeof(name));
	name[TEXT_NAME_MAX] = '\0';
	routes_remove(t, r);
	r = routes_add(t, ROUTE_FULL, name, SOMEBODY);
	ck_assert_ptr_nonnull(r);
	ck_assert_ptr_eq(find(t, name), r);
	memset(name, 'b', sizeof(name));
	name[TEXT_NAME_MAX + 1] = '\0';
	ck_assert_ptr_null(find(t, name));
	ck_assert_ptr_null(routes_add(t, ROUTE_FULL, name, SOMEBODY));
	routes_remove(t, r);
	routes_free(t);
}
END_TEST

START_TEST(test_many)
{
	struct routes *t = routes_new();
	struct route *r[2000];
	char name[32];

	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "n%d.example", i);
		r[i] = routes_add(t, ROUTE_FULL, name, SOMEBODY);
	}
	ck_assert_uint_eq(routes_count(t), 2000);
	for (int i = 0; i < 2000; i += 2)
		routes_remove(t, r[i]);
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "n%d.example", i);
		ck_assert_ptr_eq(find(t, name), i % 2 == 0 ? NULL : r[i]);
	}
	for (int i = 1; i < 2000; i += 2)
		routes_remove(t, r[i]);
	ck_assert_uint_eq(routes_count(t), 0);
	routes_free(t);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("routes");
	TCase *tc = tcase_create("routes");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, test_full_name_first);
	tcase_add_test(tc, test_no_dot_finds_full_names_only);
	tcase_add_test(tc, test_lengths);
	tcase_add_test(tc, test_many);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
