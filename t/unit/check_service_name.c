/* Names of services, each kind in its one form. */
#include "common/base/service_name.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/http/host.h"

static const struct {
	const char *text;
	int kind;
	const char *form; /* NULL: text itself */
} good[] = {
	{ "web", SERVICE_NAME_LABEL, NULL },
	{ "WEB-1", SERVICE_NAME_LABEL, "web-1" },
	{ "7", SERVICE_NAME_LABEL, NULL },
	{ "www.Example.com", SERVICE_NAME_FULL, "www.example.com" },
	{ "www.example.com.", SERVICE_NAME_FULL, "www.example.com" },
	{ "local.test", SERVICE_NAME_FULL, NULL },
	{ "_dmarc.example.com", SERVICE_NAME_FULL, NULL },
	{ "1.2.3.example", SERVICE_NAME_FULL, NULL },
	{ "*.Example.org", SERVICE_NAME_WILDCARD, "*.example.org" },
	{ "*.test", SERVICE_NAME_WILDCARD, NULL },
	{ "192.168.1.1:3000", SERVICE_NAME_ADDRESS, NULL },
	{ "192.168.1.1:1", SERVICE_NAME_ADDRESS, NULL },
	{ "192.168.1.1:65535", SERVICE_NAME_ADDRESS, NULL },
	{ "[FD00:0::1]:80", SERVICE_NAME_ADDRESS, "[fd00::1]:80" },
	{ "[::ffff:10.0.0.1]:80", SERVICE_NAME_ADDRESS, "10.0.0.1:80" },
};

static const char *const bad[] = { "", ".", "-", "a_b", "a b", "web-", "-web",
	"*", "*.", "*.*", "*web", "*.a..b", "a.*.b", "www.*", "*.1.2.3.4",
	"*.7", "**.a", "1.2.3.4", "999.999.999.999", "1.2", "1.2.3.4:0",
	"1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:080", "1.2.3.4:8a", ":80", "*:80",
	"www.example.com:80", "web:80", "[::1]", "[::1]:0", "::1",
	"[1.2.3.4]:80", "[::1%lo]:80", "[::1]:80 ", "1.2.3.4:80:80",
	"http://web" };

START_TEST(kinds_and_forms)
{
	char dst[TEXT_NAME_MAX + 1], again[TEXT_NAME_MAX + 1];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const char *text = good[i].text;
		int kind = service_name_parse(dst, text, strlen(text));

		ck_assert_msg(kind == good[i].kind, "%s: %d", text, kind);
		ck_assert_str_eq(
		    dst, good[i].form != NULL ? good[i].form : text);
		/* The one form is its own form. */
		ck_assert_int_eq(
		    service_name_parse(again, dst, strlen(dst)), kind);
		ck_assert_str_eq(again, dst);
	}
}
END_TEST

START_TEST(what_is_no_name)
{
	char dst[TEXT_NAME_MAX + 1] = "as it was";

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(
		    service_name_parse(dst, bad[i], strlen(bad[i])) == -1, "%s",
		    bad[i]);
		ck_assert_str_eq(dst, "as it was");
	}
	ck_assert_int_eq(service_name_parse(dst, "1.2.3.4:80\0x", 12), -1);
	ck_assert_int_eq(service_name_parse(dst, "we\0b", 4), -1);
}
END_TEST

/* A name of exactly n bytes, in labels of at most 63, behind `prefix`. */
static void
long_name(char *dst, const char *prefix, size_t n)
{
	size_t from = strlen(prefix);

	strcpy(dst, prefix);
	for (size_t i = from; i < n; i++)
		dst[i] = (i - from) % 50 == 49 && i < n - 1 ? '.' : 'a';
	dst[n] = '\0';
}

