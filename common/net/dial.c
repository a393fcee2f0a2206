/* Outgoing connections, never waited for. */
#include "common/net/dial.h"

#include <errno.h>
#include <unistd.h>

#include "common/net/sockopt.h"

int
dial_start(const struct sockaddr *sa, socklen_t len)
{
	int fd, saved;

	fd = socket(
	    sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (sockopt_nodelay(fd) == -1 ||
	    (connect(fd, sa, len) == -1 && errno != EINPROGRESS &&
		errno != EINTR)) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

int
dial_result(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1)
		return -1;
	if (err != 0) {
		errno = err;
		return -1;
	}
	return 0;
}
