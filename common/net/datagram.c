/* UDP sockets. */
#include "common/net/datagram.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <unistd.h>

#include "common/base/addr.h"

static int
set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* Ask for much, and take what there is; only root passes the system's limit. */
static void
enlarge(int fd)
{
	if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, DATAGRAM_BUFFER) == -1)
		set(fd, SOL_SOCKET, SO_RCVBUF, DATAGRAM_BUFFER);
	if (set(fd, SOL_SOCKET, SO_SNDBUFFORCE, DATAGRAM_BUFFER) == -1)
		set(fd, SOL_SOCKET, SO_SNDBUF, DATAGRAM_BUFFER);
}

static int
make(int family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	enlarge(fd);
	set(fd, IPPROTO_UDP, UDP_GRO, 1); /* it goes without as well */
	return fd;
}

static int
close_saved(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
	return -1;
}

/* No SO_REUSEADDR: on UDP it would let another program take a share. */
static int
open_bound(const struct addr *a)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&ss, a);
	bool six = ss.ss_family == AF_INET6;
	int fd;

	if ((fd = make(ss.ss_family)) == -1)
		return -1;
	if (six ? set(fd, IPPROTO_IPV6, IPV6_V6ONLY, a->family == ADDR_V6) ==
			-1 ||
		    set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) == -1
		: set(fd, IPPROTO_IP, IP_PKTINFO, 1) == -1)
		return close_saved(fd);
	if (bind(fd, (const struct sockaddr *)&ss, len) == -1)
		return close_saved(fd);
	return fd;
}

int
datagram_open(const struct addr *a)
{
	struct addr four = { .family = ADDR_V4, .port = a->port };
	int fd = open_bound(a);

	/* No IPv6 in the kernel, or switched off by sysctl. */
	if (fd == -1 && a->family == ADDR_ANY &&
	    (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
		fd = open_bound(&four);
	return fd;
}

int
datagram_dial(const struct sockaddr *sa, socklen_t len)
{
	int fd;

	if ((fd = make(sa->sa_family)) == -1)
		return -1;
	return connect(fd, sa, len) == -1 ? close_saved(fd) : fd;
}

uint32_t
datagram_dropped(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) == -1)
		return 0;
	return info[SK_MEMINFO_DROPS];
}
