/* Unit test of server_addr.c: a table of addresses, good and bad. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf/server_addr.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define L63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"
#define S50 "01234567890123456789012345678901234567890123456789"
#define S255 S50 S50 S50 S50 S50 "01234"

/* What it is printed as in full, and its secret. */
static const struct {
	const char *text, *printed, *secret;
} good[] = {
	{ "example.com", "tcp://example.com:80", "" },
	{ "tcp://example.com", "tcp://example.com:80", "" },
	{ "tls://example.com", "tls://example.com:443", "" },
	{ "ws://example.com", "ws://example.com:80", "" },
	{ "wss://example.com", "wss://example.com:443", "" },
	{ "udp://example.com", "udp://example.com:80", "" },
	{ "tcp://Example.COM.:8080", "tcp://example.com:8080", "" },
	{ "localhost:1", "tcp://localhost:1", "" },
	{ "10.0.0.1:65535", "tcp://10.0.0.1:65535", "" },
	{ "[::1]", "tcp://[::1]:80", "" },
	{ "tcp://[2001:db8::1]:7000", "tcp://[2001:db8::1]:7000", "" },
	{ "id1@host", "tcp://id1@host:80", "" },
	{ "tcp://ID1:s@host:8080", "tcp://id1:s@host:8080", "s" },
	{ "id1:a:b@host", "tcp://id1:a:b@host:80", "a:b" },
	{ "id1:a@b@host", "tcp://id1:a@b@host:80", "a@b" },
	{ "id1:a#b@host", "tcp://id1:a#b@host:80", "a#b" },
	{ "id1:a://b@host", "tcp://id1:a://b@host:80", "a://b" },
	{ "id1:@/etc/secret@host", "tcp://id1:@/etc/secret@host:80",
	    "@/etc/secret" },
	{ "id1:s@[::1]:5#" KEY, "tcp://id1:s@[::1]:5#" KEY, "s" },
	{ "host#" KEY, "tcp://host:80#" KEY, "" },
	{ "tcp://" L63 ":" S255 "@host", "tcp://" L63 ":" S255 "@host:80",
	    S255 },
};

static const char *const bad[] = {
	"",
	"tcp://",
	"://host",
	"http://host",
	"TCP://host",
	"tcp:/host",
	"tcp://host/",
	"tcp://host:8080/path",
	"host:",
	"host:0",
	"host:65536",
	"host:8080x",
	"host:00000000000080",
	"::1",
	"[::1",
	"[127.0.0.1]:80",
	"[]:80",
	"[::1]x:80",
	"256.1.1.1",
	"1.2.3",
	"-host",
	"ho st",
	"ho\nst",
	"host..com",
	"@host",
	":secret@host",
	"id1:@host",
	"id.1:s@host",
	"id_1:s@host",
	L63 "a:s@host",
	"id1:" S255 "6@host",
	"id1:s@",
	"host#",
	"host#" KEY "A",
	"host#" KEY "=",
	"host#AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9",
	"host#short",
	"#" KEY,
	"id1:" S255 S255 S255 S255 "@host",
};

START_TEST(good_addresses)
{
	char text[SERVER_ADDR_MAX];
	struct server_addr a, back;
	const char *expected = server_addr_parse(&a, good[_i].text);

	ck_assert_msg(expected == NULL, "\"%s\": %s", good[_i].text, expected);
	server_addr_format(text, &a, true);
	ck_assert_str_eq(text, good[_i].printed);
	ck_assert_str_eq(a.secret, good[_i].secret);
	ck_assert_ptr_null(server_addr_parse(&back, text));
	ck_assert_mem_eq(&a, &back, sizeof(a));
}
END_TEST

START_TEST(bad_addresses)
{
	static const struct server_addr wiped;
	struct server_addr a;
	const char *expected = server_addr_parse(&a, bad[_i]);

	ck_assert_msg(expected != NULL, "\"%s\" was taken", bad[_i]);
	ck_assert_mem_eq(&a, &wiped, sizeof(a));
	ck_assert_int_eq(strncmp(expected, "expected ", 9), 0);
}
END_TEST

START_TEST(shown_without_secret)
{
	char text[SERVER_ADDR_MAX];
	struct server_addr a;

	ck_assert_ptr_null(server_addr_parse(&a, "id1:hidden@[::1]#" KEY));
	server_addr_format(text, &a, false);
	ck_assert_str_eq(text, "tcp://id1@[::1]:80#" KEY);
	server_addr_hostport(text, &a);
	ck_assert_str_eq(text, "[::1]:80");
	ck_assert(a.has_key);
	ck_assert_uint_eq(a.key[31], 31);
	ck_assert_str_eq(server_scheme_name(SERVER_WSS), "wss");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("server_addr");
	TCase *t = tcase_create("tables");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, good_addresses, 0, ROWS(good));
	tcase_add_loop_test(t, bad_addresses, 0, ROWS(bad));
	tcase_add_test(t, shown_without_secret);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
