/* Unit test of addr.c: tables of text, wire and blocks. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/addr.h"
#include "common/base/buf.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* What an address to listen on is printed as; NULL: refused. */
static const struct {
	const char *text, *printed;
} listens[] = {
	{ "80", "*:80" },
	{ ":80", "*:80" },
	{ "*:80", "*:80" },
	{ "0", "*:0" },
	{ "65535", "*:65535" },
	{ "127.0.0.1:80", "127.0.0.1:80" },
	{ "0.0.0.0:1", "0.0.0.0:1" },
	{ "[::1]:80", "[::1]:80" },
	{ "[::]:80", "[::]:80" },
	{ "[::ffff:1.2.3.4]:80", "1.2.3.4:80" },
	{ "[2001:DB8:0::1]:443", "[2001:db8::1]:443" },
	{ "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:65535",
	    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:65535" },
	{ "", NULL },
	{ ":", NULL },
	{ "*", NULL },
	{ "65536", NULL },
	{ "080", NULL },
	{ "+80", NULL },
	{ "-1", NULL },
	{ " 80", NULL },
	{ "80 ", NULL },
	{ "1e3", NULL },
	{ "127.0.0.1", NULL },
	{ "127.0.0.1:", NULL },
	{ "127.1:80", NULL },
	{ "127.0.0.01:80", NULL },
	{ "256.0.0.1:80", NULL },
	{ "::1:80", NULL },
	{ "[::1]", NULL },
	{ "[::1]80", NULL },
	{ "[127.0.0.1]:80", NULL },
	{ "[]:80", NULL },
	{ "[:80", NULL },
	{ "localhost:80", NULL },
	{ "[fe80::1%lo]:80", NULL },
	{ "[0000:0000:0000:0000:0000:0000:0000:0000:0000]:80", NULL },
};

START_TEST(listen_addresses)
{
	char text[ADDR_TEXT];
	struct addr a, before;
	int rc;

	memset(&a, 0x55, sizeof(a));
	before = a;
	rc = addr_parse_listen(&a, listens[_i].text);
	ck_assert_int_eq(rc, listens[_i].printed == NULL ? -1 : 0);
	if (rc == -1) {
		ck_assert_mem_eq(&a, &before, sizeof(a));
		return;
	}
	ck_assert_str_eq(addr_format(text, &a), listens[_i].printed);
}
END_TEST

START_TEST(sockaddr_round_trip)
{
	struct sockaddr_storage ss;
	struct addr a, back;
	socklen_t n;

	if (listens[_i].printed == NULL ||
	    addr_parse_listen(&a, listens[_i].text) == -1)
		return;
	n = addr_to_sockaddr(&ss, &a);
	ck_assert_int_eq(
	    addr_from_sockaddr(&back, (struct sockaddr *)&ss, n), 0);
	if (a.family == ADDR_ANY) /* is [::] from here on */
		a.family = ADDR_V6;
	ck_assert(addr_equal(&a, &back));
	ck_assert_int_eq(
	    addr_from_sockaddr(&back, (struct sockaddr *)&ss, n - 1), -1);
}
END_TEST

START_TEST(mapped_sockaddr_is_v4)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(7) };
	char text[ADDR_TEXT];
	struct addr a;

	inet_pton(AF_INET6, "::ffff:10.1.2.3", &v6.sin6_addr);
	ck_assert_int_eq(
	    addr_from_sockaddr(&a, (struct sockaddr *)&v6, sizeof(v6)), 0);
	ck_assert_str_eq(addr_format(text, &a), "10.1.2.3:7");
	ck_assert_str_eq(addr_format_ip(text, &a), "10.1.2.3");
}
END_TEST

static struct addr
ip(const char *s)
{
	struct addr a;

	ck_assert_int_eq(addr_parse_ip(&a, s), 0);
	return a;
}

START_TEST(order_and_equality)
{
	struct addr a = ip("1.2.3.4"), b = ip("1.2.3.4"), c = ip("::1");

	ck_assert(addr_equal(&a, &b));
	b.port = 1;
	ck_assert_int_lt(addr_compare(&a, &b), 0);
	ck_assert_int_gt(addr_compare(&b, &a), 0);
	ck_assert_int_lt(addr_compare(&b, &c), 0);
	ck_assert_int_gt(addr_compare(&c, &b), 0);
}
END_TEST

START_TEST(loopback)
{
	struct addr a;

	a = ip("127.9.9.9");
	ck_assert(addr_is_loopback(&a));
	a = ip("::1");
	ck_assert(addr_is_loopback(&a));
	a = ip("::ffff:127.0.0.1");
	ck_assert(addr_is_loopback(&a));
	a = ip("128.0.0.1");
	ck_assert(!addr_is_loopback(&a));
	a = ip("::2");
	ck_assert(!addr_is_loopback(&a));
	a.family = ADDR_ANY;
	ck_assert(!addr_is_loopback(&a));
}
END_TEST

START_TEST(sources)
{
	char text[ADDR_TEXT];
	struct addr a = ip("2001:db8:1:2:3:4:5:6"), s;

	a.port = 9;
	s = addr_source(&a);
	ck_assert_str_eq(addr_format(text, &s), "[2001:db8:1:2::]:0");
	a = ip("10.1.2.3");
	a.port = 9;
	s = addr_source(&a);
	ck_assert_str_eq(addr_format(text, &s), "10.1.2.3:0");
}
END_TEST

