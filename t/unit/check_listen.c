/* Unit test of listen.c and accept.c. */
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
#include <unistd.h>

#include "common/base/addr.h"
#include "common/net/accept.h"
#include "common/net/dial.h"
#include "common/net/listen.h"

static struct addr
address(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse_listen(&a, text), 0);
	return a;
}

static int
open_listener(const char *text)
{
	struct addr a = address(text);
	char why[LISTEN_WHY] = "";
	int fd = listen_open(&a, false, why);

	ck_assert_msg(fd != -1, "%s", why);
	return fd;
}

/* Until that many connections wait to be accepted. */
static void
queued(int listener, unsigned n)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	while (getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
	    info.tcpi_unacked < n)
		usleep(1000);
	ck_assert_uint_eq(info.tcpi_unacked, n);
}

/* Connect to the port of a listener by a host; -1 with errno. */
static int
visit(int listener, const char *host)
{
	struct sockaddr_storage ss;
	struct pollfd p = { .events = POLLOUT };
	struct addr local, to;
	socklen_t len;

	ck_assert_int_eq(listen_local(listener, &local), 0);
	ck_assert_int_eq(addr_parse_ip(&to, host), 0);
	to.port = local.port;
	len = addr_to_sockaddr(&ss, &to);
	p.fd = dial_start((struct sockaddr *)&ss, len);
	if (p.fd == -1)
		return -1;
	ck_assert_int_eq(poll(&p, 1, -1), 1);
	if (dial_result(p.fd) == 0)
		return p.fd;
	len = (socklen_t)errno;
	close(p.fd);
	errno = (int)len;
	return -1;
}

