/* Unit test of dial.c and sockopt.c. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/net/dial.h"
#include "common/net/sockopt.h"

static struct sockaddr_in
loopback(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };

	return sin;
}

/* A bound TCP socket, listening or not, and its address. */
static int
bound(struct sockaddr_in *sin, bool listening)
{
	socklen_t len = sizeof(*sin);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*sin = loopback();
	ck_assert_int_eq(bind(fd, (struct sockaddr *)sin, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)sin, &len), 0);
	if (listening)
		ck_assert_int_eq(listen(fd, 8), 0);
	return fd;
}

static int
dial(const struct sockaddr_in *sin)
{
	struct pollfd p = { .events = POLLOUT };

	p.fd = dial_start((const struct sockaddr *)sin, sizeof(*sin));
	ck_assert_int_ne(p.fd, -1);
	ck_assert_int_eq(poll(&p, 1, -1), 1);
	return p.fd;
}

static int
option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	ck_assert_int_eq(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

START_TEST(tcp_connects)
{
	struct sockaddr_in sin;
	int l = bound(&sin, true), fd = dial(&sin);

	ck_assert_int_eq(dial_result(fd), 0);
	ck_assert_int_ne(option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
	ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_ne(accept(l, NULL, NULL), -1);
}
END_TEST

START_TEST(refusal_is_told)
{
	struct sockaddr_in sin;
	int fd;

	(void)bound(&sin, false); /* so that nobody else gets the port */
	fd = dial(&sin);
	ck_assert_int_eq(dial_result(fd), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
}
END_TEST

START_TEST(unix_connects)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int l = socket(AF_UNIX, SOCK_STREAM, 0), fd, n;

	snprintf(sun.sun_path, sizeof(sun.sun_path), "/tmp/check_dial.%d",
	    (int)getpid());
	unlink(sun.sun_path); /* of one who had this number before */
	ck_assert_int_eq(dial_start((struct sockaddr *)&sun, sizeof(sun)), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(bind(l, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(listen(l, 1), 0);
	fd = dial_start((struct sockaddr *)&sun, sizeof(sun));
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(dial_result(fd), 0);
	/* A full backlog is no reason to wait. */
	for (n = 0; n < 8 && fd != -1; n++)
		fd = dial_start((struct sockaddr *)&sun, sizeof(sun));
	ck_assert_int_lt(n, 8);
	ck_assert_int_eq(errno, EAGAIN);
	unlink(sun.sun_path);
}
END_TEST

START_TEST(tunnel_options_are_set)
{
	struct sockaddr_in sin;
	int fd;

	(void)bound(&sin, true);
	fd = dial(&sin);
	ck_assert_int_eq(sockopt_tunnel(fd), 0);
	ck_assert_int_eq(
	    option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT), SOCKOPT_TUNNEL_LOWAT);
	ck_assert_int_eq(
	    option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), SOCKOPT_USER_TIMEOUT);
	ck_assert_int_eq(
	    option(fd, IPPROTO_TCP, TCP_KEEPIDLE), SOCKOPT_KEEPALIVE_IDLE);
	ck_assert_int_eq(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	ck_assert_int_eq(sockopt_congestion(fd, "reno"), 0);
	ck_assert_int_eq(sockopt_congestion(fd, "no-such"), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(sockopt_cork(fd, true), 0);
	ck_assert_int_eq(option(fd, IPPROTO_TCP, TCP_CORK), 1);
	ck_assert_int_eq(sockopt_cork(fd, false), 0);
	ck_assert_int_eq(option(fd, IPPROTO_TCP, TCP_CORK), 0);
}
END_TEST

START_TEST(options_of_tcp_pass_over_a_socketpair)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(sockopt_tunnel(pair[0]), 0);
	ck_assert_int_eq(sockopt_nodelay(pair[0]), 0);
	ck_assert_int_eq(sockopt_cork(pair[0], true), 0);
	ck_assert_int_eq(sockopt_reset_on_close(pair[0], true), 0);
	/* But what is no socket is an error. */
	ck_assert_int_eq(sockopt_nodelay(1000), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(sockopt_tunnel(open("/dev/null", O_RDONLY)), -1);
	ck_assert_int_eq(errno, ENOTSOCK);
}
END_TEST

/* Loop: in order, reset. */
START_TEST(close_ends_as_chosen)
{
	struct sockaddr_in sin;
	int l = bound(&sin, true), fd = dial(&sin), peer;
	char c;

	peer = accept(l, NULL, NULL);
	ck_assert_int_eq(sockopt_reset_on_close(fd, true), 0);
	ck_assert_int_eq(sockopt_reset_on_close(fd, _i == 1), 0);
	close(fd);
	ck_assert_int_eq(recv(peer, &c, 1, 0), _i == 1 ? -1 : 0);
	if (_i == 1)
		ck_assert_int_eq(errno, ECONNRESET);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("dial");
	TCase *t = tcase_create("dial");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, tcp_connects);
	tcase_add_test(t, refusal_is_told);
	tcase_add_test(t, unix_connects);
	tcase_add_test(t, tunnel_options_are_set);
	tcase_add_test(t, options_of_tcp_pass_over_a_socketpair);
	tcase_add_loop_test(t, close_ends_as_chosen, 0, 2);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
