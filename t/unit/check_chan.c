/* Both ends of a channel in one process. */
#include <sys/resource.h>
#include <sys/socket.h>

#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/ipc/chan.h"
#include "common/ipc/chan_io.h"

/* What one end has seen. */
struct seen {
	unsigned frames, drained;
	uint32_t last_id;
	size_t last_n;
	int fd; /* the last that came, -1 */
	uint8_t last[64];
	const char *ended;
	bool refuse;	    /* call the next frame's content broken */
	struct chan *close; /* close that one while handling */
};

static struct event_base *base;
static struct chan *up, *down; /* the worker's end, the parent's */
static struct seen worker, parent;

static int
on_frame(void *arg, const struct msg *m)
{
	struct seen *s = arg;

	s->frames++;
	s->last_id = m->id;
	s->last_n = m->n;
	memcpy(s->last, m->p, m->n < sizeof(s->last) ? m->n : sizeof(s->last));
	if (s->fd != -1)
		close(s->fd);
	s->fd = m->fd;
	if (s->close != NULL)
		chan_close(s->close);
	return s->refuse ? -1 : 0;
}

static void
on_ended(void *arg, const char *why)
{
	((struct seen *)arg)->ended = why;
}

static void
on_drained(void *arg)
{
	((struct seen *)arg)->drained++;
}

static const chan_handler handlers[MSG_TYPES] = {
	[MSG_USER] = on_frame,
	[MSG_ASK_NO] = on_frame,
	[MSG_ASK_FD] = on_frame,
	[MSG_ASK] = on_frame,
	[MSG_CLOSED] = on_frame,
	[MSG_PING] = on_frame,
	[MSG_LEVEL] = on_frame,
	[MSG_LOG] = on_frame,
	[MSG_ROW] = on_frame,
};

static const struct chan_ops ops = { handlers, on_ended, on_drained };

static void
setup(void)
{
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	worker = (struct seen){ .fd = -1 };
	parent = (struct seen){ .fd = -1 };
	base = event_base_new();
	ck_assert_int_eq(chan_pair(fds), 0);
	down = chan_new(base, fds[0], ROLE_RELAY, true, &ops, &parent);
	up = chan_new(base, fds[1], ROLE_RELAY, false, &ops, &worker);
	ck_assert(up != NULL && down != NULL);
	chan_set_ready(up);
	chan_set_ready(down);
}

static void
teardown(void)
{
	chan_free(up);
	chan_free(down);
	if (worker.fd != -1)
		close(worker.fd);
	event_base_free(base);
}

