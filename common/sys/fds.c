/* Descriptors: as many as may be had, and one kept for when there are none. */
#include "common/sys/fds.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

int
fds_raise(rlim_t *limit)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == -1)
		return -1;
	l.rlim_cur = l.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &l) == -1)
		return -1;
	*limit = l.rlim_cur;
	return 0;
}

bool
fds_full(size_t used, size_t limit, bool full)
{
	size_t reserve = limit < 4 * FDS_RESERVE ? limit / 4 : FDS_RESERVE;

	return used + (full ? 2 * reserve : reserve) >= limit;
}

int
fds_write(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t done = write(fd, at, n);

		if (done == -1 && errno != EINTR)
			return -1;
		if (done > 0) {
			at += done;
			n -= (size_t)done;
		}
	}
	return 0;
}

int
fds_init(struct fds *f)
{
	f->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return f->spare == -1 ? -1 : 0;
}

void
fds_close(struct fds *f)
{
	if (f->spare != -1)
		close(f->spare);
	f->spare = -1;
}

int
fds_refuse(struct fds *f, int listener)
{
	static const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	int fd, rc, saved;

	/* Somebody took its place last time: it may be free again by now. */
	if (f->spare == -1 && fds_init(f) == -1)
		return -1;
	fds_close(f);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	saved = errno;
	if (fd != -1) {
		/* Listeners of listen.c have it set; others may come here. */
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
		rc = 1;
	} else {
		rc = saved == EAGAIN || saved == ECONNABORTED ? 0 : -1;
	}
	if (fds_init(f) == -1)
		f->spare = -1;
	errno = saved;
	return rc;
}
