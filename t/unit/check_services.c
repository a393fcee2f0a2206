/* Unit test of services.c: lists of services, and what they are granted. */
#include "common/tunnel/services.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/tunnel/frame.h"

typedef char name[TEXT_NAME_MAX + 1];

static name names[] = { "www", "a.example.com", "x_y.b" };
static struct addr_block blocks[] = {
	{ { .family = ADDR_V4, .ip = { 10 } }, 8 },
	{ { .family = ADDR_V6, .ip = { 0x20, 1 } }, 32 },
};
static struct service list[] = {
	{ .index = 0, .kind = SERVICE_HTTP },
	{ .index = 7,
	    .kind = SERVICE_TCP,
	    .flags = SERVICE_FLAGS,
	    .nnames = 2,
	    .names = names,
	    .port = 1,
	    .port_last = SERVICE_PORTS_MAX,
	    .streams = 0xfffffffe,
	    .speed = UINT64_C(0xfffffffffffffffe),
	    .idle_ms = 60000,
	    .has_basic = true,
	    .has_token = true,
	    .basic = { 1, 2, 3 },
	    .token = { 4, 5, 6 },
	    .nallow = 1,
	    .ndeny = 2,
	    .allow = blocks,
	    .deny = blocks },
	{ .index = 65535,
	    .kind = SERVICE_UDP,
	    .nnames = 1,
	    .names = names + 2,
	    .port = 65535,
	    .port_last = 65535 },
};
static const struct services sample = { 0xdeadbeef, 3, list };

static size_t
encode(uint8_t *p, size_t cap, const struct services *s)
{
	struct buf b;

	buf_write(&b, p, cap);
	return services_put(&b, s) == 0 ? buf_used(&b) : 0;
}

static int
decode(struct services *s, const uint8_t *p, size_t n)
{
	uint8_t *exact = malloc(n + 1);
	struct buf b;
	int rc;

	memcpy(exact, p, n);
	buf_read(&b, exact, n);
	rc = services_get(s, &b);
	free(exact);
	return rc;
}

START_TEST(round_trip)
{
	uint8_t p[SERVICES_BYTES];
	struct services got;
	size_t n = encode(p, sizeof(p), &sample);

	ck_assert_uint_gt(n, 0);
	ck_assert_int_eq(decode(&got, p, n), 0);
	ck_assert_uint_eq(got.serial, sample.serial);
	ck_assert_uint_eq(got.count, 3);
	ck_assert_uint_eq(got.list[0].nnames, 0);
	ck_assert_uint_eq(got.list[1].index, 7);
	ck_assert_str_eq(got.list[1].names[1], "a.example.com");
	ck_assert_str_eq(got.list[2].names[0], "x_y.b");
	ck_assert_uint_eq(got.list[1].flags, SERVICE_FLAGS);
	ck_assert_uint_eq(got.list[1].port, 1);
	ck_assert_uint_eq(got.list[1].port_last, SERVICE_PORTS_MAX);
	ck_assert_uint_eq(got.list[1].streams, list[1].streams);
	ck_assert_uint_eq(got.list[1].speed, list[1].speed);
	ck_assert_uint_eq(got.list[1].idle_ms, 60000);
	ck_assert(got.list[1].has_basic && got.list[1].has_token);
	ck_assert_mem_eq(got.list[1].basic, list[1].basic, GATE_HASH);
	ck_assert_mem_eq(got.list[1].token, list[1].token, GATE_HASH);
	ck_assert_uint_eq(got.list[1].nallow, 1);
	ck_assert_uint_eq(got.list[1].ndeny, 2);
	ck_assert(addr_equal(&got.list[1].deny[1].net, &blocks[1].net));
	ck_assert(!got.list[2].has_basic && !got.list[2].has_token);
	services_free(&got);
	services_free(&got); /* once more does no harm */
	for (size_t cut = 0; cut < n; cut++) {
		ck_assert_int_eq(decode(&got, p, cut), -1);
		ck_assert_uint_eq(encode(p, cut, &sample), 0);
		encode(p, sizeof(p), &sample);
	}
	p[n] = 0;
	ck_assert_int_eq(decode(&got, p, n + 1), -1);
}
END_TEST

START_TEST(none_is_a_list_too)
{
	struct services none = { 1, 0, NULL }, got;
	uint8_t p[16];
	size_t n = encode(p, sizeof(p), &none);

	ck_assert_uint_eq(n, 6);
	ck_assert_int_eq(decode(&got, p, n), 0);
	ck_assert_uint_eq(got.count, 0);
	services_free(&got);
}
END_TEST

/* So many, with so many names each, and one more of either. */
START_TEST(bounds)
{
	static name many[SERVICE_NAMES_MAX + 1];
	static struct service all[SERVICES_MAX + 1];
	struct services s = { 1, SERVICES_MAX, all }, got;
	uint8_t p[2 * SERVICES_BYTES];
	size_t n;

	for (size_t i = 0; i <= SERVICE_NAMES_MAX; i++)
		strcpy(many[i], "a");
	for (uint16_t i = 0; i <= SERVICES_MAX; i++)
		all[i] = (struct service){ .index = i,
			.kind = SERVICE_HTTP,
			.nnames = SERVICE_NAMES_MAX,
			.names = many };
	n = encode(p, sizeof(p), &s);
	ck_assert_int_eq(decode(&got, p, n), 0);
	services_free(&got);
	s.count++;
	n = encode(p, sizeof(p), &s);
	ck_assert_int_eq(decode(&got, p, n), -1);
	s.count = 1;
	all[0].nnames++;
	n = encode(p, sizeof(p), &s);
	ck_assert_int_eq(decode(&got, p, n), -1);
}
END_TEST

