/* Unit test of user.c. */
#include <check.h>
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sys/user.h"

#define NOBODY_HAS "_ptp-check-no-such"

START_TEST(accounts_are_found)
{
	struct passwd *pw = getpwnam("nobody");
	struct user u;

	ck_assert_ptr_nonnull(pw);
	ck_assert_int_eq(user_find("nobody", &u), 0);
	ck_assert_uint_eq(u.uid, pw->pw_uid);
	ck_assert_uint_eq(u.gid, pw->pw_gid);
	ck_assert(!u.made_up);
	ck_assert_int_eq(user_find_or_choose("nobody", NULL, 0, &u), 0);
	ck_assert_uint_eq(u.uid, pw->pw_uid);
	ck_assert(!u.made_up);
}
END_TEST

START_TEST(root_is_refused)
{
	struct user u = { 1, 1, true };

	ck_assert_int_eq(user_find("root", &u), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(user_find_or_choose("root", NULL, 0, &u), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_uint_eq(u.uid, 1);
}
END_TEST

START_TEST(missing_accounts_are_missing)
{
	struct user u;

	ck_assert_int_eq(user_find(NOBODY_HAS, &u), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(user_find("", &u), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

static void
check_made_up(const struct user *u)
{
	ck_assert(u->made_up);
	ck_assert_uint_ge(u->uid, USER_UNUSED_MIN);
	ck_assert_uint_le(u->uid, USER_UNUSED_MAX);
	ck_assert_uint_eq(u->gid, u->uid);
	ck_assert_ptr_null(getpwuid(u->uid));
}

START_TEST(unused_ids_are_distinct_and_stable)
{
	struct user u[4], again;

	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(
		    user_find_or_choose(NOBODY_HAS, u, i, &u[i]), 0);
		check_made_up(&u[i]);
		for (size_t k = 0; k < i; k++)
			ck_assert_uint_ne(u[i].uid, u[k].uid);
	}
	ck_assert_int_eq(user_find_or_choose(NOBODY_HAS, NULL, 0, &again), 0);
	ck_assert_uint_eq(again.uid, u[0].uid);
}
END_TEST

/* Not even of a process whose /proc entry is root's. */
START_TEST(ids_of_processes_are_not_taken)
{
	struct user u, other;
	int ready[2];
	char c;
	pid_t pid;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(user_find_or_choose(NOBODY_HAS, NULL, 0, &u), 0);
	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (setresuid(u.uid, u.uid, u.uid) == -1 ||
		    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	ck_assert_int_eq(user_find_or_choose(NOBODY_HAS, NULL, 0, &other), 0);
	check_made_up(&other);
	ck_assert_uint_ne(other.uid, u.uid);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

START_TEST(a_full_range_is_told)
{
	static struct user all[USER_UNUSED_MAX - USER_UNUSED_MIN + 1];
	size_t n = sizeof(all) / sizeof(all[0]);
	struct user u;

	for (size_t i = 0; i < n; i++)
		all[i].uid = all[i].gid = (uid_t)(USER_UNUSED_MIN + i);
	ck_assert_int_eq(user_find_or_choose(NOBODY_HAS, all, n, &u), -1);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_int_eq(user_find_or_choose(NOBODY_HAS, all, n - 1, &u), 0);
	ck_assert_uint_eq(u.uid, USER_UNUSED_MAX);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("user");
	TCase *t = tcase_create("find");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, accounts_are_found);
	tcase_add_test(t, root_is_refused);
	tcase_add_test(t, missing_accounts_are_missing);
	tcase_add_test(t, unused_ids_are_distinct_and_stable);
	tcase_add_test(t, ids_of_processes_are_not_taken);
	tcase_add_test(t, a_full_range_is_told);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