/* Until nothing happens any more. */
static void
run(void)
{
	for (int i = 0; i < 50; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
answer_no(uint32_t id)
{
	ck_assert_int_eq(chan_send(down, MSG_ASK_NO, id, "\x01\x94", 2, -1), 0);
}

START_TEST(both_ways)
{
	answer_no(7);
	ck_assert_uint_eq(worker.frames, 0); /* it leaves at the end */
	run();
	ck_assert_uint_eq(worker.frames, 1);
	ck_assert_uint_eq(worker.last_id, 7);
	ck_assert_uint_eq(worker.last_n, 2);
	ck_assert_mem_eq(worker.last, "\x01\x94", 2);
	ck_assert_int_eq(chan_send(up, MSG_ASK, 9, "\1a", 2, -1), 0);
	run();
	ck_assert_uint_eq(parent.frames, 1);
	ck_assert_uint_eq(parent.last_id, 9);
	ck_assert_ptr_null(worker.ended);
	ck_assert_ptr_null(parent.ended);
}
END_TEST

START_TEST(batches)
{
	for (uint32_t i = 1; i <= 200; i++)
		answer_no(i);
	ck_assert_uint_eq(chan_queued(down), 200 % CHAN_BATCH);
	run();
	ck_assert_uint_eq(worker.frames, 200);
	ck_assert_uint_eq(worker.last_id, 200);
}
END_TEST

/* A pipe whose other end tells whether a descriptor still exists. */
static bool
is_open(int reader)
{
	char c;

	return read(reader, &c, 1) == -1 && errno == EAGAIN;
}

START_TEST(descriptors)
{
	int p[2];

	ck_assert_int_eq(pipe2(p, O_NONBLOCK), 0);
	ck_assert_int_eq(chan_send(down, MSG_ASK_FD, 1, NULL, 0, p[1]), 0);
	run();
	ck_assert_int_ne(worker.fd, -1);
	ck_assert(fcntl(worker.fd, F_GETFD) & FD_CLOEXEC);
	ck_assert(is_open(p[0]));
	close(worker.fd);
	worker.fd = -1;
	ck_assert(!is_open(p[0]));
	close(p[0]);
}
END_TEST

START_TEST(kept_descriptor)
{
	int p[2];

	ck_assert_int_eq(pipe2(p, O_NONBLOCK), 0);
	/* Alone it leaves at once; behind others a duplicate waits. */
	for (uint32_t i = 1; i <= 4; i++) {
		if (i % 2 == 0)
			answer_no(99);
		ck_assert_int_eq(
		    chan_send_keep(down, MSG_ASK_FD, i, NULL, 0, p[1]), 0);
		ck_assert_int_ne(fcntl(p[1], F_GETFD), -1);
		run();
		ck_assert_uint_eq(worker.last_id, i);
		ck_assert_int_ne(worker.fd, -1);
	}
	close(worker.fd);
	worker.fd = -1;
	close(p[1]);
	ck_assert(!is_open(p[0]));
	close(p[0]);
}
END_TEST

/* The receiver does not read: congestion, the bound, and its end. */
START_TEST(congested)
{
	unsigned sent = 0;
	int p[2];

	ck_assert_int_eq(pipe2(p, O_NONBLOCK), 0);
	while (chan_send(down, MSG_ASK_NO, ++sent, "\1\1", 2, -1) == 0)
		;
	ck_assert_int_eq(errno, ENOBUFS);
	sent--;
	ck_assert(chan_congested(down));
	ck_assert_uint_eq(chan_queued(down), CHAN_QUEUE_MAX);
	ck_assert_uint_gt(sent, CHAN_QUEUE_MAX + 100);
	/* What does not fit takes its descriptor along. */
	ck_assert_int_eq(chan_send(down, MSG_ASK_FD, 1, NULL, 0, p[1]), -1);
	ck_assert_int_eq(fcntl(p[1], F_GETFD), -1);
	close(p[0]);
	ck_assert_uint_eq(parent.drained, 0);
	for (int i = 0; i < 10; i++)
		run();
	ck_assert_uint_eq(parent.drained, 1); /* told once */
	ck_assert(!chan_congested(down));
	ck_assert_uint_eq(worker.frames, sent);
	ck_assert_uint_eq(worker.last_id, sent);
	answer_no(5);
	run();
	ck_assert_uint_eq(worker.last_id, 5);
}
END_TEST

/* A worker loses no frame though very many come at once. */
START_TEST(worker_burst)
{
	static const uint8_t payload[17];

	for (uint32_t i = 1; i <= 20000; i++)
		ck_assert_int_eq(
		    chan_send(up, MSG_CLOSED, i, payload, 17, -1), 0);
	for (int i = 0; i < 60; i++)
		run();
	ck_assert_uint_eq(parent.frames, 20000);
	ck_assert_uint_eq(parent.last_id, 20000);
}
END_TEST

/* What a worker sends in one turn leaves in few packets. */
START_TEST(worker_packs)
{
	/* With a small one beside it just fits, or does not. */
	static const uint8_t big[MSG_PAYLOAD_MAX - MSG_HEAD - 1];
	const int small = MSG_HEAD + 2;
	uint8_t packet[MSG_MAX];
	ssize_t n;

	for (uint32_t i = 1; i < CHAN_BATCH; i++)
		ck_assert_int_eq(chan_send(up, MSG_ASK, i, "\1a", 2, -1), 0);
	ck_assert_uint_eq(chan_queued(up), CHAN_BATCH - 1);
	ck_assert_int_eq(chan_send(up, MSG_ASK, 64, "\1a", 2, -1), 0);
	ck_assert_uint_eq(chan_queued(up), 0); /* a batch is full */
	n = recv(chan_fd(down), packet, sizeof(packet), MSG_DONTWAIT);
	ck_assert_int_eq(n, CHAN_BATCH * small);
	for (int more = 0; more <= 1; more++) {
		ck_assert_int_eq(chan_send(up, MSG_LOG, 1, "\1a", 2, -1), 0);
		ck_assert_int_eq(chan_send(up, MSG_LOG, 2, big,
				     sizeof(big) - 1 + (size_t)more, -1),
		    0);
		chan_flush(up);
		n = recv(chan_fd(down), packet, sizeof(packet), MSG_DONTWAIT);
		ck_assert_int_eq(n, more ? small : MSG_MAX);
		n = recv(chan_fd(down), packet, sizeof(packet), MSG_DONTWAIT);
		ck_assert_int_eq(n, more ? MSG_MAX + 1 - small : -1);
	}
}
END_TEST

/* Several frames in a packet, of which the last is not as it should be. */
START_TEST(broken_among_others)
{
	static const uint8_t good[] = { 0, 0, 0, 1, MSG_ASK, 0, 0, 2, 1, 'a' };
	static const struct {
		unsigned before; /* good ones before it */
		size_t n;
		uint8_t p[12];
	} cases[] = {
		{ 2, 7, { 0, 0, 0, 1, MSG_ASK, 0, 0 } },       /* no header */
		{ 2, 9, { 0, 0, 0, 1, MSG_ASK, 0, 0, 2, 1 } }, /* cut off */
		{ 2, 8, { 0, 0, 0, 1, 250, 0, 0, 0 } },	       /* unknown */
		{ 2, 10, { 0, 0, 0, 1, MSG_ASK_NO, 0, 0, 2, 1 } }, /* down */
		{ CHAN_BATCH, 10, { 0, 0, 0, 1, MSG_ASK, 0, 0, 2, 1, 'a' } },
	};
	uint8_t packet[(CHAN_BATCH + 1) * sizeof(good)];
	size_t n = 0;

	for (unsigned i = 0; i < cases[_i].before; i++, n += sizeof(good))
		memcpy(packet + n, good, sizeof(good));
	memcpy(packet + n, cases[_i].p, cases[_i].n);
	n += cases[_i].n;
	ck_assert_int_eq(send(chan_fd(up), packet, n, 0), (ssize_t)n);
	run();
	ck_assert_uint_eq(parent.frames, cases[_i].before);
	ck_assert_str_eq(parent.ended, "broken frame");
}
END_TEST

/* Its handler closes the channel: the rest of the packet is not looked at. */
START_TEST(closed_within_packet)
{
	for (uint32_t i = 1; i <= 3; i++)
		ck_assert_int_eq(chan_send(up, MSG_ASK, i, "\1a", 2, -1), 0);
	parent.close = down;
	run();
	ck_assert_uint_eq(parent.frames, 1);
	ck_assert_ptr_null(parent.ended);
}
END_TEST

/* A worker takes what another one packs. */
START_TEST(worker_to_worker)
{
	static const uint8_t two[] = { 0, 0, 0, 1, MSG_ASK_NO, 0, 0, 2, 1, 1, 0,
		0, 0, 2, MSG_ASK_NO, 0, 0, 2, 1, 1 };

	ck_assert_int_eq(send(chan_fd(down), two, sizeof(two), 0), sizeof(two));
	run();
	ck_assert_uint_eq(worker.frames, 2);
	ck_assert_ptr_null(worker.ended);
}
END_TEST

/* A packet that brings a descriptor is one frame. */
START_TEST(one_frame_with_descriptor)
{
	static const uint8_t two[] = { 0, 0, 0, 1, MSG_ASK_NO, 0, 0, 2, 1, 1, 0,
		0, 0, 2, MSG_ASK_NO, 0, 0, 2, 1, 1 };
	const struct chan_out out = { two, sizeof(two), STDIN_FILENO };

	ck_assert_int_eq(chan_io_send(chan_fd(down), &out, 1, true), 1);
	run();
	ck_assert_uint_eq(worker.frames, 0);
	ck_assert_str_eq(worker.ended, "broken frame");
}
END_TEST

/* Frames that break their row, written past the module. */
START_TEST(broken)
{
	static const struct {
		bool up; /* what is written goes up */
		size_t n;
		uint8_t p[32];
	} cases[] = {
		{ true, 3, { 0 } },			 /* no header */
		{ true, 8, { 0, 0, 0, 1, 0, 0, 0, 0 } }, /* no such type */
		{ true, 8, { 0, 0, 0, 1, 250, 0, 0, 0 } },
		{ true, 8, { 0, 0, 0, 1, MSG_ASK, 0, 0, 0 } }, /* too short */
		{ true, 9, { 0, 0, 0, 1, MSG_ASK, 0, 0, 2, 0 } },     /* lies */
		{ true, 10, { 0, 0, 0, 1, MSG_ASK_NO, 0, 0, 2, 0 } }, /* down */
		{ true, 9,
		    { 0, 0, 0, 1, MSG_HS_GRANT, 0, 0, 1, 0 } }, /* auth */
		{ true, 8, { 0, 0, 0, 0, MSG_PONG, 0, 0, 0 } }, /* no handler */
		{ false, 9, { 0, 0, 0, 1, MSG_ASK, 0, 0, 1, 0 } },
		{ false, 8, { 0, 0, 0, 1, MSG_CONN, 0, 0, 0 } },
	};
	struct chan *to = cases[_i].up ? down : up;
	struct seen *s = cases[_i].up ? &parent : &worker;
	int from = chan_fd(cases[_i].up ? up : down);

	ck_assert_int_eq(
	    send(from, cases[_i].p, cases[_i].n, 0), (ssize_t)cases[_i].n);
	run();
	ck_assert_ptr_nonnull(s->ended);
	ck_assert_str_eq(s->ended, "broken frame");
	ck_assert_uint_eq(s->frames, 0);
	ck_assert_int_eq(chan_fd(to), -1);
	ck_assert_int_eq(chan_send(to, MSG_PING, 0, NULL, 0, -1), -1);
	ck_assert_int_eq(errno, EPIPE);
}
END_TEST

/* Raw, as a hostile worker would: a frame with `fds` descriptors. */
static void
send_fds(int to, const uint8_t *p, size_t n, int count)
{
	union {
		char space[CMSG_SPACE(8 * sizeof(int))];
		struct cmsghdr align;
	} ctl = { { 0 } };
	struct iovec iov = { (void *)(uintptr_t)p, n };
	struct msghdr h = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = ctl.space,
		.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int)) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&h);
	int fds[8] = { 0, 0, 0, 0, 0, 0, 0, 0 };

	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
	memcpy(CMSG_DATA(cm), fds, (size_t)count * sizeof(int));
	ck_assert_int_eq(sendmsg(to, &h, 0), (ssize_t)n);
}

