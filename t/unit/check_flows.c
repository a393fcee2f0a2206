/* The table of flows: its bounds, and who goes at them. */
#include <check.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "worker/udp/flows.h"

#define ALL 64
#define SERVICE 32
#define SOURCE 8
#define IDLE 1000

static struct flows *t;
static struct flow_group g, other;
static size_t ended;
static uint16_t last_port; /* of the source that ended last */

static const struct addr local = { ADDR_V4, 53, { 192, 0, 2, 53 } };

static void
on_ended(void *arg, struct flow *f)
{
	(void)arg;
	ended++;
	last_port = f->peer.port;
}

static void
setup(void)
{
	ck_assert_int_ne(sodium_init(), -1);
	t = flows_new(ALL, SERVICE, SOURCE, on_ended, NULL);
	ck_assert_ptr_nonnull(t);
	flows_join(t, &g, IDLE);
	flows_join(t, &other, 0);
	ended = 0;
}

static void
teardown(void)
{
	flows_free(t);
}

/* Source number i: every one in a block of its own, or all in one. */
static struct addr
source(unsigned i, bool same)
{
	struct addr a = { ADDR_V4, (uint16_t)(1000 + i), { 10, 0, 0, 1 } };

	if (!same)
		a.ip[3] = (uint8_t)i;
	return a;
}

static struct flow *
add(struct flow_group *to, unsigned i, bool same, uint64_t now)
{
	struct addr a = source(i, same);
	struct flow *f;

	ck_assert_ptr_null(flows_find(t, &a, &local));
	ck_assert_ptr_nonnull(f = flows_add(t, to, &a, &local, now));
	flows_heard(f, now);
	ck_assert_ptr_eq(flows_find(t, &a, &local), f);
	ck_assert_ptr_eq(flows_get(t, f->id), f);
	return f;
}

START_TEST(local_addresses_apart)
{
	struct addr a = source(1, false), second = local;
	struct flow *f = add(&g, 1, false, 1);

	second.ip[3]++;
	ck_assert_ptr_null(flows_find(t, &a, &second));
	ck_assert_ptr_ne(flows_add(t, &g, &a, &second, 1), f);
	ck_assert_uint_eq(flows_count(t), 2);
	ck_assert_ptr_null(flows_get(t, 0));
}
END_TEST

START_TEST(source_is_bounded)
{
	for (unsigned i = 0; i < SOURCE; i++)
		add(&g, i, true, i);
	ck_assert_uint_eq(ended, 0);
	add(&g, SOURCE, true, 100);
	ck_assert_uint_eq(ended, 1);
	ck_assert_uint_eq(last_port, 1000);
	/* Whoever is in use is not the one. */
	flows_heard(
	    flows_find(
		t, &(struct addr){ ADDR_V4, 1001, { 10, 0, 0, 1 } }, &local),
	    101);
	add(&g, SOURCE + 1, true, 102);
	ck_assert_uint_eq(last_port, 1002);
	ck_assert_uint_eq(flows_count(t), SOURCE);
}
END_TEST

/* A /64 is one source. */
START_TEST(blocks_of_ipv6)
{
	for (unsigned i = 0; i <= SOURCE; i++) {
		struct addr a = { ADDR_V6, 1000, { 0x20, 1, 0xd, 0xb8 } };

		a.ip[15] = (uint8_t)i;
		flows_add(t, &g, &a, &local, i);
	}
	ck_assert_uint_eq(ended, 1);
}
END_TEST

/* Those that have shown that they hear us stay, whatever else comes. */
START_TEST(forged_sources_push_out_each_other)
{
	struct addr honest = source(0, false);
	struct flow *f = add(&g, 0, false, 0);

	flows_said(f, 1);
	flows_heard(f, 2);
	for (unsigned i = 1; i < 200; i++)
		add(&g, i, false, 10 + i);
	ck_assert_uint_eq(flows_count(t), SERVICE);
	ck_assert_uint_eq(ended, 200 - SERVICE);
	ck_assert_ptr_eq(flows_find(t, &honest, &local), f);
}
END_TEST

/* Answered is not enough: a forged source may be answered as well. */
START_TEST(answered_is_not_proven)
{
	struct flow *f = add(&g, 0, false, 0);

	flows_said(f, 1);
	for (unsigned i = 1; i <= SERVICE; i++)
		add(&g, i, false, 10 + i);
	ck_assert_uint_eq(ended, 1);
	ck_assert_uint_eq(last_port, 1000);
}
END_TEST

START_TEST(all_are_bounded)
{
	struct flow_group third;

	flows_join(t, &third, IDLE);
	for (unsigned i = 0; i < SERVICE; i++) {
		add(&g, i, false, i);
		if (i > 0)
			add(&other, 100 + i, false, i);
	}
	ck_assert_uint_eq(ended, 0);
	add(&third, 40, false, 50);
	ck_assert_uint_eq(ended, 0);
	add(&third, 41, false, 50);
	ck_assert_uint_eq(ended, 1);
	ck_assert_uint_eq(last_port, 1000); /* of the largest */
	ck_assert_uint_eq(flows_count(t), ALL);
	flows_leave(t, &third);
	ck_assert_uint_eq(flows_count(t), ALL - 2);
	ck_assert_uint_eq(ended, 1);
}
END_TEST

START_TEST(time_ends_them)
{
	struct flow *f = add(&g, 1, false, 0), *p = add(&g, 2, false, 0);

	add(&other, 3, false, 0);
	flows_said(p, 10);
	flows_heard(p, 20);
	flows_expire(t, IDLE - 1);
	ck_assert_uint_eq(ended, 0);
	flows_said(f, IDLE - 1); /* an answer keeps it as well */
	flows_expire(t, IDLE + 20);
	ck_assert_uint_eq(ended, 1);
	ck_assert_uint_eq(last_port, 1002);
	flows_expire(t, 2 * IDLE - 1);
	ck_assert_uint_eq(ended, 2);
	flows_expire(t, UINT64_MAX / 4); /* no time: never */
	ck_assert_uint_eq(ended, 2);
	ck_assert_uint_eq(flows_count(t), 1);
}
END_TEST

/* Added and dropped in any order, everything is found, nothing is left. */
START_TEST(many)
{
	struct flows *big = flows_new(5000, 5000, 5000, on_ended, NULL);
	struct flow_group group;
	struct flow *f[4000];

	flows_join(big, &group, IDLE);
	for (unsigned i = 0; i < 4000; i++) {
		struct addr a = source(i, i % 2 == 0);

		f[i] = flows_add(big, &group, &a, &local, i);
	}
	for (unsigned i = 0; i < 4000; i += 3)
		flows_drop(big, f[i]);
	for (unsigned i = 0; i < 4000; i++) {
		struct addr a = source(i, i % 2 == 0);

		ck_assert_ptr_eq(
		    flows_find(big, &a, &local), i % 3 == 0 ? NULL : f[i]);
	}
	flows_clear(big, &group);
	ck_assert_uint_eq(flows_count(big), 0);
	flows_free(big);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("flows");
	TCase *c = tcase_create("flows");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, local_addresses_apart);
	tcase_add_test(c, source_is_bounded);
	tcase_add_test(c, blocks_of_ipv6);
	tcase_add_test(c, forged_sources_push_out_each_other);
	tcase_add_test(c, answered_is_not_proven);
	tcase_add_test(c, all_are_bounded);
	tcase_add_test(c, time_ends_them);
	tcase_add_test(c, many);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
