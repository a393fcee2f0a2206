/* Unit test of services.c: lists of services, and what they are granted. */
#include "common/tunnel/services.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/tunnel/frame.h"

typedef char name[TEXT_NAME_MAX + 1];

static name names[] = { "www", "a.example.com", "x_y.b" };
static struct service list[] = {
	{ 0, SERVICE_HTTP, 0, NULL },
	{ 7, SERVICE_HTTP, 2, names },
	{ 65535, SERVICE_HTTP, 1, names + 2 },
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
		all[i] = (struct service){ i, SERVICE_HTTP, SERVICE_NAMES_MAX,
			many };
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
	{ "-", SERVICE_HTTP, 1 }, { "a", 0, 1 }, { "a", SERVICE_HTTP + 1, 1 },
	{ "a", SERVICE_HTTP, 9 }, /* twice */
};

START_TEST(refused)
{
	name first = "good", second;
	struct service two[] = { { 9, SERVICE_HTTP, 1, &first },
		{ bad[_i].index, bad[_i].kind, 1, &second } };
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

START_TEST(grants)
{
	struct granted g = {
		.index = 3, .code = GRANT_TAKEN, .name = "www", .since = 70000
	};
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
	tcase_add_test(t, grants);
	tcase_add_test(t, every_code_has_a_text);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
