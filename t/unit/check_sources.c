/* Where clients come from, and who is locked out. */
#include <check.h>
#include <sodium.h>
#include <stdlib.h>
#include <time.h>

#include "master/sources.h"

static struct addr
ip(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse_ip(&a, text), 0);
	return a;
}

static void
wait_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

START_TEST(test_blocks)
{
	struct sources *t = sources_new();
	struct addr a = ip("10.0.0.1"), b = ip("10.0.0.2");
	struct addr c = ip("2001:db8::1"), d = ip("2001:db8::2");
	struct source *sa, *sc;

	a.port = 1000;
	sa = sources_take(t, &a);
	a.port = 2000;
	ck_assert_ptr_eq(sources_take(t, &a), sa);
	ck_assert_uint_eq(sa->handshakes, 2);
	ck_assert_ptr_ne(sources_take(t, &b), sa);
	sc = sources_take(t, &c);
	ck_assert_ptr_eq(sources_take(t, &d), sc); /* one /64 */
	ck_assert_uint_eq(sources_count(t), 3);
	sources_release(t, sa);
	ck_assert_uint_eq(sources_count(t), 3);
	sources_release(t, sa);
	ck_assert_uint_eq(sources_count(t), 2); /* nothing to remember */
	sources_free(t);
}
END_TEST

START_TEST(test_locked_after_more_than_tries)
{
	struct lockout l = { 3, 100000 };
	struct sources *t = sources_new();
	struct addr a = ip("10.0.0.1");
	struct source *s = sources_take(t, &a);

	for (int i = 0; i < 3; i++) {
		ck_assert(!sources_failed(s, &l));
		ck_assert(!sources_locked(s, &l));
	}
	ck_assert(sources_failed(s, &l));
	ck_assert(sources_locked(s, &l));
	ck_assert(!sources_failed(s, &l)); /* said once */
	/* It is remembered when nobody is there. */
	sources_release(t, s);
	ck_assert_uint_eq(sources_count(t), 1);
	s = sources_take(t, &a);
	ck_assert(sources_locked(s, &l));
	sources_release(t, s);
	sources_forgive(t);
	ck_assert_uint_eq(sources_count(t), 0);
	sources_free(t);
}
END_TEST

/* Also those who have users, or log in just now. */
START_TEST(test_all_are_forgiven)
{
	struct lockout l = { 0, 0 };
	struct sources *t = sources_new();
	struct addr a = ip("10.0.0.1"), b = ip("10.0.0.2"), c = ip("10.0.0.3");
	struct source *s[] = { sources_take(t, &a), sources_take(t, &b),
		sources_take(t, &c) };

	for (size_t i = 0; i < 3; i++)
		ck_assert(sources_failed(s[i], &l));
	ck_assert_uint_eq(sources_locked_out(t, &l), 3);
	ck_assert_ptr_eq(sources_take_user(t, &b), s[1]);
	sources_release(t, s[0]);
	sources_release(t, s[1]);
	sources_forgive(t);
	ck_assert_uint_eq(sources_locked_out(t, &l), 0);
	ck_assert(!sources_locked(s[1], &l));
	ck_assert(!sources_locked(s[2], &l));
	ck_assert_uint_eq(sources_count(t), 2);
	sources_free(t);
}
END_TEST

START_TEST(test_success_clears)
{
	struct lockout l = { 3, 100000 };
	struct sources *t = sources_new();
	struct addr a = ip("10.0.0.1");
	struct source *s = sources_take(t, &a);

	for (int i = 0; i < 3; i++)
		sources_failed(s, &l);
	sources_succeeded(s);
	for (int i = 0; i < 3; i++)
		ck_assert(!sources_failed(s, &l));
	ck_assert(!sources_locked(s, &l));
	sources_free(t);
}
END_TEST

START_TEST(test_time)
{
	struct lockout l = { 0, 50 }, longer = { 0, 3600000 };
	struct lockout forever = { 0, 0 };
	struct sources *t = sources_new();
	struct addr a = ip("10.0.0.1");
	struct source *s = sources_take(t, &a);

	ck_assert(sources_failed(s, &longer));
	wait_ms(60);
	ck_assert(sources_locked(s, &longer));
	ck_assert(sources_locked(s, &forever));
	ck_assert(!sources_locked(s, &l));
	sources_free(t);
}
END_TEST

START_TEST(test_bound)
{
	struct lockout l = { 0, 0 };
	struct sources *t = sources_new();
	struct addr first = ip("10.0.0.0"), a = first;
	struct source *s;

	for (uint32_t i = 0; i <= SOURCES_MAX; i++) {
		a.ip[1] = (uint8_t)(i >> 16);
		a.ip[2] = (uint8_t)(i >> 8);
		a.ip[3] = (uint8_t)i;
		s = sources_take(t, &a);
		sources_failed(s, &l);
		sources_release(t, s);
	}
	ck_assert_uint_eq(sources_count(t), SOURCES_MAX);
	s = sources_take(t, &a);
	ck_assert(sources_locked(s, &l));
	s = sources_take(t, &first); /* the oldest had to go */
	ck_assert(!sources_locked(s, &l));
	sources_free(t);
}
END_TEST

START_TEST(test_users)
{
	struct lockout l = { 0, 0 };
	struct sources *t = sources_new();
	struct addr a = ip("10.0.0.1"), b = ip("10.0.0.2");
	struct source *s = sources_take_user(t, &a);

	ck_assert_uint_eq(s->users, 1);
	ck_assert_ptr_eq(sources_take_user(t, &a), s);
	ck_assert_uint_eq(s->users, 2);
	ck_assert_uint_eq(sources_take_user(t, &b)->users, 1);
	/* A login of the same source, before and after its users. */
	ck_assert_ptr_eq(sources_take(t, &a), s);
	sources_release(t, s);
	ck_assert_uint_eq(s->users, 2);
	sources_release_user(t, &a);
	sources_take(t, &a);
	sources_release_user(t, &a);
	sources_failed(s, &l);
	sources_release(t, s);
	ck_assert_uint_eq(sources_count(t), 2); /* it has failed */
	sources_release_user(t, &b);
	ck_assert_uint_eq(sources_count(t), 1);
	sources_release_user(t, &b); /* nothing of it is left */
	sources_release_user(t, &a);
	ck_assert_uint_eq(s->users, 0);
	sources_free(t);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sources");
	TCase *tc = tcase_create("sources");
	SRunner *sr = srunner_create(s);
	int failed;

	if (sodium_init() == -1)
		return EXIT_FAILURE;
	tcase_add_test(tc, test_blocks);
	tcase_add_test(tc, test_locked_after_more_than_tries);
	tcase_add_test(tc, test_all_are_forgiven);
	tcase_add_test(tc, test_success_clears);
	tcase_add_test(tc, test_time);
	tcase_add_test(tc, test_bound);
	tcase_add_test(tc, test_users);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
