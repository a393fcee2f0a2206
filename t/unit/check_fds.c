/* Unit test of fds.c, and of accept.c at the descriptor limit. */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/addr.h"
#include "common/net/accept.h"
#include "common/net/listen.h"
#include "common/sys/fds.h"

static int
open_listener(void)
{
	char why[LISTEN_WHY];
	struct addr a;
	int fd;

	ck_assert_int_eq(addr_parse_listen(&a, "127.0.0.1:0"), 0);
	fd = listen_open(&a, false, why);
	ck_assert_int_ne(fd, -1);
	return fd;
}

/* connect(2) may be back before the last packet of its handshake is there. */
static void
expect_visitor(int listener)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };

	ck_assert_int_eq(poll(&p, 1, -1), 1);
}

static int
visit(int listener)
{
	struct sockaddr_storage ss;
	struct addr a;
	socklen_t len;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(listen_local(listener, &a), 0);
	len = addr_to_sockaddr(&ss, &a);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

/* At the limit: told apart, and the spare lets each visitor know. */
START_TEST(exhaustion_is_survived)
{
	int fd = open_listener(), visitor[2];
	struct rlimit l, low;
	struct accepted a;
	enum accept_end end;
	struct fds f;
	char c;

	ck_assert_int_eq(fds_init(&f), 0);
	for (int i = 0; i < 2; i++) {
		visitor[i] = visit(fd);
		expect_visitor(fd); /* they wait in this order */
	}
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &l), 0);
	low = l;
	low.rlim_cur = (rlim_t)visitor[1] + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	while (dup(0) != -1)
		;
	ck_assert_uint_eq(accept_batch(fd, &a, 1, &end), 0);
	ck_assert_int_eq(end, ACCEPT_EXHAUSTED);
	for (int i = 0; i < 2; i++) {
		expect_visitor(fd);
		ck_assert_int_eq(fds_refuse(&f, fd), 1);
		ck_assert_int_ne(f.spare, -1);
		ck_assert_int_eq(recv(visitor[i], &c, 1, 0), -1);
		ck_assert_int_eq(errno, ECONNRESET);
	}
	ck_assert_int_eq(fds_refuse(&f, fd), 0);
	ck_assert_int_ne(f.spare, -1);
	/* The spare is gone: an error, and again when there is room. */
	fds_close(&f);
	ck_assert_int_eq(f.spare, -1);
	ck_assert_int_ne(dup(0), -1);
	ck_assert_int_eq(fds_refuse(&f, fd), -1);
	ck_assert_int_eq(errno, EMFILE);
	close(visitor[0]);
	ck_assert_int_eq(fds_refuse(&f, fd), 0);
	ck_assert_int_ne(f.spare, -1);
	fds_close(&f);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &l), 0);
}
END_TEST

START_TEST(the_limit_is_raised)
{
	struct rlimit l;
	rlim_t got = 0;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &l), 0);
	l.rlim_cur = 64;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &l), 0);
	ck_assert_int_eq(fds_raise(&got), 0);
	ck_assert_uint_eq(got, l.rlim_max);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &l), 0);
	ck_assert_uint_eq(l.rlim_cur, l.rlim_max);
}
END_TEST

/* Whatever the limit, with nothing taken there is room, after FULL too. */
START_TEST(full_and_room)
{
	for (size_t limit = 36; limit < 2000; limit++)
		ck_assert(!fds_full(16, limit, true));
	ck_assert(!fds_full(991, 1024, false));
	ck_assert(fds_full(992, 1024, false));
	ck_assert(fds_full(960, 1024, true));
	ck_assert(!fds_full(959, 1024, true));
	ck_assert(fds_full(48, 64, false));
	ck_assert(!fds_full(31, 64, true));
	ck_assert(fds_full(0, 0, true));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fds");
	TCase *t = tcase_create("limit");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, exhaustion_is_survived);
	tcase_add_test(t, the_limit_is_raised);
	tcase_add_test(t, full_and_room);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
