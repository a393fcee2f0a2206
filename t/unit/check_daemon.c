/* Unit test of daemon.c. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sys/daemon.h"

/* The starter: becomes a daemon that then does as told. Its exit status. */
static int
start(void (*serve)(int fd, int out), int out)
{
	int fd, status;
	pid_t pid = fork();

	if (pid == 0) {
		fd = daemon_start();
		if (fd == -1)
			_exit(99);
		serve(fd, out);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* A report on the daemon's surroundings, before and after it is ready. */
static void
serve_well(int fd, int out)
{
	char text[64], cwd[16] = "";

	dprintf(STDERR_FILENO, "early\n");
	if (daemon_ready(fd) == -1)
		_exit(1);
	dprintf(STDERR_FILENO, "late\n");
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		_exit(1);
	snprintf(text, sizeof(text), "%d %d %s %d", getsid(0) == getpid(),
	    (int)read(STDIN_FILENO, text, 1), cwd, fcntl(fd, F_GETFD) == -1);
	if (write(out, text, strlen(text)) == -1)
		_exit(1);
}

START_TEST(starter_ends_when_the_daemon_serves)
{
	int out[2], err[2];
	char text[64];
	ssize_t n;

	ck_assert_int_eq(pipe(out), 0);
	ck_assert_int_eq(pipe2(err, O_NONBLOCK), 0);
	ck_assert_int_ne(dup2(err[1], STDERR_FILENO), -1);
	ck_assert_int_eq(start(serve_well, out[1]), 0);
	n = read(out[0], text, sizeof(text) - 1);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert_str_eq(text, "1 0 / 1");
	n = read(err[0], text, sizeof(text) - 1);
	ck_assert_int_eq(n, 6);
	ck_assert_int_eq(memcmp(text, "early\n", 6), 0);
}
END_TEST

static void
give_up(int fd, int out)
{
	(void)fd;
	(void)out;
	_exit(1);
}

static void
crash(int fd, int out)
{
	(void)fd;
	(void)out;
	kill(getpid(), SIGKILL);
}

START_TEST(starter_ends_as_a_daemon_that_failed)
{
	ck_assert_int_eq(start(give_up, -1), 1);
	ck_assert_int_eq(start(crash, -1), 2);
}
END_TEST

/* Loop: path and abstract. */
START_TEST(systemd_is_told)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char name[64], got[64];
	socklen_t len;
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "%scheck_daemon.%d",
	    _i == 0 ? "/tmp/" : "@", (int)getpid());
	memcpy(sun.sun_path, name, strlen(name));
	if (_i == 1)
		sun.sun_path[0] = '\0';
	len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	unlink(name); /* another run, killed, may have had this pid */
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, len), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	ck_assert_int_eq(daemon_notify("READY=1"), 1);
	n = recv(fd, got, sizeof(got), 0);
	ck_assert_int_eq(n, 7);
	ck_assert_int_eq(memcmp(got, "READY=1", 7), 0);
	/* It never blocks: a full socket is an error. */
	do
		n = daemon_notify("STATUS=x");
	while (n == 1);
	ck_assert_int_eq(errno, EAGAIN);
	close(fd);
	ck_assert_int_eq(daemon_notify("READY=1"), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	unlink(name);
}
END_TEST

START_TEST(nobody_is_told_without_systemd)
{
	char longest[200];

	unsetenv("NOTIFY_SOCKET");
	ck_assert_int_eq(daemon_notify("READY=1"), 0);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	longest[0] = '/';
	setenv("NOTIFY_SOCKET", longest, 1);
	ck_assert_int_eq(daemon_notify("READY=1"), -1);
	ck_assert_int_eq(errno, EINVAL);
	setenv("NOTIFY_SOCKET", "vsock:2:1", 1);
	ck_assert_int_eq(daemon_notify("READY=1"), -1);
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("daemon");
	TCase *t = tcase_create("start");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, starter_ends_when_the_daemon_serves);
	tcase_add_test(t, starter_ends_as_a_daemon_that_failed);
	tcase_add_loop_test(t, systemd_is_told, 0, 2);
	tcase_add_test(t, nobody_is_told_without_systemd);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
