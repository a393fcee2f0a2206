/* Unit test of engine_conf.c and tls_conf.c. */
#include "client/engine_conf.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "client/tls_conf.h"
#include "common/base/buf.h"
#include "common/net/proxy_header.h"

static uint8_t bytes[16384];
static struct buf b;

/* Behind the kind, n bytes. */
static void
begin(size_t n, uint8_t kind)
{
	uint8_t k = 0;

	buf_read(&b, bytes, n);
	ck_assert_int_eq(buf_get_u8(&b, &k), n > 0 ? 0 : -1);
	if (n > 0)
		ck_assert_uint_eq(k, kind);
}

START_TEST(pool)
{
	const struct engine_pool p = { 10, 3, 45000 };
	struct engine_pool back = { 0 };

	buf_write(&b, bytes, sizeof(bytes));
	ck_assert_int_eq(engine_conf_put_pool(&b, &p), 0);
	for (size_t n = buf_used(&b), len = 1; len <= n; len++) {
		begin(len, ENGINE_CONF_POOL);
		ck_assert_int_eq(
		    engine_conf_get_pool(&b, &back), len == n ? 0 : -1);
	}
	ck_assert_uint_eq(back.connections, 10);
	ck_assert_uint_eq(back.idle, 3);
	ck_assert_uint_eq(back.timeout, 45000);
	bytes[1] = 0; /* no tunnel at all */
	begin(7, ENGINE_CONF_POOL);
	ck_assert_int_eq(engine_conf_get_pool(&b, &back), -1);
}
END_TEST

START_TEST(service)
{
	const char *remove[ENGINE_CONF_HEADERS];
	char name[256] = "", host[ENGINE_CONF_HOST + 1] = "";
	struct engine_service s = { .index = 65535,
		.timeout = 1,
		.pair = true,
		.proxy = PROXY_V2,
		.label = name,
		.host = host,
		.nremove = ENGINE_CONF_HEADERS,
		.remove = remove };
	struct engine_service_in in;
	size_t n;

	memset(name, 'n', 255);
	memset(host, 'h', ENGINE_CONF_HOST);
	for (size_t i = 0; i < ENGINE_CONF_HEADERS; i++)
		remove[i] = name;
	buf_write(&b, bytes, sizeof(bytes));
	ck_assert_int_eq(engine_conf_put_service(&b, &s), 0);
	n = buf_used(&b);
	for (size_t len = 1; len < n; len += 7) {
		begin(len, ENGINE_CONF_SERVICE);
		ck_assert_int_eq(engine_conf_get_service(&b, &in), -1);
	}
	begin(n, ENGINE_CONF_SERVICE);
	ck_assert_int_eq(engine_conf_get_service(&b, &in), 0);
	ck_assert_uint_eq(in.index, 65535);
	ck_assert_uint_eq(in.nremove, ENGINE_CONF_HEADERS);
	ck_assert(in.pair);
	ck_assert_uint_eq(in.proxy, PROXY_V2);
	ck_assert_str_eq(in.host, host);
	ck_assert_str_eq(in.label, name);
	ck_assert_str_eq(in.remove[ENGINE_CONF_HEADERS - 1], name);
	engine_conf_free_service(&in);
	begin(n + 1, ENGINE_CONF_SERVICE);
	ck_assert_int_eq(engine_conf_get_service(&b, &in), -1);
	s.nremove++;
	buf_write(&b, bytes, sizeof(bytes));
	ck_assert_int_eq(engine_conf_put_service(&b, &s), -1);
}
END_TEST

START_TEST(service_without_rules)
{
	const struct engine_service s = { .index = 0, .label = "x" };
	struct engine_service_in in;

	buf_write(&b, bytes, sizeof(bytes));
	ck_assert_int_eq(engine_conf_put_service(&b, &s), 0);
	begin(buf_used(&b), ENGINE_CONF_SERVICE);
	ck_assert_int_eq(engine_conf_get_service(&b, &in), 0);
	ck_assert_str_eq(in.host, "");
	ck_assert_uint_eq(in.nremove, 0);
	engine_conf_free_service(&in);
}
END_TEST

START_TEST(tls)
{
	struct tls_conf c = { .service = 9, .verify = true }, back;
	size_t n;

	memset(c.name, 'n', TEXT_NAME_MAX);
	buf_write(&b, bytes, sizeof(bytes));
	ck_assert_int_eq(tls_conf_put(&b, &c), 0);
	n = buf_used(&b);
	for (size_t len = 0; len <= n + 1; len++) {
		buf_read(&b, bytes, len);
		ck_assert_int_eq(tls_conf_get(&b, &back), len == n ? 0 : -1);
	}
	ck_assert_uint_eq(back.service, c.service);
	ck_assert(back.verify);
	ck_assert_str_eq(back.name, c.name);
	bytes[2] = 2;
	buf_read(&b, bytes, n);
	ck_assert_int_eq(tls_conf_get(&b, &back), -1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("engine_conf");
	TCase *t = tcase_create("codecs");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, pool);
	tcase_add_test(t, service);
	tcase_add_test(t, service_without_rules);
	tcase_add_test(t, tls);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