static int
option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	ck_assert_int_eq(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

/* What DESIGN.md section 2.1 wants accepted sockets to be born with. */
static void
check_inherited(int fd)
{
	struct linger l = { 0, 77 };
	socklen_t len = sizeof(l);

	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &len), 0);
	ck_assert_int_eq(l.l_onoff, 1);
	ck_assert_int_eq(l.l_linger, 0);
	ck_assert_int_ne(option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
	ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

START_TEST(listener_passes_on_its_options)
{
	int fd = open_listener("127.0.0.1:0"), c = visit(fd, "127.0.0.1");
	struct pollfd told = { .events = POLLIN };
	struct accepted a[4];
	enum accept_end end;
	struct addr peer;

	check_inherited(fd);
	ck_assert_int_eq(option(fd, SOL_SOCKET, SO_REUSEADDR), 1);
	ck_assert_int_eq(option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
	ck_assert_int_ne(c, -1);
	queued(fd, 1);
	ck_assert_uint_eq(accept_batch(fd, a, 4, &end), 1);
	ck_assert_int_eq(end, ACCEPT_NONE);
	check_inherited(a[0].fd);
	ck_assert_int_eq(listen_local(c, &peer), 0);
	ck_assert(addr_equal(&peer, &a[0].peer));
	close(a[0].fd);
	/* Linger: whoever closes without more resets. */
	told.fd = c;
	ck_assert_int_eq(poll(&told, 1, -1), 1);
	ck_assert_int_eq(recv(c, a, 1, 0), -1);
	ck_assert_int_eq(errno, ECONNRESET);
}
END_TEST

START_TEST(defer_waits_for_the_first_byte)
{
	struct addr a = address("127.0.0.1:0");
	char why[LISTEN_WHY];
	struct accepted got;
	enum accept_end end;
	struct pollfd p = { .events = POLLIN };
	int c;

	p.fd = listen_open(&a, true, why);
	ck_assert_int_ge(option(p.fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 1);
	/* It is on; long enough also where we have to wait ourselves. */
	ck_assert_int_eq(setsockopt(p.fd, IPPROTO_TCP, TCP_DEFER_ACCEPT,
			     &(int){ 60 }, sizeof(int)),
	    0);
	c = visit(p.fd, "127.0.0.1");
	ck_assert_int_ne(c, -1);
	ck_assert_uint_eq(accept_batch(p.fd, &got, 1, &end), 0);
	ck_assert_int_eq(end, ACCEPT_NONE);
	ck_assert_int_eq(send(c, "x", 1, 0), 1);
	ck_assert_int_eq(poll(&p, 1, -1), 1);
	ck_assert_uint_eq(accept_batch(p.fd, &got, 1, &end), 1);
	ck_assert_int_eq(end, ACCEPT_FULL);
}
END_TEST

/* Whether there is a loopback of IPv6. */
static bool
has_six(void)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool has = fd != -1 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0;

	if (fd != -1)
		close(fd);
	return has;
}

/* A listener of IPv6 whose port is nobody's in IPv4, and stays so. */
static int
open_six(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = open_listener("[::]:0"), four;
	struct addr local;

	ck_assert_int_ne(four = socket(AF_INET, SOCK_STREAM, 0), -1);
	ck_assert_int_eq(listen_local(fd, &local), 0);
	a.sin_port = htons(local.port);
	if (bind(four, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	close(four);
	return open_six();
}

/* An IPv6-less machine has the IPv4 half of it. */
START_TEST(no_host_means_all_addresses)
{
	int fd = open_listener("0");

	ck_assert_int_ne(visit(fd, "127.0.0.1"), -1);
	if (has_six() && option(fd, SOL_SOCKET, SO_DOMAIN) == AF_INET6) {
		ck_assert_int_eq(option(fd, IPPROTO_IPV6, IPV6_V6ONLY), 0);
		ck_assert_int_ne(visit(fd, "::1"), -1);
		close(fd);
		fd = open_six();
		ck_assert_int_eq(option(fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
		ck_assert_int_eq(visit(fd, "127.0.0.1"), -1);
		ck_assert_int_eq(errno, ECONNREFUSED);
	}
}
END_TEST

START_TEST(a_taken_port_is_said)
{
	int fd = open_listener("127.0.0.1:0");
	char why[LISTEN_WHY], want[LISTEN_WHY], text[ADDR_TEXT];
	struct addr a;

	ck_assert_int_eq(listen_local(fd, &a), 0);
	ck_assert_uint_ne(a.port, 0);
	ck_assert_int_eq(listen_open(&a, false, why), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	snprintf(want, sizeof(want),
	    "%s: Address already in use (another program has this port)",
	    addr_format(text, &a));
	ck_assert_str_eq(why, want);
	/* But one that only old connections of ours still use is free. */
	ck_assert_int_ne(visit(fd, "127.0.0.1"), -1);
	close(fd);
	fd = listen_open(&a, false, why);
	ck_assert_msg(fd != -1, "%s", why);
}
END_TEST

START_TEST(a_foreign_address_is_said)
{
	struct addr a = address("192.0.2.1:80");
	char why[LISTEN_WHY];

	ck_assert_int_eq(listen_open(&a, false, why), -1);
	ck_assert_int_eq(errno, EADDRNOTAVAIL);
	ck_assert_ptr_nonnull(strstr(why, "192.0.2.1:80: "));
}
END_TEST

START_TEST(a_low_port_is_said)
{
	struct addr a = address("127.0.0.1:79");
	char why[LISTEN_WHY];
	int fd;

	if (geteuid() == 0 && setuid(61999) == -1)
		ck_abort_msg("setuid");
	fd = listen_open(&a, false, why);
	if (fd != -1)
		return; /* net.ipv4.ip_unprivileged_port_start */
	ck_assert_int_eq(errno, EACCES);
	ck_assert_str_eq(why,
	    "127.0.0.1:79: Permission denied (ports below 1024 need root)");
}
END_TEST

START_TEST(batches_are_bounded)
{
	int fd = open_listener("127.0.0.1:0");
	struct accepted a[3];
	enum accept_end end;

	for (int i = 0; i < 5; i++)
		ck_assert_int_ne(visit(fd, "127.0.0.1"), -1);
	queued(fd, 5);
	ck_assert_uint_eq(accept_batch(fd, a, 3, &end), 3);
	ck_assert_int_eq(end, ACCEPT_FULL);
	ck_assert_uint_eq(accept_batch(fd, a, 3, &end), 2);
	ck_assert_int_eq(end, ACCEPT_NONE);
}
END_TEST

/* Loop: not a listener, not a descriptor. */
START_TEST(what_is_no_listener_is_told)
{
	struct accepted a;
	enum accept_end end;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_uint_eq(
	    accept_batch(_i == 0 ? pair[0] : 1000, &a, 1, &end), 0);
	ck_assert_int_eq(end, ACCEPT_BROKEN);
	ck_assert_int_eq(errno, _i == 0 ? EINVAL : EBADF);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("listen");
	TCase *t = tcase_create("listen");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, listener_passes_on_its_options);
	tcase_add_test(t, defer_waits_for_the_first_byte);
	tcase_add_test(t, no_host_means_all_addresses);
	tcase_add_test(t, a_taken_port_is_said);
	tcase_add_test(t, a_foreign_address_is_said);
	tcase_add_test(t, a_low_port_is_said);
	tcase_add_test(t, batches_are_bounded);
	tcase_add_loop_test(t, what_is_no_listener_is_told, 0, 2);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
