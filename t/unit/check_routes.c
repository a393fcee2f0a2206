/* Names lead to where they belong. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "master/clients.h"
#include "master/routes.h"

static struct client ann = { .id = "ann" }, bob = { .id = "bob" };

/* Both are ids. */
static bool
is_id(void *arg, const char *label)
{
	(void)arg;
	return strcmp(label, ann.id) == 0 || strcmp(label, bob.id) == 0;
}

static const struct routes_scope OPEN = { .is_id = is_id };
static const struct routes_scope BARE = { .is_id = is_id, .labels = true };
static const struct routes_scope UNDER = { .is_id = is_id,
	.domain = "example.org" };

static struct route *
add(struct routes *t, enum route_kind kind, const char *name)
{
	return routes_add(t, ROUTES_HTTP, kind, name, &ann);
}

static struct route *
find(const struct routes *t, const char *name)
{
	return routes_find(t, ROUTES_HTTP, name, &OPEN);
}

static void
drop(void *arg, void *route)
{
	routes_remove(arg, route);
}

static void
end(struct routes *t)
{
	routes_each(t, drop, t);
	ck_assert_uint_eq(routes_count(t), 0);
	routes_free(t);
}

START_TEST(test_full_name_first)
{
	struct routes *t = routes_new();
	struct route *full, *label;

	full = add(t, ROUTE_FULL, "www.example.com");
	label = add(t, ROUTE_LABEL, "www");
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
	end(t);
}
END_TEST

START_TEST(test_no_dot_is_no_label)
{
	struct routes *t = routes_new();
	struct route *label = add(t, ROUTE_LABEL, "id1");

	ck_assert_ptr_null(find(t, "id1"));
	/* Unless labels are what clients were told (no domain). */
	ck_assert_ptr_eq(routes_find(t, ROUTES_HTTP, "id1", &BARE), label);
	ck_assert_ptr_null(routes_find(t, ROUTES_HTTP, "id2", &BARE));
	end(t);
}
END_TEST

START_TEST(test_tables_are_apart)
{
	struct routes *t = routes_new();
	struct route *http, *sni;

	http = routes_add(t, ROUTES_HTTP, ROUTE_FULL, "a.test", &ann);
	sni = routes_add(t, ROUTES_SNI, ROUTE_FULL, "a.test", &bob);
	ck_assert_ptr_eq(routes_find(t, ROUTES_HTTP, "a.test", &OPEN), http);
	ck_assert_ptr_eq(routes_find(t, ROUTES_SNI, "a.test", &OPEN), sni);
	routes_remove(t, http);
	ck_assert_ptr_null(routes_find(t, ROUTES_HTTP, "a.test", &OPEN));
	ck_assert_ptr_eq(routes_find(t, ROUTES_SNI, "a.test", &OPEN), sni);
	end(t);
}
END_TEST

START_TEST(test_virtual_addresses)
{
	struct routes *t = routes_new();
	struct route *v4 = add(t, ROUTE_ADDRESS, "192.168.1.1:3000");
	struct route *v6 = add(t, ROUTE_ADDRESS, "[fd00::1]:80");

	add(t, ROUTE_LABEL, "192");
	ck_assert_ptr_eq(find(t, "192.168.1.1:3000"), v4);
	ck_assert_ptr_eq(find(t, "[fd00::1]:80"), v6);
	/* Another port is another key, and no part of it is a label. */
	ck_assert_ptr_null(find(t, "192.168.1.1:3001"));
	ck_assert_ptr_null(find(t, "192.168.1.2:3000"));
	end(t);
}
END_TEST

START_TEST(test_longest_wildcard)
{
	struct routes *t = routes_new();
	struct route *wide, *narrow, *full, *label;

	wide = add(t, ROUTE_WILDCARD, "*.example.com");
	narrow = add(t, ROUTE_WILDCARD, "*.b.example.com");
	full = add(t, ROUTE_FULL, "x.b.example.com");
	label = add(t, ROUTE_LABEL, "y");
	ck_assert_ptr_eq(find(t, "x.b.example.com"), full);
	ck_assert_ptr_eq(find(t, "z.b.example.com"), narrow);
	ck_assert_ptr_eq(find(t, "a.z.b.example.com"), narrow);
	ck_assert_ptr_eq(find(t, "b.example.com"), wide);
	/* A full name, and so what matches it, comes before a label. */
	ck_assert_ptr_eq(find(t, "y.example.com"), wide);
	ck_assert_ptr_eq(find(t, "y.example.net"), label);
	ck_assert_ptr_null(find(t, "example.com"));
	ck_assert_ptr_null(find(t, "notexample.com"));
	ck_assert_ptr_null(routes_find(t, ROUTES_SNI, "b.example.com", &OPEN));
	routes_remove(t, narrow);
	ck_assert_ptr_eq(find(t, "z.b.example.com"), wide);
	routes_remove(t, wide);
	ck_assert_ptr_null(find(t, "z.b.example.com"));
	end(t);
}
END_TEST