/* The lowest descriptor that is free: none may leak. */
static int
lowest(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

/* A worker that sends a descriptor is broken, whatever the frame. */
START_TEST(descriptor_up)
{
	static const uint8_t ask[] = { 0, 0, 0, 1, MSG_ASK, 0, 0, 1, 0 };
	int free_fd = lowest();

	send_fds(chan_fd(up), ask, sizeof(ask), _i + 1);
	run();
	ck_assert_str_eq(parent.ended, "broken frame");
	ck_assert_uint_eq(parent.frames, 0);
	ck_assert_int_le(lowest(), free_fd);
}
END_TEST

/* Down: one too many, or with a type that brings none. */
START_TEST(descriptors_too_many)
{
	static const uint8_t fd[] = { 0, 0, 0, 1, MSG_ASK_FD, 0, 0, 0 };
	static const uint8_t no[] = { 0, 0, 0, 1, MSG_ASK_NO, 0, 0, 2, 1, 1 };
	int free_fd = lowest();

	if (_i == 0)
		send_fds(chan_fd(down), no, sizeof(no), 1);
	else
		send_fds(chan_fd(down), fd, sizeof(fd), _i + 1);
	run();
	ck_assert_str_eq(worker.ended, "broken frame");
	ck_assert_uint_eq(worker.frames, 0);
	ck_assert_int_le(lowest(), free_fd);
}
END_TEST

/* No descriptor free: the frame comes without, and its handler is told. */
START_TEST(no_descriptor_free)
{
	struct rlimit was, none;
	int p[2];

	ck_assert_int_eq(pipe2(p, O_NONBLOCK), 0);
	ck_assert_int_eq(chan_send_keep(down, MSG_ASK_FD, 3, NULL, 0, p[1]), 0);
	getrlimit(RLIMIT_NOFILE, &was);
	none = was;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	run();
	setrlimit(RLIMIT_NOFILE, &was);
	ck_assert_uint_eq(worker.frames, 1);
	ck_assert_int_eq(worker.fd, -1);
	ck_assert_ptr_null(worker.ended);
	answer_no(4);
	run();
	ck_assert_uint_eq(worker.frames, 2);
	close(p[0]);
	close(p[1]);
}
END_TEST

START_TEST(phases)
{
	int fds[2];
	struct chan *c;

	chan_free(up);
	chan_free(down);
	ck_assert_int_eq(chan_pair(fds), 0);
	down = chan_new(base, fds[0], ROLE_RELAY, true, &ops, &parent);
	up = chan_new(base, fds[1], ROLE_RELAY, false, &ops, &worker);
	ck_assert(!chan_is_ready(up));
	/* Before READY: LEVEL may come, and LOG go. */
	ck_assert_int_eq(chan_send(down, MSG_LEVEL, 0, "\1", 1, -1), 0);
	ck_assert_int_eq(chan_send(up, MSG_LOG, 0, "\1x", 2, -1), 0);
	run();
	ck_assert_uint_eq(worker.frames, 1);
	ck_assert_uint_eq(parent.frames, 1);
	c = _i == 0 ? down : up;
	ck_assert_int_eq(chan_send(c, _i == 0 ? MSG_PING : MSG_ASK, 0, "",
			     _i == 0 ? 0 : 1, -1),
	    0);
	run();
	ck_assert_str_eq(_i == 0 ? worker.ended : parent.ended, "broken frame");
}
END_TEST

START_TEST(refused_content)
{
	worker.refuse = true;
	answer_no(1);
	answer_no(2);
	run();
	ck_assert_str_eq(worker.ended, "broken frame");
	ck_assert_uint_eq(worker.frames, 1);
	/* The other end learns of it. */
	ck_assert_ptr_nonnull(parent.ended);
}
END_TEST

START_TEST(closed_while_handling)
{
	worker.close = _i == 0 ? up : down;
	answer_no(1);
	answer_no(2);
	run();
	if (_i == 0) {
		ck_assert_ptr_null(worker.ended); /* its own doing */
		ck_assert_uint_eq(worker.frames, 1);
		ck_assert_ptr_nonnull(parent.ended);
	} else {
		ck_assert_str_eq(worker.ended, "closed by peer");
		ck_assert_uint_eq(worker.frames, 2);
	}
	chan_close(up);
	chan_close(up);
}
END_TEST

/* The peer is gone: no send tells so under its caller, the loop does. */
START_TEST(peer_gone)
{
	chan_close(_i == 0 ? up : down);
	if (_i == 0) {
		answer_no(1);
		chan_flush(down);
		answer_no(2);
		ck_assert_ptr_null(parent.ended);
		run();
		ck_assert_ptr_nonnull(parent.ended);
	} else {
		ck_assert_int_eq(chan_send(up, MSG_ASK, 1, "", 1, -1), 0);
		ck_assert_ptr_null(worker.ended);
		run();
		ck_assert_ptr_nonnull(worker.ended);
	}
}
END_TEST

/* What was sent before the end still comes. */
START_TEST(last_words)
{
	ck_assert_int_eq(chan_send(up, MSG_ASK, 1, "", 1, -1), 0);
	chan_free(up);
	up = NULL;
	run();
	ck_assert_uint_eq(parent.frames, 1);
	ck_assert_str_eq(parent.ended, "closed by peer");
}
END_TEST

START_TEST(too_long)
{
	static const uint8_t space[MSG_PAYLOAD_MAX + 1];
	uint8_t frame[MSG_MAX + 8] = { 0, 0, 0, 1, MSG_ROW, 0, 0x10, 1 };

	ck_assert_int_eq(
	    chan_send(up, MSG_ROW, 1, space, sizeof(space), -1), -1);
	ck_assert_int_eq(chan_send(up, MSG_ROW, 1, space, 4096, -1), 0);
	run();
	ck_assert_uint_eq(parent.last_n, 4096);
	ck_assert_int_eq(
	    send(chan_fd(up), frame, sizeof(frame), 0), (ssize_t)sizeof(frame));
	run();
	ck_assert_str_eq(parent.ended, "broken frame");
}
END_TEST

static time_t
second(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

START_TEST(log_goes_up)
{
	time_t first = second();
	unsigned seconds;

	log_init("test", true, LOG_LEVEL_INFO);
	chan_log(up);
	log_info("hello");
	run();
	ck_assert_uint_eq(parent.frames, 1);
	ck_assert_mem_eq(parent.last + 1, "hello", 5);
	for (int i = 0; i < 500; i++)
		log_info("noise");
	seconds = (unsigned)(second() - first) + 1;
	run();
	/* 50 lines in each, and one that says how many there were not. */
	ck_assert_uint_le(parent.frames, seconds * 51);
	log_to(NULL, NULL);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("chan");
	TCase *t = tcase_create("chan");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, both_ways);
	tcase_add_test(t, batches);
	tcase_add_test(t, descriptors);
	tcase_add_test(t, kept_descriptor);
	tcase_add_test(t, congested);
	tcase_add_test(t, worker_burst);
	tcase_add_test(t, worker_packs);
	tcase_add_loop_test(t, broken, 0, 10);
	tcase_add_loop_test(t, broken_among_others, 0, 5);
	tcase_add_test(t, closed_within_packet);
	tcase_add_test(t, worker_to_worker);
	tcase_add_test(t, one_frame_with_descriptor);
	tcase_add_loop_test(t, descriptor_up, 0, 3);
	tcase_add_loop_test(t, descriptors_too_many, 0, 4);
	tcase_add_test(t, no_descriptor_free);
	tcase_add_loop_test(t, phases, 0, 2);
	tcase_add_test(t, refused_content);
	tcase_add_loop_test(t, closed_while_handling, 0, 2);
	tcase_add_loop_test(t, peer_gone, 0, 2);
	tcase_add_test(t, last_words);
	tcase_add_test(t, too_long);
	tcase_add_test(t, log_goes_up);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
