/* Unit test of grants_url(). */
#include "client/grants.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *host, *url; /* as granted */
	const char *server;	/* as dialled */
	uint16_t port;
	const char *shown;
} cases[] = {
	{ "id1", "", "example.com", 8080, "http://id1.example.com:8080" },
	{ "id1", "", "example.com", 80, "http://id1.example.com" },
	{ "id1", "", "127.0.0.1", 8080, "http://127.0.0.1:8080 (Host: id1)" },
	{ "id1", "", "127.0.0.1", 80, "http://127.0.0.1 (Host: id1)" },
	{ "id1", "", "::1", 8080, "http://[::1]:8080 (Host: id1)" },
	{ "www.domain.com", "", "example.com", 8080,
	    "http://www.domain.com:8080" },
	{ "www.domain.com", "", "127.0.0.1", 80, "http://www.domain.com" },
	{ "*.example.org", "", "example.com", 81, "http://*.example.org:81" },
	{ "id1", "https://id1.public.org", "10.0.0.1", 80,
	    "https://id1.public.org" },
	{ "192.168.1.1:3000", "", "example.com", 8080,
	    "http://example.com:8080 (Host: 192.168.1.1:3000)" },
	{ "[fd00::1]:80", "", "::1", 80, "http://[::1] (Host: [fd00::1]:80)" },
};

START_TEST(says_where_it_is)
{
	struct granted g = { .index = 1, .way = GRANT_WAY_HTTP };
	char text[GRANTS_URL];

	strcpy(g.host, cases[_i].host);
	strcpy(g.url, cases[_i].url);
	ck_assert_str_eq(grants_url(text, &g, cases[_i].server, cases[_i].port),
	    cases[_i].shown);
}
END_TEST

/* By server name the port is another than the one that was dialled. */
START_TEST(says_where_it_is_by_server_name)
{
	struct granted g = { .way = GRANT_WAY_SNI, .opened = 443 };
	char text[GRANTS_URL];

	strcpy(g.host, "id1");
	ck_assert_str_eq(grants_url(text, &g, "example.com", 8080),
	    "https://id1.example.com");
	g.opened = 8443;
	ck_assert_str_eq(grants_url(text, &g, "example.com", 443),
	    "https://id1.example.com:8443");
	ck_assert_str_eq(grants_url(text, &g, "127.0.0.1", 443),
	    "https://127.0.0.1:8443 (server name: id1)");
}
END_TEST

START_TEST(the_longest_fit)
{
	struct granted g = { .index = 1 };
	char text[GRANTS_URL], server[TEXT_NAME_MAX + 1];

	memset(g.host, 'h', TEXT_NAME_MAX);
	memset(server, 's', TEXT_NAME_MAX);
	server[TEXT_NAME_MAX] = '\0';
	grants_url(text, &g, server, 65535);
	ck_assert_uint_eq(strlen(text), 7 + 2 * TEXT_NAME_MAX + 1 + 6);
	memset(g.url, 'u', GRANT_URL_MAX);
	grants_url(text, &g, server, 65535);
	ck_assert_uint_eq(strlen(text), GRANT_URL_MAX);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("grants");
	TCase *t = tcase_create("url");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(
	    t, says_where_it_is, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(t, says_where_it_is_by_server_name);
	tcase_add_test(t, the_longest_fit);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
