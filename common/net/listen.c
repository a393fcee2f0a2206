/* Listeners: bound once, kept for ever. */
#include "common/net/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/addr.h"

/* What may help whoever reads the reason. */
static const char *
hint(int err)
{
	switch (err) {
	case EACCES:
		return " (ports below 1024 need root)";
	case EADDRINUSE:
		return " (another program has this port)";
	case EADDRNOTAVAIL:
		return " (no such address on this machine)";
	default:
		return "";
	}
}

/* "ADDRESS: error (hint)"; errno survives. */
static void
explain(char why[static LISTEN_WHY], const struct addr *a)
{
	char text[ADDR_TEXT];
	int saved = errno;

	snprintf(why, LISTEN_WHY, "%s: %s%s", addr_format(text, a),
	    strerror(saved), hint(saved));
	errno = saved;
}

static int
set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* A listener without an address yet, with all that accepted ones inherit. */
static int
open_socket(int family, bool v6only, bool defer)
{
	static const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	int fd, saved;

	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (set(fd, SOL_SOCKET, SO_REUSEADDR, 1) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) ==
		-1 ||
	    set(fd, IPPROTO_TCP, TCP_NODELAY, 1) == -1 ||
	    (defer && set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1) == -1) ||
	    (family == AF_INET6 &&
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6only) == -1)) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static int
open_bound(const struct addr *a, bool defer)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&ss, a);
	int fd, saved;

	fd = open_socket(ss.ss_family, a->family == ADDR_V6, defer);
	if (fd == -1)
		return -1;
	if (bind(fd, (const struct sockaddr *)&ss, len) == -1 ||
	    listen(fd, LISTEN_BACKLOG) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

int
listen_open(const struct addr *a, bool defer, char why[static LISTEN_WHY])
{
	struct addr four = { .family = ADDR_V4, .port = a->port };
	int fd;

	fd = open_bound(a, defer);
	/* No IPv6 in the kernel, or switched off by sysctl. */
	if (fd == -1 && a->family == ADDR_ANY &&
	    (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
		fd = open_bound(&four, defer);
	if (fd == -1)
		explain(why, a);
	return fd;
}

int
listen_local(int fd, struct addr *a)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return -1;
	if (addr_from_sockaddr(a, (const struct sockaddr *)&ss, len) == -1) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return 0;
}
