/* Connections and their numbers. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "master/conns.h"

static const struct msg_conn WHO;

static int
some_fd(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

START_TEST(test_numbers)
{
	struct conns *t = conns_new(1000);
	struct conn *a, *b;
	uint32_t old;

	ck_assert_ptr_null(conns_find(t, 0));
	ck_assert_ptr_null(conns_find(t, 1));
	ck_assert_ptr_null(conns_find(t, UINT32_MAX));
	a = conns_add(t, some_fd(), &WHO);
	b = conns_add(t, some_fd(), &WHO);
	ck_assert_uint_ne(a->id, 0);
	ck_assert_uint_ne(a->id, b->id);
	ck_assert_ptr_eq(conns_find(t, a->id), a);
	ck_assert_ptr_eq(conns_find(t, b->id), b);
	old = a->id;
	conns_remove(t, a);
	ck_assert_ptr_null(conns_find(t, old));
	ck_assert_ptr_eq(conns_find(t, b->id), b);
	ck_assert_uint_eq(conns_count(t), 1);
	conns_free(t);
}
END_TEST

/* A late frame about an old connection must not hit a new one. */
START_TEST(test_not_reused_soon)
{
	struct conns *t = conns_new(3);
	uint32_t seen[3000];

	for (int i = 0; i < 3000; i++) {
		struct conn *c = conns_add(t, -1, &WHO);

		ck_assert_ptr_nonnull(c);
		seen[i] = c->id;
		conns_remove(t, c);
		for (int j = i < 100 ? 0 : i - 100; j < i; j++) {
			ck_assert_uint_ne(seen[j], seen[i]);
			ck_assert_ptr_null(conns_find(t, seen[j]));
		}
	}
	conns_free(t);
}
END_TEST

START_TEST(test_full)
{
	struct conns *t = conns_new(2);
	struct conn *a, *b;
	int fd = some_fd();

	a = conns_add(t, some_fd(), &WHO);
	b = conns_add(t, some_fd(), &WHO);
	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_nonnull(b);
	ck_assert_ptr_null(conns_add(t, fd, &WHO));
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1); /* closed */
	conns_remove(t, a);
	ck_assert_ptr_nonnull(conns_add(t, some_fd(), &WHO));
	conns_free(t);
}
END_TEST

START_TEST(test_descriptors)
{
	struct conns *t = conns_new(10);
	int mine = some_fd(), theirs = some_fd();
	struct conn *a = conns_add(t, mine, &WHO);
	struct conn *b = conns_add(t, theirs, &WHO);

	ck_assert_int_eq(conn_take_fd(b), theirs);
	conns_remove(t, a);
	conns_remove(t, b);
	ck_assert_int_eq(fcntl(mine, F_GETFD), -1);
	ck_assert_int_ne(fcntl(theirs, F_GETFD), -1);
	close(theirs);
	conns_free(t);
}
END_TEST

struct tally {
	struct conns *t;
	unsigned n;
};

static void
drop_even(void *arg, struct conn *c)
{
	struct tally *tally = arg;

	if (tally->n++ % 2 == 0)
		conns_remove(tally->t, c);
}

START_TEST(test_each_may_remove)
{
	struct conns *t = conns_new(5000);
	struct tally tally = { t, 0 };

	for (int i = 0; i < 1000; i++)
		ck_assert_ptr_nonnull(conns_add(t, -1, &WHO));
	conns_each(t, drop_even, &tally);
	ck_assert_uint_eq(tally.n, 1000);
	ck_assert_uint_eq(conns_count(t), 500);
	conns_free(t);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("conns");
	TCase *tc = tcase_create("conns");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, test_numbers);
	tcase_add_test(tc, test_not_reused_soon);
	tcase_add_test(tc, test_full);
	tcase_add_test(tc, test_descriptors);
	tcase_add_test(tc, test_each_may_remove);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