START_TEST(wire_round_trip)
{
	uint8_t bytes[ADDR_WIRE];
	struct addr a, back;
	struct buf b;

	if (listens[_i].printed == NULL ||
	    addr_parse_listen(&a, listens[_i].text) == -1)
		return;
	buf_write(&b, bytes, sizeof(bytes));
	ck_assert_int_eq(addr_put(&b, &a), 0);
	ck_assert_uint_eq(buf_used(&b), ADDR_WIRE);
	buf_read(&b, bytes, sizeof(bytes));
	ck_assert_int_eq(addr_get(&b, &back), 0);
	ck_assert(buf_done(&b));
	ck_assert(addr_equal(&a, &back));

	buf_write(&b, bytes, ADDR_WIRE - 1);
	ck_assert_int_eq(addr_put(&b, &a), -1);
	buf_read(&b, bytes, ADDR_WIRE - 1);
	ck_assert_int_eq(addr_get(&b, &back), -1);
}
END_TEST

/* Bytes that addr_put() never writes. */
static const uint8_t bad_wire[][ADDR_WIRE] = {
	{ 5 },
	{ [0] = 0, [1] = 1 },
	{ [0] = 4, [5] = 1 },
	{ [0] = 4, [16] = 1 },
	{ [0] = 6, [11] = 0xff, [12] = 0xff, [13] = 1 },
};

START_TEST(wire_other_forms_refused)
{
	struct addr a;
	struct buf b;

	buf_read(&b, bad_wire[_i], ADDR_WIRE);
	ck_assert_int_eq(addr_get(&b, &a), -1);
	ck_assert(!buf_ok(&b));
}
END_TEST

/* Block, address, whether it lies inside; a NULL address: refused. */
static const struct {
	const char *block, *addr;
	bool inside;
} blocks[] = {
	{ "10.0.0.0/8", "10.255.1.2", true },
	{ "10.0.0.0/8", "11.0.0.0", false },
	{ "10.9.9.9/8", "10.0.0.1", true },
	{ "10.0.0.0/8", "::ffff:10.1.1.1", true },
	{ "::ffff:10.0.0.0/104", "10.1.1.1", true },
	{ "::ffff:10.0.0.0/104", "11.1.1.1", false },
	{ "0.0.0.0/0", "255.255.255.255", true },
	{ "0.0.0.0/0", "::1", false },
	{ "::/0", "2001::1", true },
	{ "::/0", "1.2.3.4", false },
	{ "127.0.0.1", "127.0.0.1", true },
	{ "127.0.0.1", "127.0.0.2", false },
	{ "192.168.1.128/25", "192.168.1.127", false },
	{ "192.168.1.128/25", "192.168.1.129", true },
	{ "2001:db8::/33", "2001:db8:7fff::1", true },
	{ "2001:db8::/33", "2001:db8:8000::1", false },
	{ "::1", "::1", true },
	{ "::1/128", "::2", false },
	{ "10.0.0.0/33", NULL, false },
	{ "::/129", NULL, false },
	{ "::ffff:1.2.3.4/95", NULL, false },
	{ "10.0.0.0/", NULL, false },
	{ "10.0.0.0/-1", NULL, false },
	{ "10.0.0.0/8/8", NULL, false },
	{ "10.0.0/8", NULL, false },
	{ "/8", NULL, false },
	{ "", NULL, false },
	{ "example.com/8", NULL, false },
	{ "0000:0000:0000:0000:0000:0000:0000:0000:0000/1", NULL, false },
};

START_TEST(blocks_hold)
{
	uint8_t bytes[ADDR_WIRE + 1];
	struct addr_block k, back;
	struct addr a;
	struct buf b;

	if (blocks[_i].addr == NULL) {
		ck_assert_int_eq(addr_block_parse(&k, blocks[_i].block), -1);
		return;
	}
	ck_assert_int_eq(addr_block_parse(&k, blocks[_i].block), 0);
	a = ip(blocks[_i].addr);
	ck_assert_int_eq(addr_block_has(&k, &a), blocks[_i].inside);
	ck_assert_int_eq(addr_blocks_have(&k, 1, &a), blocks[_i].inside);
	ck_assert(!addr_blocks_have(&k, 0, &a));

	buf_write(&b, bytes, sizeof(bytes));
	ck_assert_int_eq(addr_block_put(&b, &k), 0);
	buf_read(&b, bytes, sizeof(bytes));
	ck_assert_int_eq(addr_block_get(&b, &back), 0);
	ck_assert(buf_done(&b));
	ck_assert(addr_equal(&k.net, &back.net) && k.bits == back.bits);

	bytes[ADDR_WIRE] = 129; /* more bits than any family has */
	buf_read(&b, bytes, sizeof(bytes));
	ck_assert_int_eq(addr_block_get(&b, &back), -1);
	bytes[ADDR_WIRE] = 0; /* fewer than the address has */
	buf_read(&b, bytes, sizeof(bytes));
	ck_assert_int_eq(addr_block_get(&b, &back),
	    k.bits == 0 || strncmp(blocks[_i].block, "::/", 3) == 0 ? 0 : -1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("addr");
	TCase *t = tcase_create("tables");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, listen_addresses, 0, ROWS(listens));
	tcase_add_loop_test(t, sockaddr_round_trip, 0, ROWS(listens));
	tcase_add_loop_test(t, wire_round_trip, 0, ROWS(listens));
	tcase_add_loop_test(t, wire_other_forms_refused, 0, ROWS(bad_wire));
	tcase_add_loop_test(t, blocks_hold, 0, ROWS(blocks));
	tcase_add_test(t, mapped_sockaddr_is_v4);
	tcase_add_test(t, order_and_equality);
	tcase_add_test(t, loopback);
	tcase_add_test(t, sources);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
