/* Going to the background, and telling who waits that we serve. */
#include "common/sys/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_NOT_STARTED 2 /* INTERFACE.md section 1: could not start */

/* The parent: until the child serves or ends, then say the same. */
static _Noreturn void
await_child(pid_t pid, int ready)
{
	int status;
	char c;
	ssize_t n;

	do
		n = read(ready, &c, 1);
	while (n == -1 && errno == EINTR);
	if (n == 1)
		_exit(0);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			_exit(EXIT_NOT_STARTED);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_NOT_STARTED);
}

/* /dev/null as every descriptor from first to last. */
static int
to_null(int first, int last)
{
	int null;

	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null == -1)
		return -1;
	for (int fd = first; fd <= last; fd++) {
		if (fd != null && dup2(null, fd) == -1) {
			close(null);
			return -1;
		}
	}
	if (null > last)
		close(null);
	return 0;
}

int
daemon_start(void)
{
	int ready[2], saved;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ready) == -1)
		return -1;
	pid = fork();
	if (pid == -1) {
		saved = errno;
		close(ready[0]);
		close(ready[1]);
		errno = saved;
		return -1;
	}
	if (pid != 0) {
		close(ready[1]);
		await_child(pid, ready[0]);
	}
	close(ready[0]);
	if (setsid() == -1 || chdir("/") == -1 ||
	    to_null(STDIN_FILENO, STDIN_FILENO) == -1) {
		saved = errno;
		close(ready[1]);
		errno = saved;
		return -1;
	}
	return ready[1];
}

int
daemon_ready(int fd)
{
	int rc = to_null(STDOUT_FILENO, STDERR_FILENO), saved = errno;

	/* A parent that was killed meanwhile is no fault of ours. */
	if (rc == 0)
		(void)send(fd, "", 1, MSG_NOSIGNAL);
	close(fd);
	errno = saved;
	return rc;
}

int
daemon_notify(const char *state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n;
	int fd, rc, saved;

	if (path == NULL)
		return 0;
	n = strlen(path);
	if ((path[0] != '/' && path[0] != '@') || n >= sizeof(sun.sun_path)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(sun.sun_path, path, n);
	if (path[0] == '@')
		sun.sun_path[0] = '\0'; /* abstract: the length counts */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	rc = sendto(fd, state, strlen(state), MSG_NOSIGNAL,
		 (const struct sockaddr *)&sun,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) == -1
	    ? -1
	    : 1;
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}
