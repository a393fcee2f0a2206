/* Accepting in batches, with every error told apart. */
#include "common/net/accept.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

/* What accept(2) says of one connection, or for a moment: try the next. */
static bool
passing(int err)
{
	switch (err) {
	case ECONNABORTED:
	case EINTR:
	case EPROTO:
	case EPERM: /* a firewall's rule */
	case ENETDOWN:
	case ENETUNREACH:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENONET:
	case ETIMEDOUT:
		return true;
	default:
		return false;
	}
}

static enum accept_end
classify(int err)
{
	switch (err) {
	case EAGAIN:
		return ACCEPT_NONE;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return ACCEPT_EXHAUSTED;
	default:
		return ACCEPT_BROKEN;
	}
}

size_t
accept_batch(
    int listener, struct accepted *out, size_t max, enum accept_end *end)
{
	struct sockaddr_storage ss;
	socklen_t len;
	size_t n = 0;
	int fd;

	for (size_t tries = 0; tries < max; tries++) {
		len = sizeof(ss);
		fd = accept4(listener, (struct sockaddr *)&ss, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1) {
			if (passing(errno))
				continue;
			*end = classify(errno);
			return n;
		}
		out[n].fd = fd;
		if (addr_from_sockaddr(
			&out[n].peer, (const struct sockaddr *)&ss, len) == -1)
			memset(&out[n].peer, 0, sizeof(out[n].peer));
		n++;
	}
	*end = ACCEPT_FULL;
	return n;
}
