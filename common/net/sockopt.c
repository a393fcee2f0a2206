/* Socket options, each of which the sandbox names too. */
#include "common/net/sockopt.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

/* Of a socket that is not TCP: there is no such option, and no need. */
static int
set_tcp(int fd, int option, int value)
{
	if (setsockopt(fd, IPPROTO_TCP, option, &value, sizeof(value)) == 0 ||
	    errno == EOPNOTSUPP || errno == ENOPROTOOPT)
		return 0;
	return -1;
}

int
sockopt_tunnel(int fd)
{
	static const struct {
		int option;
		int value;
	} wanted[] = {
		{ TCP_NODELAY, 1 },
		{ TCP_NOTSENT_LOWAT, SOCKOPT_TUNNEL_LOWAT },
		{ TCP_KEEPIDLE, SOCKOPT_KEEPALIVE_IDLE },
		{ TCP_KEEPINTVL, SOCKOPT_KEEPALIVE_EVERY },
		{ TCP_KEEPCNT, SOCKOPT_KEEPALIVE_COUNT },
		{ TCP_USER_TIMEOUT, SOCKOPT_USER_TIMEOUT },
	};
	int on = 1;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (set_tcp(fd, wanted[i].option, wanted[i].value) == -1)
			return -1;
	return setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

int
sockopt_congestion(int fd, const char *name)
{
	return setsockopt(
	    fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name));
}

int
sockopt_nodelay(int fd)
{
	return set_tcp(fd, TCP_NODELAY, 1);
}

int
sockopt_reset_on_close(int fd, bool reset)
{
	struct linger l = { .l_onoff = reset, .l_linger = 0 };

	return setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}

int
sockopt_cork(int fd, bool on)
{
	return set_tcp(fd, TCP_CORK, on);
}
