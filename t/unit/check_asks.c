/* Which names are asked for, in which tables. */
#include "master/asks.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef char name[TEXT_NAME_MAX + 1];

static char told[512];

/* "index name table[!]": "!" for a row that nobody serves. */
static void
note(void *arg, const struct ask *a)
{
	size_t n = strlen(told);

	ck_assert_ptr_null(arg);
	snprintf(told + n, sizeof(told) - n, "%s%u%s%s%s%s%s", n > 0 ? " " : "",
	    a->sv->index, a->name[0] != '\0' ? ":" : "", a->name,
	    a->table == ROUTES_SNI ? ".s" : ".h", a->first ? "" : "+",
	    a->served ? "" : "!");
}

static const char *
rows(struct service *list, uint16_t n, bool http, bool sni)
{
	const struct services s = { .count = n, .list = list };

	told[0] = '\0';
	asks_each(&s, http, sni, note, NULL);
	return told;
}

static name ab[] = { "a", "b" };

START_TEST(each_kind)
{
	struct service http = { .index = 1, .kind = SERVICE_HTTP };
	struct service tcp = { .index = 2, .kind = SERVICE_TCP };
	struct service udp = { .index = 3, .kind = SERVICE_UDP };

	ck_assert_str_eq(rows(&http, 1, true, true), "1.h");
	http.flags = SERVICE_SNI;
	ck_assert_str_eq(rows(&http, 1, true, true), "1.h 1.s+");
	ck_assert_str_eq(rows(&http, 1, true, false), "1.h");
	ck_assert_str_eq(rows(&http, 1, false, true), "1.s");
	ck_assert_str_eq(rows(&http, 1, false, false), "1.h!");
	http.names = ab;
	http.nnames = 2;
	ck_assert_str_eq(
	    rows(&http, 1, true, true), "1:a.h 1:a.s+ 1:b.h 1:b.s+");
	/* Bytes have names only where CONNECT leads to them. */
	ck_assert_str_eq(rows(&tcp, 1, true, true), "");
	tcp.names = ab;
	tcp.nnames = 1;
	ck_assert_str_eq(rows(&tcp, 1, true, true), "2:a.h");
	ck_assert_str_eq(rows(&tcp, 1, false, true), "2:a.h!");
	udp.names = ab;
	udp.nnames = 2;
	ck_assert_str_eq(rows(&udp, 1, true, true), "");
}
END_TEST

START_TEST(a_site_of_two_services)
{
	struct service site[] = {
		{ .index = 1, .kind = SERVICE_HTTP, .nnames = 1, .names = ab },
		{ .index = 2, .kind = SERVICE_TLS, .nnames = 1, .names = ab },
	};

	ck_assert_str_eq(rows(site, 2, true, true), "1:a.h 2:a.s");
	/* By CONNECT alone nobody reaches what is behind a server name. */
	ck_assert_str_eq(rows(site + 1, 1, true, true), "2:a.h 2:a.s+");
	ck_assert_str_eq(rows(site + 1, 1, true, false), "2:a.h!");
	site[0].flags = SERVICE_SNI;
	ck_assert_str_eq(rows(site, 2, true, true), "1:a.h 2:a.s");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("asks");
	TCase *tc = tcase_create("asks");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, each_kind);
	tcase_add_test(tc, a_site_of_two_services);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
