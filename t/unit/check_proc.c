/*
 * Unit test of proc.c. The child that is spawned is this program itself,
 * which finds its role by its title, and reports through its channel.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sys/proc.h"

#define TITLE "ptp: check_proc child"

extern char **environ;

static char self[PATH_MAX];

/* Descriptors that are open, as bits. */
static unsigned
open_fds(void)
{
	unsigned bits = 0;

	for (int fd = 0; fd < 32; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			bits |= 1u << fd;
	return bits;
}

/* What the child finds wrong with its surroundings, or "fine". */
static const char *
complaint(void)
{
	bool keep = getenv(PROC_KEEP_STDERR) != NULL;
	struct stat null, st;
	struct sigaction sa;
	sigset_t blocked;
	char cwd[16];

	if (open_fds() != 0xf)
		return "descriptors";
	stat("/dev/null", &null);
	for (int fd = 0; fd <= 2 - keep; fd++)
		if (fstat(fd, &st) == -1 || st.st_rdev != null.st_rdev)
			return "not /dev/null";
	if (keep && fstat(2, &st) == 0 && st.st_rdev == null.st_rdev)
		return "stderr";
	if (strcmp(environ[0], "PATH=/usr/bin:/bin") != 0 ||
	    (!keep && environ[1] != NULL))
		return "environment";
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	if (!sigisemptyset(&blocked))
		return "blocked signals";
	for (int sig = 1; sig < SIGRTMIN; sig++)
		if (sigaction(sig, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN)
			return "ignored signals";
	if (umask(0) != 077)
		return "umask";
	if (getcwd(cwd, sizeof(cwd)) == NULL || strcmp(cwd, "/") != 0)
		return "directory";
	return "fine";
}

static void
say(const char *text)
{
	if (send(PROC_CHANNEL, text, strlen(text), 0) == -1)
		_exit(1);
}

/* Spawn the child and let it speak; its channel's other end. */
static int
spawn(pid_t *pid)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	*pid = proc_spawn(self, TITLE, pair[1]);
	ck_assert_int_gt(*pid, 0);
	close(pair[1]);
	return pair[0];
}

static void
expect(int fd, const char *text)
{
	char got[64];
	ssize_t n = recv(fd, got, sizeof(got) - 1, 0);

	ck_assert_int_gt(n, 0);
	got[n] = '\0';
	ck_assert_str_eq(got, text);
}

static void
expect_end(pid_t pid, const char *text)
{
	char got[64];
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_str_eq(proc_status_text(got, sizeof(got), status), text);
}

START_TEST(child_starts_clean)
{
	sigset_t all;
	pid_t pid;
	int fd;

	/* All that must not be inherited. */
	for (int i = 0; i < 5; i++)
		ck_assert_int_ne(dup(1), -1);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	umask(0);
	setenv("SECRET", "x", 1);
	unsetenv(PROC_KEEP_STDERR);
	fd = spawn(&pid);
	expect(fd, "fine");
	expect_end(pid, "exited with 7");
	/* And the parent's own state is as it was. */
	sigprocmask(SIG_SETMASK, NULL, &all);
	ck_assert(sigismember(&all, SIGTERM));
}
END_TEST

/* Whatever numbers the parent's descriptors have: 0 to 4 free or taken. */
START_TEST(descriptors_land_in_their_places)
{
	int pair[2], high[2];
	char c;
	pid_t pid;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	high[0] = fcntl(pair[0], F_DUPFD, 20);
	high[1] = fcntl(pair[1], F_DUPFD, 20);
	/* In a child: Check speaks by low descriptors of its own. */
	pid = fork();
	if (pid == 0) {
		for (int fd = 0; fd < 20; fd++)
			close(fd);
		/* The channel as each of 0 ... 4, what is below it taken. */
		for (int fd = 0; fd < _i; fd++)
			if (dup(high[0]) != fd)
				_exit(1);
		if (dup(high[1]) != _i)
			_exit(1);
		pid = proc_spawn(self, TITLE, _i);
		_exit(pid > 0 && waitpid(pid, NULL, 0) == pid ? 0 : 2);
	}
	close(pair[1]);
	close(high[1]);
	expect(pair[0], "fine");
	expect_end(pid, "exited with 0");
	ck_assert_int_eq(recv(pair[0], &c, 1, 0), 0);
}
END_TEST

START_TEST(stderr_is_kept_on_demand)
{
	pid_t pid;
	int fd;

	setenv(PROC_KEEP_STDERR, "1", 1);
	setenv("UBSAN_OPTIONS", "", 1);
	fd = spawn(&pid);
	expect(fd, "fine");
	expect_end(pid, "exited with 7");
}
END_TEST

/* Errors of the child's side come back as errno and leave no zombie. */
START_TEST(failed_exec_is_told)
{
	ck_assert_int_eq(proc_spawn("/nonexistent/x", TITLE, 1), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(proc_spawn("/etc/passwd", TITLE, 1), -1);
	ck_assert_int_eq(errno, EACCES);
	ck_assert_int_eq(proc_spawn(self, TITLE, 1000), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(no_descriptor_stays_behind)
{
	unsigned before = open_fds();
	pid_t pid;
	int fd;

	fd = spawn(&pid);
	expect(fd, "fine");
	expect_end(pid, "exited with 7");
	close(fd);
	ck_assert_uint_eq(open_fds(), before);
	ck_assert_int_eq(proc_spawn("/nonexistent/x", TITLE, 1), -1);
	ck_assert_uint_eq(open_fds(), before);
}
END_TEST

START_TEST(executables_are_found_beside)
{
	char path[PATH_MAX], tiny[8];

	ck_assert_int_eq(proc_libexec("check_proc", path, sizeof(path)), 0);
	ck_assert_str_eq(path, self);
	ck_assert_int_eq(proc_libexec("no-such", path, sizeof(path)), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(proc_libexec("check_proc", tiny, sizeof(tiny)), -1);
	ck_assert_int_eq(errno, ENAMETOOLONG);
}
END_TEST

START_TEST(ends_are_put_in_words)
{
	char text[64], tiny[8];

	ck_assert_str_eq(
	    proc_status_text(text, sizeof(text), 3 << 8), "exited with 3");
	ck_assert_str_eq(proc_status_text(text, sizeof(text), SIGSYS),
	    "killed by SIGSYS (forbidden system call)");
	ck_assert_str_eq(proc_status_text(text, sizeof(text), SIGSEGV | 0x80),
	    "killed by SIGSEGV (core dumped)");
	ck_assert_str_eq(proc_status_text(tiny, sizeof(tiny), 0), "exited ");
}
END_TEST

int
main(int argc, char **argv)
{
	SRunner *r;
	Suite *s;
	TCase *t;
	ssize_t n;
	int failed;

	if (argc == 1 && strcmp(argv[0], TITLE) == 0) {
		say(complaint());
		return 7;
	}
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n <= 0)
		return EXIT_FAILURE;
	s = suite_create("proc");
	t = tcase_create("spawn");
	tcase_add_test(t, child_starts_clean);
	tcase_add_loop_test(t, descriptors_land_in_their_places, 0, 6);
	tcase_add_test(t, stderr_is_kept_on_demand);
	tcase_add_test(t, failed_exec_is_told);
	tcase_add_test(t, no_descriptor_stays_behind);
	tcase_add_test(t, executables_are_found_beside);
	tcase_add_test(t, ends_are_put_in_words);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