START_TEST(test_no_wildcard_takes_ids)
{
	struct routes *t = routes_new();
	struct route *wild, *label;

	wild = add(t, ROUTE_WILDCARD, "*.example.org"); /* ann's */
	/* bob is away: his name waits for him. */
	ck_assert_ptr_null(find(t, "bob.example.org"));
	ck_assert_ptr_null(
	    routes_find(t, ROUTES_HTTP, "bob.example.org", &UNDER));
	ck_assert_ptr_null(
	    routes_find(t, ROUTES_HTTP, "bob.x.example.org", &UNDER));
	ck_assert_ptr_eq(find(t, "ann.example.org"), wild);
	label = routes_add(t, ROUTES_HTTP, ROUTE_LABEL, "bob", &bob);
	ck_assert_ptr_eq(find(t, "bob.example.org"), label);
	/* Under the domain every label has its full name already. */
	routes_remove(t, label);
	label = routes_add(t, ROUTES_HTTP, ROUTE_LABEL, "web", &bob);
	ck_assert_ptr_eq(
	    routes_find(t, ROUTES_HTTP, "web.example.org", &UNDER), label);
	ck_assert_ptr_eq(
	    routes_find(t, ROUTES_HTTP, "other.example.org", &UNDER), wild);
	/* Elsewhere a first label says nothing against a wildcard. */
	routes_remove(t, wild);
	wild = add(t, ROUTE_WILDCARD, "*.example.net");
	ck_assert_ptr_eq(
	    routes_find(t, ROUTES_HTTP, "bob.example.net", &UNDER), wild);
	end(t);
}
END_TEST

START_TEST(test_lengths)
{
	char label[TEXT_LABEL_MAX + 8], name[TEXT_NAME_MAX + 8];
	struct routes *t = routes_new();
	struct route *r;

	memset(label, 'a', sizeof(label));
	label[TEXT_LABEL_MAX] = '\0';
	r = add(t, ROUTE_LABEL, label);
	ck_assert_ptr_eq(routes_find(t, ROUTES_HTTP, label, &BARE), r);
	/* One more is another label, not this one cut off. */
	memset(label, 'a', sizeof(label));
	label[TEXT_LABEL_MAX + 1] = '\0';
	ck_assert_ptr_null(routes_find(t, ROUTES_HTTP, label, &BARE));
	strcpy(label + TEXT_LABEL_MAX + 1, ".b");
	ck_assert_ptr_null(routes_find(t, ROUTES_HTTP, label, &BARE));

	memset(name, 'b', sizeof(name));
	name[100] = '.';
	name[TEXT_NAME_MAX] = '\0';
	r = add(t, ROUTE_FULL, name);
	ck_assert_ptr_nonnull(r);
	ck_assert_ptr_eq(find(t, name), r);
	name[TEXT_NAME_MAX] = 'b';
	name[TEXT_NAME_MAX + 1] = '\0';
	ck_assert_ptr_null(find(t, name));
	ck_assert_ptr_null(add(t, ROUTE_FULL, name));
	end(t);
}
END_TEST

START_TEST(test_domains)
{
	ck_assert(routes_in_domain("a.b.example.org", "example.org"));
	ck_assert(routes_in_domain("a.example.org", "example.org"));
	ck_assert(!routes_in_domain("example.org", "example.org"));
	ck_assert(!routes_in_domain("a.notexample.org", "example.org"));
	ck_assert(routes_in_domain("a.example.org", NULL));
	ck_assert(routes_at_domain("a.example.org", "example.org"));
	ck_assert(!routes_at_domain("a.b.example.org", "example.org"));
	ck_assert(!routes_at_domain("a.example.org", NULL));
	ck_assert(!routes_at_domain("a", "example.org"));
}
END_TEST

START_TEST(test_many)
{
	struct routes *t = routes_new();
	struct route *r[2000];
	char name[32];

	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "n%d.example", i);
		r[i] = add(t, ROUTE_FULL, name);
	}
	ck_assert_uint_eq(routes_count(t), 2000);
	for (int i = 0; i < 2000; i += 2)
		routes_remove(t, r[i]);
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "n%d.example", i);
		ck_assert_ptr_eq(find(t, name), i % 2 == 0 ? NULL : r[i]);
	}
	end(t);
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
	tcase_add_test(tc, test_no_dot_is_no_label);
	tcase_add_test(tc, test_tables_are_apart);
	tcase_add_test(tc, test_virtual_addresses);
	tcase_add_test(tc, test_longest_wildcard);
	tcase_add_test(tc, test_no_wildcard_takes_ids);
	tcase_add_test(tc, test_lengths);
	tcase_add_test(tc, test_domains);
	tcase_add_test(tc, test_many);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
