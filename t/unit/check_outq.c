/* What a socket did not take yet. */
#include <sys/socket.h>

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/net/outq.h"

static int fds[2];
static struct outq q;

static void
setup(void)
{
	signal(SIGPIPE, SIG_IGN);
	memset(&q, 0, sizeof(q));
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
}

static void
teardown(void)
{
	outq_free(&q);
	close(fds[0]);
	close(fds[1]);
}

/* Fill what the socket takes; returns how much that was. */
static size_t
stuff(void)
{
	char space[4096] = { 0 };
	size_t sum = 0;
	ssize_t n;

	while ((n = write(fds[0], space, sizeof(space))) > 0)
		sum += (size_t)n;
	return sum;
}

START_TEST(straight)
{
	struct iovec iov[3] = { { "ab", 2 }, { "c", 1 }, { "def", 3 } };
	char got[16];

	ck_assert_int_eq(outq_send(&q, fds[0], iov, 1), 2);
	ck_assert_int_eq(outq_send(&q, fds[0], iov, 3), 6);
	ck_assert_ptr_null(q.p); /* nothing was copied */
	ck_assert_uint_eq(outq_left(&q), 0);
	ck_assert_int_eq(outq_flush(&q, fds[0]), 0);
	ck_assert_int_eq(read(fds[1], got, sizeof(got)), 8);
	ck_assert_mem_eq(got, "ababcdef", 8);
}
END_TEST

START_TEST(waits)
{
	struct iovec iov[3] = { { "ab", 2 }, { "c", 1 }, { "def", 3 } };
	char got[8192];
	size_t filled = stuff();
	ssize_t n;

	ck_assert_int_eq(outq_send(&q, fds[0], iov, 3), 0);
	ck_assert_uint_eq(outq_left(&q), 6);
	ck_assert_int_eq(outq_flush(&q, fds[0]), 0);
	while (filled > 0) {
		n = read(
		    fds[1], got, filled < sizeof(got) ? filled : sizeof(got));
		ck_assert_int_gt(n, 0);
		filled -= (size_t)n;
	}
	/* Nothing overtakes what waits, though there is room. */
	ck_assert_int_eq(outq_send(&q, fds[0], iov + 2, 1), 0);
	ck_assert_int_eq(outq_add(&q, iov, 1), 0);
	ck_assert_int_eq(outq_flush(&q, fds[0]), 11);
	ck_assert_ptr_null(q.p);
	ck_assert_int_eq(read(fds[1], got, sizeof(got)), 11);
	ck_assert_mem_eq(got, "abcdefdefab", 11);
}
END_TEST

/* A long stream in random pieces arrives as it was sent. */
START_TEST(order)
{
	static uint8_t sent[3u << 20], got[3u << 20];
	unsigned seed = (unsigned)_i;
	size_t out = 0, in = 0, left = 0;

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i * 31 % 253);
	while (in < sizeof(sent)) {
		struct iovec iov[4];
		ssize_t n;
		int pieces = 0;

		for (; pieces < 4 && out < sizeof(sent) && left < 1u << 20;
		    pieces++) {
			size_t len = (size_t)rand_r(&seed) % 40000;

			if (len > sizeof(sent) - out)
				len = sizeof(sent) - out;
			iov[pieces] = (struct iovec){ sent + out, len };
			out += len;
			left += len;
		}
		if (pieces > 0)
			ck_assert_int_ge(outq_send(&q, fds[0], iov, pieces), 0);
		if (rand_r(&seed) % 2)
			ck_assert_int_ge(outq_flush(&q, fds[0]), 0);
		n = read(fds[1], got + in, (size_t)rand_r(&seed) % 90000 + 1);
		if (n > 0) {
			in += (size_t)n;
			left -= (size_t)n;
		}
		ck_assert_uint_le(q.cap, 4u << 20);
	}
	ck_assert_mem_eq(sent, got, sizeof(sent));
	ck_assert_ptr_null(q.p);
}
END_TEST

START_TEST(broken)
{
	struct iovec iov = { "ab", 2 };

	stuff();
	ck_assert_int_eq(outq_send(&q, fds[0], &iov, 1), 0);
	shutdown(fds[1], SHUT_RDWR);
	ck_assert_int_eq(outq_flush(&q, fds[0]), -1);
	ck_assert_int_eq(errno, EPIPE);
	outq_free(&q);
	ck_assert_int_eq(outq_send(&q, fds[0], &iov, 1), -1);
	ck_assert_int_eq(errno, EPIPE);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("outq");
	TCase *t = tcase_create("outq");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, straight);
	tcase_add_test(t, waits);
	tcase_add_loop_test(t, order, 0, 4);
	tcase_add_test(t, broken);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
