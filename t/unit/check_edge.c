/*
 * Unit test of worker/edge: verdicts as a pure function, and whole connections
 * over loopback, with sockets as the master's listeners make them.
 */
#include "worker/edge/edge.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/http/page.h"
#include "worker/edge/answer.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define PATIENCE 30000 /* ms, for what must come */
#define SESSION "\x8eptp\1\1\1\0"
#define TICKET            \
	"\x8eptp\1\1\2\0" \
	"0123456789abcdef"

struct first_bytes {
	const char *bytes;
	size_t n; /* 0: strlen */
	uint8_t kind;
	unsigned what; /* status or enum msg_end */
	const char *name;
};

static const struct first_bytes firsts[] = {
	{ "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", 0, VERDICT_ROUTE, 0,
	    "a.example" },
	{ "GET / HTTP/1.1\r\nhOST: A.Example.:8080\r\n\r\n", 0, VERDICT_ROUTE,
	    0, "a.example" },
	{ "\r\nPOST / HTTP/1.0\r\nHost: id1\r\n\r\nbody", 0, VERDICT_ROUTE, 0,
	    "id1" },
	/* Addresses keep their port, for they are keys with it. */
	{ "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0, VERDICT_ROUTE, 0,
	    "[::1]:80" },
	{ "GET / HTTP/1.1\r\nHost: [FD00::1]\r\n\r\n", 0, VERDICT_ROUTE, 0,
	    "[fd00::1]" },
	{ "GET / HTTP/1.1\r\nHost: 10.0.0.1:3000\r\n\r\n", 0, VERDICT_ROUTE, 0,
	    "10.0.0.1:3000" },
	{ "GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n", 0, VERDICT_ROUTE, 0,
	    "10.0.0.1" },
	{ "GET http://b.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n", 0,
	    VERDICT_ROUTE, 0, "b.example" },
	{ "GET / HTTP/1.0\r\n\r\n", 0, VERDICT_REFUSE, 400, NULL },
	{ "GET / HTTP/1.1\r\n\r\n", 0, VERDICT_REFUSE, 400, NULL },
	{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", 0, VERDICT_REFUSE, 400, NULL },
	{ "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 0, VERDICT_REFUSE,
	    400, NULL },
	{ "GET / HTTP/1.1\nHost: a\n\n", 0, VERDICT_REFUSE, 400, NULL },
	{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, VERDICT_REFUSE, 505, NULL },
	{ "CONNECT A.b:22 HTTP/1.1\r\nHost: a.b:22\r\n\r\n", 0, VERDICT_ROUTE,
	    0, "a.b" },
	{ "CONNECT a:22 HTTP/1.0\r\n\r\nSSH-2.0", 0, VERDICT_ROUTE, 0, "a" },
	{ "CONNECT [::1]:22 HTTP/1.0\r\n\r\n", 0, VERDICT_ROUTE, 0,
	    "[::1]:22" },
	{ "CONNECT a:80 HTTP/1.1\r\nHost: b:80\r\n\r\n", 0, VERDICT_REFUSE, 400,
	    NULL },
	{ "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", 0, VERDICT_REFUSE, 400,
	    NULL },
	{ "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nContent-Length: 2\r\n\r\nxx",
	    0, VERDICT_REFUSE, 400, NULL },
	{ "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nTransfer-Encoding: chunked"
	  "\r\n\r\n",
	    0, VERDICT_REFUSE, 400, NULL },
	{ "CONNECT http://a:80/ HTTP/1.1\r\nHost: a:80\r\n\r\n", 0,
	    VERDICT_REFUSE, 400, NULL },
	{ "\x16\x03\x01\x02\x00", 5, VERDICT_REFUSE, 400, NULL },
	{ "\x16\x04", 0, VERDICT_DROP, END_GARBAGE, NULL },
	{ "\0\0\0\0", 4, VERDICT_DROP, END_GARBAGE, NULL },
	{ "\x8eptq", 0, VERDICT_DROP, END_GARBAGE, NULL },
	{ SESSION, 8, VERDICT_TUNNEL, PREFACE_SESSION, NULL },
	{ SESSION "more", 12, VERDICT_TUNNEL, PREFACE_SESSION, NULL },
	{ TICKET, 24, VERDICT_TUNNEL, PREFACE_TICKET, NULL },
	{ "\x8eptp\1\1\3\0", 8, VERDICT_DROP, END_GARBAGE, NULL },
	{ "\x8eptp\2\5\1\0", 8, VERDICT_REFUSE, 505, NULL },
};

static const struct verdict_rules by_host = { .head_max = 16384,
	.mux_header = "Host" };
static const struct verdict_rules by_header = { .head_max = 64,
	.mux_header = "X-Applet" };

static void
verdict_is(const struct verdict *v, const struct first_bytes *f)
{
	ck_assert_int_eq(v->kind, f->kind);
	if (f->kind == VERDICT_ROUTE)
		ck_assert_str_eq(v->name, f->name);
	else if (f->kind == VERDICT_REFUSE)
		ck_assert_uint_eq(v->status, f->what);
	else if (f->kind == VERDICT_DROP)
		ck_assert_uint_eq(v->end, f->what);
	else
		ck_assert_uint_eq(v->preface.kind, f->what);
}

/* At every length: nothing, then the verdict, then the same for ever. */
START_TEST(verdict_by_first_bytes)
{
	const struct first_bytes *f = &firsts[_i];
	size_t n = f->n != 0 ? f->n : strlen(f->bytes);
	bool given = false;
	struct verdict v;
	struct head h;

	for (size_t k = 1; k <= n; k++) {
		char *exact = malloc(k);

		memcpy(exact, f->bytes, k);
		verdict_give(&v, &h, &by_host, 0, exact, k);
		free(exact);
		if (v.kind != 0 || given)
			verdict_is(&v, f);
		given = v.kind != 0;
	}
	ck_assert(given);
	if (f->kind == VERDICT_TUNNEL && f->what == PREFACE_TICKET)
		ck_assert_mem_eq(v.preface.ticket, "0123456789abcdef", 16);
	ck_assert_int_eq(v.range, n == 8 && f->bytes[4] == 2);
}
END_TEST

/* Another field carries the name: its whole value, if it is one. */
static const struct first_bytes headers[] = {
	{ "GET / HTTP/1.1\r\nHost: a\r\nx-applet: ID1\r\n\r\n", 0,
	    VERDICT_ROUTE, 0, "id1" },
	{ "GET / HTTP/1.1\r\nHost: a\r\nX-Applet: id1:80\r\n\r\n", 0,
	    VERDICT_REFUSE, 404, NULL },
	{ "GET / HTTP/1.1\r\nHost: a\r\nX-Applet: a.example\r\n\r\n", 0,
	    VERDICT_REFUSE, 404, NULL },
	{ "GET / HTTP/1.1\r\nHost: a\r\nX-Applet:\r\n\r\n", 0, VERDICT_REFUSE,
	    400, NULL },
	{ "GET / HTTP/1.1\r\nHost: a\r\nX_Applet: id1\r\n\r\n", 0,
	    VERDICT_REFUSE, 400, NULL },
	{ "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", 0, VERDICT_REFUSE, 400,
	    NULL },
	/* A CONNECT says itself where to. */
	{ "CONNECT id2:22 HTTP/1.0\r\nX-Applet: id1\r\n\r\n", 0, VERDICT_ROUTE,
	    0, "id2" },
	/* head_max is 64 here: 64 bytes without an end, and 65. */
	{ "GET /23456789012345678901234567890123456789012345678901234567890123",
	    64, VERDICT_REFUSE, 431, NULL },
	{ "GET "
	  "/234567890123456789012345678901234567890123456789012345678901234",
	    63, 0, 0, NULL },
};

START_TEST(verdict_by_header)
{
	const struct first_bytes *f = &headers[_i];
	struct verdict v;
	struct head h;

	verdict_give(&v, &h, &by_header, 0, f->bytes,
	    f->n != 0 ? f->n : strlen(f->bytes));
	ck_assert_int_eq(v.kind, f->kind);
	if (f->kind != 0)
		verdict_is(&v, f);
}
END_TEST

/* The master's side of one edge, and its clients. */
static struct {
	struct event_base *base;
	struct chan *master;
	struct edge *edge;
	struct chan *chan;
	int listener, client, ours; /* ours: the master's copy */
	/* What the edge said last. */
	bool verdict, closed, full, room, drained;
	uint8_t flags; /* of connections */
	uint32_t id;
	uint8_t said[512];
	size_t nsaid;
	uint8_t end; /* of MSG_CLOSED */
} x;

static int
on_frame(void *arg, const struct msg *m)
{
	(void)arg;
	switch (m->type) {
	case MSG_VERDICT:
		x.verdict = true;
		x.id = m->id;
		x.nsaid = m->n;
		memcpy(x.said, m->p, m->n);
		/* As the master does: refused, it is the edge's alone. */
		if (m->p[0] == VERDICT_REFUSE && x.ours != -1) {
			close(x.ours);
			x.ours = -1;
		}
		break;
	case MSG_CLOSED:
		x.closed = true;
		x.end = m->p[0];
		break;
	case MSG_FULL:
		x.full = true;
		break;
	case MSG_ROOM:
		x.room = true;
		break;
	case MSG_DRAINED:
		x.drained = true;
		break;
	}
	return 0;
}

static void
on_ended(void *arg, const char *why)
{
	(void)arg;
	ck_abort_msg("a channel has ended: %s", why);
}

static const chan_handler master_handlers[MSG_TYPES] = {
	[MSG_VERDICT] = on_frame,
	[MSG_CLOSED] = on_frame,
	[MSG_FULL] = on_frame,
	[MSG_ROOM] = on_frame,
	[MSG_DRAINED] = on_frame,
};

static const struct chan_ops master_ops = { .handlers = master_handlers,
	.ended = on_ended };
static const struct chan_ops edge_ops = { .handlers = edge_handlers,
	.ended = on_ended };

static int
make_listener(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct linger reset = { 1, 0 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	return fd;
}

static void
setup(void)
{
	int fds[2];

	log_set_level(LOG_LEVEL_WARN);
	memset(&x, 0, sizeof(x));
	x.base = event_base_new();
	ck_assert_int_eq(chan_pair(fds), 0);
	x.edge = calloc(1, sizeof(*x.edge));
	x.edge->serve.base = x.base;
	edge_init(x.edge, ROLE_HTTP, 1024);
	x.master = chan_new(x.base, fds[0], ROLE_HTTP, true, &master_ops, NULL);
	x.chan = chan_new(x.base, fds[1], ROLE_HTTP, false, &edge_ops, x.edge);
	x.edge->serve.chan = x.chan;
	chan_set_ready(x.master);
	chan_set_ready(x.chan);
	x.listener = make_listener();
	x.client = x.ours = -1;
}

static void
close_if(int fd)
{
	if (fd != -1)
		close(fd);
}

static void
teardown(void)
{
	edge_clear(x.edge);
	chan_free(x.master);
	chan_free(x.chan);
	free(x.edge);
	event_base_free(x.base);
	close_if(x.client);
	close_if(x.ours);
	close(x.listener);
}

/* Turn the loop until *flag, at most ms, but once at least. */
static void
run_until(const bool *flag, int ms)
{
	uint64_t end = clock_us() + (uint64_t)ms * 1000;
	struct timeval tick = { 0, 5000 };

	do {
		event_base_loopexit(x.base, &tick);
		event_base_dispatch(x.base);
	} while (!*flag && clock_us() < end);
}

static void
configure(uint32_t head_max, uint32_t wait_ms, uint32_t max)
{
	uint8_t p[64];
	struct buf b;

	buf_write(&b, p, sizeof(p));
	buf_put_u32(&b, head_max);
	buf_put_u32(&b, wait_ms);
	buf_put_cstr8(&b, "Host");
	buf_put_u32(&b, max);
	chan_send(x.master, MSG_EDGE_CONF, 0, p, buf_used(&b), -1);
}

/* A client's connection: x.client, and what the listener accepted. */
static int
connect_pair(void)
{
	struct sockaddr_in a;
	socklen_t n = sizeof(a);
	int fd;

	ck_assert_int_eq(getsockname(x.listener, (struct sockaddr *)&a, &n), 0);
	x.client = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(x.client, (struct sockaddr *)&a, n), 0);
	fd = accept4(x.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	ck_assert_int_ne(fd, -1);
	return fd;
}

static void
say(const void *p, size_t n)
{
	ck_assert_int_eq(send(x.client, p, n, MSG_NOSIGNAL), (ssize_t)n);
}

/* What the client did has come: POLLIN bytes, POLLRDHUP its end. */
static void
arrived(int fd, short what)
{
	struct pollfd p = { .fd = fd, .events = what };

	ck_assert_int_eq(poll(&p, 1, -1), 1);
}

static void
pass(uint8_t type, uint32_t id, int fd, bool keep)
{
	struct msg_conn conn = { .listener = 1 };
	uint8_t p[64] = { 0x01, 0x94 }; /* NOROUTE: 404 */
	struct buf b;
	size_t n = 6 + ADDR_WIRE;

	if (type == MSG_CONN) {
		buf_write(&b, p, sizeof(p));
		msg_put_conn(&b, &conn);
		buf_put_u8(&b, x.flags);
		n = buf_used(&b);
	}
	if (keep)
		ck_assert_int_eq(
		    chan_send_keep(x.master, type, id, p, n, fd), 0);
	else
		ck_assert_int_eq(chan_send(x.master, type, id, p, n, fd), 0);
}

/* A new connection whose first bytes are there. */
static void
arrive(uint32_t id, const char *bytes)
{
	x.ours = connect_pair();
	if (bytes != NULL) {
		say(bytes, strlen(bytes));
		arrived(x.ours, POLLIN);
	}
	x.verdict = x.closed = false;
	pass(MSG_CONN, id, x.ours, true);
}

/* The next that the client gets, while the edge goes on; 0: FIN. */
static ssize_t
hear_next(char *p, size_t size)
{
	const bool never = false;
	ssize_t n = -1;

	for (int i = 0; i < PATIENCE / 10; i++) {
		n = recv(x.client, p, size, MSG_DONTWAIT);
		if (n != -1 || errno != EAGAIN)
			return n;
		run_until(&never, 10);
	}
	return n;
}

/* All that the client gets up to the end: the end is errno, 0 for FIN. */
static size_t
hear(char *p, size_t size, int *err)
{
	size_t n = 0;
	ssize_t got;

	while ((got = hear_next(p + n, size - 1 - n)) > 0)
		n += (size_t)got;
	*err = got == -1 ? errno : 0;
	p[n] = '\0';
	return n;
}

START_TEST(bytes_stay_in_the_kernel)
{
	const char *request = "GET / HTTP/1.1\r\nHost: id1.example\r\n\r\n";
	char p[256] = "";

	arrive(7, request);
	run_until(&x.verdict, PATIENCE);
	ck_assert(x.verdict);
	ck_assert_uint_eq(x.id, 7);
	ck_assert_uint_eq(x.said[0], VERDICT_ROUTE);
	ck_assert_mem_eq(x.said + 1, "\013id1.example", 12);
	ck_assert_uint_eq(x.edge->held, 0);
	ck_assert_int_eq(
	    recv(x.ours, p, sizeof(p), 0), (ssize_t)strlen(request));
	ck_assert_str_eq(p, request);
	/* It still works: the edge's close has not touched it. */
	ck_assert_int_eq(send(x.ours, "ok", 2, 0), 2);
	ck_assert_int_eq(recv(x.client, p, sizeof(p), 0), 2);
}
END_TEST

START_TEST(preface_is_a_tunnel)
{
	x.ours = connect_pair();
	say(TICKET, 24);
	pass(MSG_CONN, 1, x.ours, true);
	run_until(&x.verdict, PATIENCE);
	ck_assert_uint_eq(x.nsaid, 18);
	ck_assert_mem_eq(x.said,
	    "\1\2"
	    "0123456789abcdef",
	    18);
}
END_TEST

/* A head that comes byte by byte, after a while. */
START_TEST(slow_head)
{
	const char *request =
	    "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\n"
	    "Cookie: 0123456789012345678901234567890123456789\r\n"
	    "Host: id1\r\n\r\n";

	arrive(1, NULL);
	for (const char *p = request; *p != '\0'; p++) {
		run_until(&x.verdict, 2);
		ck_assert(!x.verdict);
		say(p, 1);
	}
	run_until(&x.verdict, PATIENCE);
	ck_assert_uint_eq(x.said[0], VERDICT_ROUTE);
	ck_assert_mem_eq(x.said + 1, "\3id1", 4);
	ck_assert_uint_eq(x.edge->held, 0);
}
END_TEST

/* Malformed early: refused long before the head is complete. */
START_TEST(slow_and_wrong)
{
	char many[4096];

	arrive(1, "GET / HTTP/1.1\r\n");
	run_until(&x.verdict, 20);
	ck_assert(!x.verdict);
	memset(many, 'a', sizeof(many));
	memcpy(many, "a b: ", 5);
	say(many, sizeof(many));
	run_until(&x.verdict, PATIENCE);
	ck_assert(x.verdict);
	ck_assert_mem_eq(x.said, "\3\1\x90", 3); /* REFUSE 400 */
}
END_TEST

static const struct {
	const char *bytes;
	bool reset;
	const char *said;
} ends[] = {
	{ NULL, false, "\4\0" },
	{ NULL, true, "\4\1" },
	{ "GET", true, "\4\1" },
	{ "GET / HTTP/1.1\r\n", false, "\3\1\x90" },
	{ "\x8ept", false, "\4\4" },
};

/* The user goes away, before or while the edge looks. */
START_TEST(user_ends)
{
	struct linger reset = { 1, 0 };
	int i = _i / 2;

	x.ours = connect_pair();
	if (ends[i].bytes != NULL)
		say(ends[i].bytes, strlen(ends[i].bytes));
	if (_i % 2 == 1) {
		pass(MSG_CONN, 1, x.ours, true);
		run_until(&x.verdict, 20);
		ck_assert(!x.verdict);
	}
	if (ends[i].reset) {
		setsockopt(
		    x.client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(x.client);
		x.client = -1;
	} else {
		shutdown(x.client, SHUT_WR);
	}
	if (_i % 2 == 0) {
		arrived(x.ours, POLLRDHUP);
		pass(MSG_CONN, 1, x.ours, true);
	}
	run_until(&x.verdict, PATIENCE);
	ck_assert(x.verdict);
	ck_assert_mem_eq(x.said, ends[i].said, x.nsaid);
}
END_TEST

START_TEST(silence_is_dropped)
{
	configure(16384, 100, 10);
	arrive(1, NULL);
	run_until(&x.verdict, PATIENCE);
	ck_assert_uint_eq(x.nsaid, 2);
	ck_assert_mem_eq(x.said, "\4\2", 2); /* DROP, timed out */
	ck_assert_uint_eq(x.edge->held, 0);
}
END_TEST

START_TEST(half_a_head_is_answered)
{
	char p[PAGE_MAX];
	int err;

	configure(16384, 100, 10);
	arrive(1, "GET / HTTP/1.1\r\nHost: a\r\n");
	run_until(&x.verdict, PATIENCE);
	ck_assert_mem_eq(x.said, "\3\1\x98", 3); /* REFUSE 408 */
	shutdown(x.client, SHUT_WR);
	run_until(&x.closed, PATIENCE);
	ck_assert(x.closed);
	hear(p, sizeof(p), &err);
	ck_assert_int_eq(err, 0);
	ck_assert_ptr_nonnull(strstr(p, "HTTP/1.1 408 "));
}
END_TEST

/*
 * The page reaches a user who reads late, and so does a clean end, although
 * the socket has SO_LINGER {1, 0}: the edge waits for the user's FIN.
 */
START_TEST(answer_ends_in_order)
{
	uint64_t begin;
	char p[PAGE_MAX];
	int err;

	arrive(1, "GET / HTTP/1.0\r\n\r\nmore and more");
	run_until(&x.verdict, PATIENCE);
	ck_assert(x.verdict);
	run_until(&x.closed, 300);
	ck_assert(!x.closed); /* the user has not ended it */
	begin = clock_us();
	ck_assert_uint_gt(hear(p, sizeof(p), &err), 0);
	ck_assert_int_eq(err, 0);
	ck_assert_ptr_nonnull(strstr(p, "HTTP/1.1 400 "));
	ck_assert_ptr_nonnull(strstr(p, "the request names no host"));
	if (_i == 0)
		shutdown(x.client, SHUT_WR);
	else
		close(x.client);
	run_until(&x.closed, PATIENCE);
	ck_assert(x.closed);
	ck_assert_uint_eq(x.end, END_REFUSED);
	/* With what was waited before, that is sooner than by itself. */
	ck_assert_uint_lt(clock_us() - begin, (ANSWER_LINGER_MS - 300) * 1000u);
	if (_i == 0) {
		/* No reset came behind the end. */
		ck_assert_int_eq(recv(x.client, p, 1, 0), 0);
		ck_assert_int_eq(getsockopt(x.client, SOL_SOCKET, SO_ERROR,
				     &err, &(socklen_t){ sizeof(err) }),
		    0);
		ck_assert_int_eq(err, 0);
	} else {
		x.client = -1;
	}
}
END_TEST

/* A user who never ends it is reset, but after the page. */
START_TEST(answer_does_not_wait_for_ever)
{
	uint64_t begin = clock_us();
	char p[PAGE_MAX];

	arrive(1, "\x16\x03\x01");
	run_until(&x.closed, PATIENCE);
	ck_assert(x.closed);
	ck_assert_uint_gt(clock_us() - begin, ANSWER_LINGER_MS * 1000u);
	ck_assert_uint_lt(clock_us() - begin, PATIENCE * 1000u);
	ck_assert_int_gt(recv(x.client, p, sizeof(p), 0), 0);
	ck_assert_uint_eq(x.edge->held, 0);
}
END_TEST

/* A reset would come before the page has been read. */
START_TEST(answer_discards_so_much)
{
	static char body[ANSWER_DISCARD_MAX / 2 + 512];
	char page[PAGE_MAX];
	bool never = false;

	arrive(1, "GET / HTTP/1.0\r\n\r\n");
	run_until(&x.verdict, PATIENCE);
	for (int i = 0; i < 3; i++) {
		say(body, sizeof(body));
		run_until(&never, 50);
		ck_assert(!x.closed);
	}
	ck_assert_int_gt(hear_next(page, sizeof(page)), 0);
	ck_assert_int_eq(hear_next(page, sizeof(page)), 0);
	run_until(&x.closed, PATIENCE);
	ck_assert(x.closed);
}
END_TEST

static const struct {
	const char *request;
	const char *has, *lacks;
} noroutes[] = {
	{ "GET / HTTP/1.1\r\nHost: gone.example\r\n\r\n", "gone.example",
	    "application/json" },
	{ "GET / HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n",
	    "application/json", "text/html" },
	{ "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "Content-Length:", "<" },
	{ "garbage", "404", "garbage" },
};

START_TEST(noroute_is_answered)
{
	int fd = connect_pair(), err;
	char p[PAGE_MAX];

	say(noroutes[_i].request, strlen(noroutes[_i].request));
	shutdown(x.client, SHUT_WR);
	arrived(fd, POLLRDHUP);
	pass(MSG_NOROUTE, 3, fd, false);
	run_until(&x.closed, PATIENCE);
	ck_assert(x.closed);
	ck_assert_uint_eq(x.end, END_REFUSED);
	hear(p, sizeof(p), &err);
	ck_assert_int_eq(err, 0);
	ck_assert_ptr_nonnull(strstr(p, "HTTP/1.1 404 "));
	ck_assert_ptr_nonnull(strstr(p, "Connection: close"));
	ck_assert_ptr_nonnull(strstr(p, noroutes[_i].has));
	ck_assert_ptr_null(strstr(p, noroutes[_i].lacks));
}
END_TEST

START_TEST(unknown_version_is_told_the_range)
{
	char p[PAGE_MAX];
	int err;

	x.ours = connect_pair();
	say("\x8eptp\2\5\1\0", 8);
	shutdown(x.client, SHUT_WR);
	arrived(x.ours, POLLRDHUP);
	pass(MSG_CONN, 1, x.ours, true);
	run_until(&x.closed, PATIENCE);
	ck_assert_uint_eq(hear(p, sizeof(p), &err), PREFACE_RANGE);
	ck_assert_int_eq(err, 0);
	ck_assert_mem_eq(p, "\x8eptp\1\1", PREFACE_RANGE);
}
END_TEST

START_TEST(lost_descriptors_are_told)
{
	static const uint8_t none[6 + ADDR_WIRE] = { 1, 0x94 };
	struct msg m = { MSG_CONN, 5, NULL, 0, -1 };

	ck_assert_int_eq(edge_handlers[MSG_CONN](x.edge, &m), 0);
	run_until(&x.verdict, PATIENCE);
	ck_assert_uint_eq(x.id, 5);
	ck_assert_mem_eq(x.said, "\4\5", 2); /* DROP, no descriptors */
	m = (struct msg){ MSG_NOROUTE, 6, none, sizeof(none), -1 };
	ck_assert_int_eq(edge_handlers[MSG_NOROUTE](x.edge, &m), 0);
	run_until(&x.closed, PATIENCE);
	ck_assert_uint_eq(x.end, END_NOFILE);
}
END_TEST

START_TEST(oldest_makes_room)
{
	int fds[3];

	configure(16384, 10000, 2);
	for (uint32_t i = 0; i < 3; i++) {
		fds[i] = connect_pair();
		pass(MSG_CONN, i + 1, fds[i], true);
		run_until(&x.verdict, i == 2 ? PATIENCE : 20);
		ck_assert_int_eq(x.verdict, i == 2);
	}
	ck_assert_uint_eq(x.id, 1);
	ck_assert_mem_eq(x.said, "\4\7", 2); /* DROP, over a limit */
	ck_assert_uint_eq(x.edge->held, 2);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}
END_TEST

START_TEST(full_and_room)
{
	int first = -1;

	x.edge->nofile = 24; /* a quarter, 16 own, 2 */
	arrive(1, NULL);
	run_until(&x.full, 20);
	ck_assert(!x.full);
	first = x.client;
	close(x.ours);
	arrive(2, NULL);
	run_until(&x.full, PATIENCE);
	ck_assert(x.full);
	x.edge->nofile = 36; /* half, 16 own, 2 */
	shutdown(first, SHUT_WR);
	run_until(&x.room, PATIENCE);
	ck_assert(x.room);
	close(first);
}
END_TEST

START_TEST(drains_when_nothing_is_held)
{
	arrive(1, NULL);
	run_until(&x.verdict, 20);
	chan_send(x.master, MSG_DRAIN, 0, NULL, 0, -1);
	run_until(&x.drained, 50);
	ck_assert(!x.drained);
	shutdown(x.client, SHUT_WR);
	run_until(&x.drained, PATIENCE);
	ck_assert(x.verdict);
	ck_assert(x.drained);
}
END_TEST

/* Malformed rows: the channel ends, which is the worker's end. */
START_TEST(conf_is_checked)
{
	static const char *const bad[] = {
		"\0\0\0\0"
		"\0\0\0\1"
		"\1h"
		"\0\0\0\1",
		"\0\1\0\0"
		"\0\0\0\1"
		"\1h"
		"\0\0\0\1",
		"\0\0\1\0"
		"\0\0\0\1"
		"\1h"
		"\0\0\0\0",
		"\0\0\1\0"
		"\0\0\0\1"
		"\0hh"
		"\0\0\0",
	};
	struct msg m = { MSG_EDGE_CONF, 0, (const uint8_t *)bad[_i], 14, -1 };

	ck_assert_int_eq(edge_handlers[MSG_EDGE_CONF](x.edge, &m), -1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("edge");
	TCase *pure = tcase_create("verdict"), *t = tcase_create("edge");
	SRunner *r;
	int failed;

	tcase_add_loop_test(pure, verdict_by_first_bytes, 0, ROWS(firsts));
	tcase_add_loop_test(pure, verdict_by_header, 0, ROWS(headers));
	suite_add_tcase(s, pure);

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, bytes_stay_in_the_kernel);
	tcase_add_test(t, preface_is_a_tunnel);
	tcase_add_test(t, slow_head);
	tcase_add_test(t, slow_and_wrong);
	tcase_add_loop_test(t, user_ends, 0, 2 * ROWS(ends));
	tcase_add_test(t, silence_is_dropped);
	tcase_add_test(t, half_a_head_is_answered);
	tcase_add_loop_test(t, answer_ends_in_order, 0, 2);
	tcase_add_test(t, answer_does_not_wait_for_ever);
	tcase_add_test(t, answer_discards_so_much);
	tcase_add_loop_test(t, noroute_is_answered, 0, ROWS(noroutes));
	tcase_add_test(t, unknown_version_is_told_the_range);
	tcase_add_test(t, lost_descriptors_are_told);
	tcase_add_test(t, oldest_makes_room);
	tcase_add_test(t, full_and_room);
	tcase_add_test(t, drains_when_nothing_is_held);
	tcase_add_loop_test(t, conf_is_checked, 0, 4);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
