/* Child processes: found, started clean, and their ends put in words. */
#include "common/sys/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPORT_FD 4 /* in the child: where errno goes, close-on-exec */
#define ENV_MAX 5   /* variables of a child, with the final NULL */

/* dir/name into dst if that is an executable file. */
static int
try_dir(
    char *dst, size_t size, const char *dir, size_t dirlen, const char *name)
{
	char path[PATH_MAX];
	int n;

	n = snprintf(path, sizeof(path), "%.*s/%s", (int)dirlen, dir, name);
	if (n < 0 || (size_t)n >= sizeof(path) || (size_t)n >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (access(path, X_OK) == -1)
		return -1;
	memcpy(dst, path, (size_t)n + 1);
	return 0;
}

/* The directory of the running executable, into dst[PATH_MAX]. */
static int
own_dir(char *dst)
{
	ssize_t n = readlink("/proc/self/exe", dst, PATH_MAX - 1);
	char *slash;

	if (n <= 0)
		return -1;
	dst[n] = '\0';
	if ((slash = strrchr(dst, '/')) == NULL)
		return -1;
	*slash = '\0';
	return 0;
}

int
proc_near(const char *relative, const char *name, char *dst, size_t size)
{
	char own[PATH_MAX], path[PATH_MAX], dir[PATH_MAX];
	int n;

	if (own_dir(own) == -1)
		return -1;
	n = snprintf(path, sizeof(path), "%s/%s", own, relative);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (realpath(path, dir) == NULL)
		return -1;
	return try_dir(dst, size, dir, strlen(dir), name);
}

int
proc_libexec(const char *name, char *dst, size_t size)
{
	if (proc_near(".", name, dst, size) == 0 ||
	    proc_near("../libexec/ptp", name, dst, size) == 0)
		return 0;
	return try_dir(dst, size, PTP_LIBEXECDIR, strlen(PTP_LIBEXECDIR), name);
}

/* Close all from `first` on; without close_range (Linux 5.9) one by one. */
static void
close_from(unsigned first)
{
	long max;

	if (syscall(SYS_close_range, first, ~0u, 0) == 0)
		return;
	max = sysconf(_SC_OPEN_MAX);
	for (long fd = first; fd < max; fd++)
		close((int)fd);
}

/*
 * Move the two descriptors that go along to their places, close the rest.
 * *report is at every moment where errno can be written to.
 */
static int
arrange_fds(int channel, int *report, bool keep_stderr)
{
	int null, copy;

	/* Out of each other's way first: copies above all fixed places. */
	channel = fcntl(channel, F_DUPFD_CLOEXEC, REPORT_FD + 1);
	copy = fcntl(*report, F_DUPFD_CLOEXEC, REPORT_FD + 1);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (channel == -1 || copy == -1 || null == -1)
		return -1;
	*report = copy;
	if (null > STDERR_FILENO) {
		null = fcntl(null, F_DUPFD_CLOEXEC, REPORT_FD + 1);
		if (null == -1)
			return -1;
	}
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fd == STDERR_FILENO && keep_stderr)
			break;
		/* dup3 refuses equal ones: dup2 leaves CLOEXEC as it is. */
		if (fd == null ? fcntl(fd, F_SETFD, 0) == -1
			       : dup2(null, fd) == -1)
			return -1;
	}
	if (dup2(channel, PROC_CHANNEL) == -1 ||
	    dup3(*report, REPORT_FD, O_CLOEXEC) == -1)
		return -1;
	*report = REPORT_FD;
	close_from(REPORT_FD + 1);
	return 0;
}

/* exec keeps what is ignored: nothing is. */
static int
reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL); /* some cannot, and are default */
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * The child, up to its own program. A sanitizer's options go along where its
 * reports do.
 */
static void
become(const char *path, const char *title, int channel, int *report)
{
	static const char *const passed[] = { PROC_KEEP_STDERR, "ASAN_OPTIONS",
		"UBSAN_OPTIONS" };
	char title_copy[NAME_MAX + 1], pathvar[] = "PATH=/usr/bin:/bin";
	char *argv[] = { title_copy, NULL }, *env[ENV_MAX] = { pathvar };
	bool keep_stderr = getenv(PROC_KEEP_STDERR) != NULL;
	const char *value;
	size_t n = 1;

	if (keep_stderr) {
		for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]);
		    i++) {
			value = getenv(passed[i]);
			if (value != NULL &&
			    asprintf(&env[n], "%s=%s", passed[i], value) != -1)
				n++;
		}
	}
	env[n] = NULL;
	snprintf(title_copy, sizeof(title_copy), "%s", title);
	umask(077);
	/* What a terminal sends (^C) is for the parent, which lets us drain. */
	(void)setpgid(0, 0);
	if (chdir("/") == -1 ||
	    arrange_fds(channel, report, keep_stderr) == -1 ||
	    reset_signals() == -1)
		return;
	execve(path, argv, env);
}

/* Wait for exec: 0 if it worked, else the child is reaped and errno its. */
static int
await_exec(pid_t pid, int report)
{
	int child_errno;
	ssize_t n;

	do
		n = read(report, &child_errno, sizeof(child_errno));
	while (n == -1 && errno == EINTR);
	if (n == 0)
		return 0;
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
	errno = n == sizeof(child_errno) ? child_errno : EIO;
	return -1;
}

pid_t
proc_spawn(const char *path, const char *title, int channel)
{
	sigset_t all, before;
	int report[2], saved;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC) == -1)
		return -1;
	/* No handler of ours may run in the child, on our descriptors. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0) {
		become(path, title, channel, &report[1]);
		saved = errno;
		/* If this fails, the parent sees a child that dies at once. */
		if (write(report[1], &saved, sizeof(saved)) == -1)
			_exit(126);
		_exit(127);
	}
	saved = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(report[1]);
	errno = saved;
	if (pid != -1 && await_exec(pid, report[0]) == -1)
		pid = -1;
	saved = errno;
	close(report[0]);
	errno = saved;
	return pid;
}

char *
proc_status_text(char *dst, size_t size, int status)
{
	const char *name;

	if (WIFEXITED(status)) {
		snprintf(dst, size, "exited with %d", WEXITSTATUS(status));
	} else if (WIFSIGNALED(status)) {
		name = sigabbrev_np(WTERMSIG(status));
		snprintf(dst, size, "killed by SIG%s%s%s",
		    name != NULL ? name : "?",
		    WTERMSIG(status) == SIGSYS ? " (forbidden system call)"
					       : "",
		    WCOREDUMP(status) ? " (core dumped)" : "");
	} else {
		snprintf(dst, size, "has status %#x", (unsigned)status);
	}
	return dst;
}