START_TEST(lengths)
{
	char name[TEXT_NAME_MAX + 8], dst[TEXT_NAME_MAX + 1];

	memset(name, 'a', sizeof(name));
	ck_assert_int_eq(
	    service_name_parse(dst, name, TEXT_LABEL_MAX), SERVICE_NAME_LABEL);
	ck_assert_int_eq(service_name_parse(dst, name, TEXT_LABEL_MAX + 1), -1);
	long_name(name, "", TEXT_NAME_MAX);
	ck_assert_int_eq(
	    service_name_parse(dst, name, TEXT_NAME_MAX), SERVICE_NAME_FULL);
	long_name(name, "", TEXT_NAME_MAX + 1);
	ck_assert_int_eq(service_name_parse(dst, name, TEXT_NAME_MAX + 1), -1);
	long_name(name, "*.", TEXT_NAME_MAX);
	ck_assert_int_eq(service_name_parse(dst, name, TEXT_NAME_MAX),
	    SERVICE_NAME_WILDCARD);
	long_name(name, "*.", TEXT_NAME_MAX + 1);
	ck_assert_int_eq(service_name_parse(dst, name, TEXT_NAME_MAX + 1), -1);
	memset(name, ':', sizeof(name));
	ck_assert_int_eq(service_name_parse(dst, name, sizeof(name)), -1);
}
END_TEST

static const char *
called(char dst[HOST_NAME_SIZE], uint16_t usual, const char *value)
{
	return host_called(dst, usual, value, strlen(value)) == 0 ? dst : "-";
}

START_TEST(what_users_call)
{
	char dst[HOST_NAME_SIZE];

	/* Ports do not matter for names ... */
	ck_assert_str_eq(
	    called(dst, 80, "WWW.example.com:8080"), "www.example.com");
	ck_assert_str_eq(called(dst, 0, "id1."), "id1");
	ck_assert_str_eq(called(dst, 0, "a_b"), "a_b");
	/* ... and are part of an address. */
	ck_assert_str_eq(
	    called(dst, 80, "192.168.1.1:3000"), "192.168.1.1:3000");
	ck_assert_str_eq(called(dst, 80, "192.168.1.1"), "192.168.1.1:80");
	ck_assert_str_eq(called(dst, 443, "[FD00::1]"), "[fd00::1]:443");
	ck_assert_str_eq(called(dst, 80, "[::ffff:1.2.3.4]:9"), "1.2.3.4:9");
	/* Whoever knows it better adds the port. */
	ck_assert_str_eq(called(dst, 0, "192.168.1.1"), "192.168.1.1");
	ck_assert_str_eq(called(dst, 0, "[FD00::1]"), "[fd00::1]");
	ck_assert_str_eq(called(dst, 0, "[FD00::1]:8"), "[fd00::1]:8");
	ck_assert_str_eq(called(dst, 80, "[zz]"), "-");
	ck_assert_str_eq(called(dst, 80, "*.example.org"), "-");
	ck_assert_str_eq(called(dst, 80, ""), "-");
	ck_assert_str_eq(called(dst, 80, "[::1"), "-");
}
END_TEST

START_TEST(wildcards_longest_first)
{
	char dst[TEXT_NAME_MAX + 1], name[TEXT_NAME_MAX + 1];
	const char *at = "a.b.example.org";

	ck_assert_str_eq(service_name_wider(dst, &at), "*.b.example.org");
	ck_assert_str_eq(service_name_wider(dst, &at), "*.example.org");
	ck_assert_str_eq(service_name_wider(dst, &at), "*.org");
	ck_assert_ptr_null(service_name_wider(dst, &at));
	at = "label";
	ck_assert_ptr_null(service_name_wider(dst, &at));
	long_name(name, "", TEXT_NAME_MAX);
	at = name;
	ck_assert_ptr_nonnull(service_name_wider(dst, &at));
	ck_assert_uint_eq(strlen(dst), TEXT_NAME_MAX - 50 + 2);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("service_name");
	TCase *tc = tcase_create("service_name");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, kinds_and_forms);
	tcase_add_test(tc, what_is_no_name);
	tcase_add_test(tc, lengths);
	tcase_add_test(tc, what_users_call);
	tcase_add_test(tc, wildcards_longest_first);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