static const struct {
	const char *name;
	uint8_t kind;
	uint16_t index;
} bad[] = {
	{ "WWW", SERVICE_HTTP, 1 }, { "a.", SERVICE_HTTP, 1 },
	{ "", SERVICE_HTTP, 1 }, { "a b", SERVICE_HTTP, 1 },
	{ "-", SERVICE_HTTP, 1 }, { "a", 0, 1 }, { "a", SERVICE_KINDS, 1 },
	{ "a", SERVICE_HTTP, 9 }, /* twice */
};

START_TEST(refused)
{
	name first = "good", second;
	struct service two[] = { { .index = 9,
				     .kind = SERVICE_HTTP,
				     .nnames = 1,
				     .names = &first },
		{ .index = bad[_i].index,
		    .kind = bad[_i].kind,
		    .nnames = 1,
		    .names = &second } };
	struct services s = { 1, 2, two }, got;
	uint8_t p[256];
	size_t n;

	strcpy(second, bad[_i].name);
	n = encode(p, sizeof(p), &s);
	ck_assert_uint_gt(n, 0);
	ck_assert_int_eq(decode(&got, p, n), -1);
	ck_assert_uint_eq(got.count, 0);
	ck_assert_ptr_null(got.list);
}
END_TEST

/* Ports: out of order, too many, a last one without a first. */
START_TEST(bad_ports)
{
	static const uint16_t ports[][2] = { { 2, 1 }, { 0, 1 }, { 1, 0 },
		{ 1, SERVICE_PORTS_MAX + 1 } };
	struct service one = { .index = 1,
		.kind = SERVICE_TCP,
		.port = ports[_i][0],
		.port_last = ports[_i][1] };
	struct services s = { 1, 1, &one }, got;
	uint8_t p[64];
	size_t n = encode(p, sizeof(p), &s);

	ck_assert_uint_gt(n, 0);
	ck_assert_int_eq(decode(&got, p, n), -1);
}
END_TEST

START_TEST(bad_flags)
{
	struct service one = {
		.index = 1, .kind = SERVICE_TCP, .flags = SERVICE_FLAGS + 1
	};
	struct services s = { 1, 1, &one }, got;
	uint8_t p[64];
	size_t n = encode(p, sizeof(p), &s);

	ck_assert_uint_gt(n, 0);
	ck_assert_int_eq(decode(&got, p, n), -1);
}
END_TEST

START_TEST(hashes)
{
	uint8_t one[GATE_HASH], other[GATE_HASH];

	gate_hash(one, "id1", 1, "secret", 6);
	gate_hash(other, "id1", 1, "secret", 6);
	ck_assert(gate_equal(one, other));
	gate_hash(other, "id1", 2, "secret", 6);
	ck_assert(!gate_equal(one, other));
	gate_hash(other, "id2", 1, "secret", 6);
	ck_assert(!gate_equal(one, other));
	gate_hash(other, "id1", 1, "secre", 5);
	ck_assert(!gate_equal(one, other));
}
END_TEST

START_TEST(grants)
{
	struct granted g = { .index = 3,
		.code = GRANT_TAKEN,
		.way = GRANT_WAY_TCP,
		.name = "www",
		.port = 6000,
		.opened = 6001,
		.since = 70000 };
	struct granted got;
	uint8_t p[2048];
	uint32_t serial;
	uint16_t count;
	struct buf b;
	size_t n;

	memset(g.host, 'h', TEXT_NAME_MAX);
	memset(g.url, 'u', GRANT_URL_MAX);
	buf_write(&b, p, sizeof(p));
	ck_assert_int_eq(granted_put_head(&b, 5, 1), 0);
	ck_assert_int_eq(granted_put(&b, &g), 0);
	n = buf_used(&b);
	buf_read(&b, p, n);
	ck_assert_int_eq(granted_get_head(&b, &serial, &count), 0);
	ck_assert_uint_eq(serial, 5);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(granted_get(&b, &got), 0);
	ck_assert(buf_done(&b));
	ck_assert_uint_eq(got.index, 3);
	ck_assert_uint_eq(got.code, GRANT_TAKEN);
	ck_assert_uint_eq(got.way, GRANT_WAY_TCP);
	ck_assert_uint_eq(got.port, 6000);
	ck_assert_uint_eq(got.opened, 6001);
	ck_assert_uint_eq(got.since, 70000);
	ck_assert_str_eq(got.name, g.name);
	ck_assert_str_eq(got.host, g.host);
	ck_assert_str_eq(got.url, g.url);
	for (size_t cut = 6; cut < n; cut++) {
		buf_read(&b, p + 6, cut - 6);
		ck_assert_int_eq(granted_get(&b, &got), -1);
	}
	p[8] = GRANT_CODES;
	buf_read(&b, p + 6, n - 6);
	ck_assert_int_eq(granted_get(&b, &got), -1);
	p[8] = GRANT_OK;
	for (int way = 0; way <= GRANT_WAYS; way += GRANT_WAYS) {
		p[9] = (uint8_t)way;
		buf_read(&b, p + 6, n - 6);
		ck_assert_int_eq(granted_get(&b, &got), -1);
	}
}
END_TEST

START_TEST(every_code_has_a_text)
{
	for (int i = 0; i <= GRANT_CODES; i++)
		ck_assert_ptr_nonnull(grant_text((enum grant)i));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("services");
	TCase *t = tcase_create("services");
	SRunner *r;
	int failed;

	tcase_add_test(t, round_trip);
	tcase_add_test(t, none_is_a_list_too);
	tcase_add_test(t, bounds);
	tcase_add_loop_test(t, refused, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_loop_test(t, bad_ports, 0, 4);
	tcase_add_test(t, bad_flags);
	tcase_add_test(t, hashes);
	tcase_add_test(t, grants);
	tcase_add_test(t, every_code_has_a_text);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
