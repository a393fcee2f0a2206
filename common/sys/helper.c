/* A child that does what its parent shall not do. */
#include "common/sys/helper.h"

#include <sys/socket.h>

#include <errno.h>
#include <unistd.h>

#include "common/sys/sandbox.h"

static _Noreturn void
run(int fd, const struct sandbox *box, void (*serve)(int fd))
{
	unsigned missing;

	if (box != NULL && sandbox_enter(box, &missing) == -1)
		_exit(2);
	serve(fd);
	_exit(0);
}

int
helper_fork(const struct sandbox *box, int close_fd, void (*serve)(int fd))
{
	int fds[2], e;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		return -1;
	switch (fork()) {
	case -1:
		e = errno;
		close(fds[0]);
		close(fds[1]);
		errno = e;
		return -1;
	case 0:
		close(fds[0]);
		if (close_fd != -1)
			close(close_fd);
		run(fds[1], box, serve);
	default:
		close(fds[1]);
		return fds[0];
	}
}
