/* Unit test of the engine: lines, tickets, streams, their ends. */
#include <check.h>
#include <poll.h>

#include "t/unit/engine_lab.h"

#include "common/crypto/ticket.h"
#include "common/tunnel/prologue.h"
#include "common/tunnel/tunnel.h"

#define CONN 3
#define POST "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n"
#define BODY 9000

static struct lab *l;
static struct msg m;
static uint8_t space[MSG_MAX + 1];
static uint8_t bytes[LAB_BYTES];
static size_t nbytes;

static void
set_up(void)
{
	l = lab_new();
	lab_pool(l, 3, 1);
	lab_service(l, LAB_SERVICE, NULL);
	lab_turns(l, 1);
}

static void
tear_down(void)
{
	lab_free(l);
}

/* The next frame that the engine says is of this type. */
static void
says(uint8_t type)
{
	lab_turns(l, 3);
	ck_assert(lab_up(l, &m));
	ck_assert_msg(m.type == type, "%s", msg_row(m.type)->name);
}

static void
says_nothing(void)
{
	lab_turns(l, 3);
	ck_assert_msg(!lab_up(l, &m), "%s", msg_row(m.type)->name);
}

/* Everything that has come to a socket, into `bytes`. */
static void
take(int fd)
{
	ssize_t n;

	lab_turns(l, 4);
	nbytes = 0;
	while ((n = read(fd, bytes + nbytes, sizeof(bytes) - nbytes)) > 0)
		nbytes += (size_t)n;
}

static void
send_bytes(int fd, const void *p, size_t n)
{
	ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
}

static void
send_frame(int fd, uint32_t stream, uint8_t type, const void *p, size_t n)
{
	uint8_t frame[FRAME_HEAD + FRAME_PAYLOAD_MAX];

	frame_head(frame, stream, type, n);
	if (n > 0)
		memcpy(frame + FRAME_HEAD, p, n);
	send_bytes(fd, frame, FRAME_HEAD + n);
}

/* Take out of `bytes` the first frame of that type; its payload's length. */
static size_t
frame_of(uint8_t type, uint8_t *payload)
{
	struct frame f;
	size_t at = 0;

	while (at + FRAME_HEAD <= nbytes) {
		ck_assert_int_eq(frame_parse(&f, bytes + at, false), 0);
		if (f.type == type) {
			memcpy(payload, bytes + at + FRAME_HEAD, f.n);
			return f.n;
		}
		at += FRAME_HEAD + f.n;
	}
	ck_abort_msg("no %s", frame_name(type));
	return 0;
}

static bool
has_frame(uint8_t type)
{
	struct frame f;
	size_t at = 0;

	while (at + FRAME_HEAD <= nbytes) {
		ck_assert_int_eq(frame_parse(&f, bytes + at, false), 0);
		if (f.type == type)
			return true;
		at += FRAME_HEAD + f.n;
	}
	return false;
}

/* A session whose handshake was nothing but HS_OUT, a blob, HS_KEYS. */
static int
session(uint32_t conn)
{
	int fd = lab_line(l, conn, PREFACE_SESSION);

	lab_down(l, MSG_HS_OUT, conn, "hello", 5, -1);
	take(fd);
	ck_assert_uint_eq(nbytes, PREFACE_BASE + 2 + 5);
	send_bytes(fd, "\0\3abc", 5);
	says(MSG_HS_IN);
	ck_assert_uint_eq(m.n, 3);
	ck_assert_mem_eq(m.p, "abc", 3);
	lab_keys(l, conn);
	take(fd);
	return fd;
}

static void
open_stream(int fd, uint32_t stream, uint16_t service)
{
	uint8_t payload[64];
	const struct addr none = { 0 };
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	buf_put_u16(&b, service);
	buf_put_u8(&b, 0);
	addr_put(&b, &none);
	addr_put(&b, &none);
	buf_put_u32(&b, TUNNEL_WINDOW);
	send_frame(fd, stream, FRAME_OPEN, payload, buf_used(&b));
}

/* A stream that is connected; returns the service's end. */
static int
stream(int fd, uint32_t number)
{
	int fds[2];

	open_stream(fd, number, LAB_SERVICE);
	says(MSG_DIAL);
	ck_assert_mem_eq(m.p, "\0\5\0", 3);
	lab_sockets(fds);
	lab_down(l, MSG_DIALED, m.id, NULL, 0, fds[1]);
	take(fd);
	ck_assert(has_frame(FRAME_OPENED));
	return fds[0];
}

START_TEST(carries_a_handshake_exactly)
{
	static const uint8_t preface[PREFACE_BASE] = { 0x8e, 'p', 't', 'p',
		PREFACE_VERSION, PREFACE_VERSION, PREFACE_SESSION, 0 };
	int fd = lab_line(l, CONN, PREFACE_SESSION);

	lab_down(l, MSG_HS_OUT, CONN, "first", 5, -1);
	take(fd);
	ck_assert_uint_eq(nbytes, sizeof(preface) + 7);
	ck_assert_mem_eq(bytes, preface, sizeof(preface));
	ck_assert_mem_eq(bytes + sizeof(preface), "\0\5first", 7);
	/* Byte by byte, and what is behind a blob stays for later. */
	send_bytes(fd, "\0", 1);
	says_nothing();
	send_bytes(fd, "\4blo", 4);
	says_nothing();
	send_bytes(fd, "b\0\2xy", 5);
	says(MSG_HS_IN);
	ck_assert_uint_eq(m.id, CONN);
	ck_assert_uint_eq(m.n, 4);
	ck_assert_mem_eq(m.p, "blob", 4);
	says_nothing();
	lab_down(l, MSG_HS_OUT, CONN, "second", 6, -1);
	says(MSG_HS_IN);
	ck_assert_mem_eq(m.p, "xy", 2);
	take(fd);
	ck_assert_mem_eq(bytes, "\0\6second", 8);
	/* The keys: what comes now are frames. */
	send_frame(fd, 0, FRAME_PING, "12345678", 8);
	lab_keys(l, CONN);
	take(fd);
	ck_assert(has_frame(FRAME_PONG));
	ck_assert(has_frame(FRAME_PING));
	close(fd);
	says(MSG_LINK_END);
}
END_TEST

/* What a server may say that is none, and what is told of it. */
static const struct {
	const char *bytes;
	size_t n;
	enum msg_end end;
	const char *why;
} strangers[] = {
	{ "HTTP/1.1 400 Bad Request\r\n", 26, END_GARBAGE, "not answer" },
	{ "\0\0", 2, END_GARBAGE, "not answer" },
	{ "\4\1", 2, END_GARBAGE, "not answer" },
	{ "\x8eptp\2\7", 6, END_REFUSED, "versions 2 to 7" },
	{ "\0", 1, END_LOST, "closed" },
	{ "\0\7abc", 5, END_LOST, "closed" },
	{ "", 0, END_LOST, "closed" },
};

START_TEST(tells_who_is_no_server)
{
	int fd = lab_line(l, CONN, PREFACE_SESSION);
	char why[256];
	uint8_t code = 0;
	struct buf b;

	lab_down(l, MSG_HS_OUT, CONN, "first", 5, -1);
	take(fd);
	if (strangers[_i].n > 0)
		send_bytes(fd, strangers[_i].bytes, strangers[_i].n);
	close(fd);
	says(MSG_LINK_END);
	buf_read(&b, m.p, m.n);
	buf_get_u8(&b, &code);
	buf_get_cstr8(&b, why, sizeof(why));
	ck_assert_uint_eq(code, strangers[_i].end);
	ck_assert_msg(strstr(why, strangers[_i].why) != NULL, "%s", why);
	says_nothing();
}
END_TEST

START_TEST(lines_end_when_the_parent_says_so)
{
	int fd = lab_line(l, CONN, PREFACE_SESSION);

	lab_down(l, MSG_HS_FAIL, CONN, "\1", 1, -1);
	take(fd);
	ck_assert_int_eq(read(fd, bytes, 1), 0);
	says_nothing();
	lab_down(l, MSG_HS_OUT, CONN, "late", 4, -1);
	lab_keys(l, CONN);
	says_nothing();
	close(fd);
}
END_TEST

START_TEST(services_are_said_and_grants_passed_on)
{
	int fd;

	lab_down(l, MSG_OFFER, 0, "\0\0\0\1\0\0", 6, -1);
	fd = session(CONN);
	ck_assert_uint_eq(frame_of(FRAME_SERVICES, space), 6);
	ck_assert_mem_eq(space, "\0\0\0\1\0\0", 6);
	lab_down(l, MSG_OFFER, 0, "\0\0\0\2\0\0", 6, -1);
	take(fd);
	ck_assert_uint_eq(frame_of(FRAME_SERVICES, space), 6);
	ck_assert_uint_eq(space[3], 2);
	send_frame(fd, 0, FRAME_GRANTED, "\0\0\0\2\0\0", 6);
	says(MSG_ANSWER);
	ck_assert_uint_eq(m.id, CONN);
	ck_assert_uint_eq(m.n, 6);
	close(fd);
	says(MSG_LINK_END);
}
END_TEST

START_TEST(bytes_go_both_ways_and_directions_end_alone)
{
	int fd = session(CONN), local = stream(fd, 2);

	send_frame(fd, 2, FRAME_DATA, "question", 8);
	send_frame(fd, 2, FRAME_FIN, NULL, 0);
	take(local);
	ck_assert_uint_eq(nbytes, 8);
	ck_assert_mem_eq(bytes, "question", 8);
	ck_assert_int_eq(read(local, bytes, 1), 0);
	send_bytes(local, "answer", 6);
	take(fd);
	ck_assert_uint_eq(frame_of(FRAME_DATA, space), 6);
	ck_assert_mem_eq(space, "answer", 6);
	ck_assert(!has_frame(FRAME_FIN));
	shutdown(local, SHUT_WR);
	take(fd);
	ck_assert(has_frame(FRAME_FIN));
	ck_assert(!has_frame(FRAME_RESET));
	ck_assert(LIST_EMPTY(&l->e.locals));
	close(local);
	close(fd);
}
END_TEST

/*
 * As a service does that refuses a body: there is more of it to be written
 * when the connection breaks, but what was said before is there.
 */
START_TEST(last_words_come_before_the_reset)
{
	static const char *const hosts[] = { NULL, "b" };
	static uint8_t body[BODY];
	int fd = session(CONN), fds[2];

	lab_service(l, LAB_SERVICE, hosts[_i]);
	open_stream(fd, 2, LAB_SERVICE);
	says(MSG_DIAL);
	lab_sockets(fds);
	ck_assert_int_eq(
	    setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &(int){ 1 }, sizeof(int)),
	    0);
	lab_down(l, MSG_DIALED, m.id, NULL, 0, fds[1]);
	take(fd);
	send_frame(fd, 2, FRAME_DATA, POST, sizeof(POST) - 1);
	send_frame(fd, 2, FRAME_DATA, body, sizeof(body));
	lab_turns(l, 3);
	send_bytes(fds[0], "HTTP/1.1 413 No\r\n\r\n", 19);
	close(fds[0]);
	take(fd);
	ck_assert_uint_eq(frame_of(FRAME_DATA, space), 19);
	ck_assert(has_frame(FRAME_RESET));
	ck_assert(LIST_EMPTY(&l->e.locals));
	close(fd);
}
END_TEST

START_TEST(bytes_before_the_connection_stands_are_kept)
{
	int fd = session(CONN), fds[2];

	open_stream(fd, 2, LAB_SERVICE);
	send_frame(fd, 2, FRAME_DATA, "early ", 6);
	says(MSG_DIAL);
	send_frame(fd, 2, FRAME_DATA, "bird", 4);
	send_frame(fd, 2, FRAME_FIN, NULL, 0);
	lab_turns(l, 2);
	lab_sockets(fds);
	lab_down(l, MSG_DIALED, m.id, NULL, 0, fds[1]);
	take(fds[0]);
	ck_assert_uint_eq(nbytes, 10);
	ck_assert_mem_eq(bytes, "early bird", 10);
	ck_assert_int_eq(read(fds[0], bytes, 1), 0);
	close(fds[0]);
	close(fd);
}
END_TEST

static const struct {
	int err;
	enum reset reason;
} refusals[] = {
	{ ECONNREFUSED, RESET_REFUSED },
	{ ENOENT, RESET_REFUSED },
	{ ETIMEDOUT, RESET_TIMEOUT },
	{ EHOSTUNREACH, RESET_UNREACHABLE },
	{ ENETUNREACH, RESET_UNREACHABLE },
	{ EMFILE, RESET_LIMIT },
	{ EACCES, RESET_UNREACHABLE },
};

START_TEST(refused_dials_reset_the_stream)
{
	int fd = session(CONN);
	uint8_t err[4] = { 0, 0, 0, (uint8_t)refusals[_i].err };

	open_stream(fd, 2, LAB_SERVICE);
	says(MSG_DIAL);
	lab_down(l, MSG_DIAL_NO, m.id, err, sizeof(err), -1);
	take(fd);
	ck_assert_uint_eq(frame_of(FRAME_RESET, space), 1);
	ck_assert_uint_eq(space[0], refusals[_i].reason);
	ck_assert(!has_frame(FRAME_OPENED));
	close(fd);
}
END_TEST

START_TEST(failed_connections_ask_for_the_next_address)
{
	int fd = session(CONN), sock, port;
	struct sockaddr_storage ss = { .ss_family = AF_INET };
	struct pollfd refused = { .events = POLLOUT };
	socklen_t len = sizeof(ss);
	struct addr a;
	uint32_t number;

	/* A port that nobody listens on. */
	ck_assert_int_ne(sock = socket(AF_INET, SOCK_STREAM, 0), -1);
	ck_assert_int_eq(addr_parse_listen(&a, "127.0.0.1:0"), 0);
	len = addr_to_sockaddr(&ss, &a);
	ck_assert_int_eq(bind(sock, (struct sockaddr *)&ss, len), 0);
	len = sizeof(ss);
	getsockname(sock, (struct sockaddr *)&ss, &len);
	ck_assert_int_ne(
	    port = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), -1);
	connect(port, (struct sockaddr *)&ss, len);
	refused.fd = port; /* its refusal is there */
	ck_assert_int_eq(poll(&refused, 1, -1), 1);
	open_stream(fd, 2, LAB_SERVICE);
	says(MSG_DIAL);
	number = m.id;
	lab_down(l, MSG_DIALED, number, NULL, 0, port);
	says(MSG_DIAL);
	ck_assert_uint_ne(m.id, number);
	ck_assert_uint_eq(m.p[2], 1); /* one has failed */
	/* There is no other: why, the engine knows. */
	lab_down(l, MSG_DIAL_NO, m.id, "\0\0\0\0", 4, -1);
	take(fd);
	ck_assert_uint_eq(frame_of(FRAME_RESET, space), 1);
	ck_assert_uint_eq(space[0], RESET_REFUSED);
	close(sock);
	close(fd);
}
END_TEST

START_TEST(unknown_services_are_refused)
{
	int fd = session(CONN);
	uint8_t gone[3] = { ENGINE_CONF_GONE, 0, LAB_SERVICE };

	open_stream(fd, 2, LAB_SERVICE + 1);
	take(fd);
	ck_assert_uint_eq(frame_of(FRAME_RESET, space), 1);
	ck_assert_uint_eq(space[0], RESET_NO_SERVICE);
	lab_down(l, MSG_ENGINE_CONF, 0, gone, sizeof(gone), -1);
	lab_turns(l, 1);
	open_stream(fd, 4, LAB_SERVICE);
	take(fd);
	ck_assert_uint_eq(frame_of(FRAME_RESET, space), 1);
	close(fd);
}
END_TEST

START_TEST(late_and_stray_answers_do_no_harm)
{
	int fd = session(CONN), fds[2];
	uint8_t reason = RESET_ABORT;

	open_stream(fd, 2, LAB_SERVICE);
	says(MSG_DIAL);
	send_frame(fd, 2, FRAME_RESET, &reason, 1);
	lab_turns(l, 2);
	lab_sockets(fds);
	lab_down(l, MSG_DIALED, m.id, NULL, 0, fds[1]);
	take(fds[0]);
	ck_assert_int_eq(read(fds[0], bytes, 1), 0); /* closed again */
	lab_down(l, MSG_DIAL_NO, m.id, "\0\0\0\1", 4, -1);
	lab_down(l, MSG_DIALED, 12345, NULL, 0, dup(fds[0]));
	says_nothing();
	close(fds[0]);
	close(fd);
}
END_TEST

START_TEST(rewritten_requests)
{
	static const char in[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	static const char out[] = "GET / HTTP/1.1\r\nHost: local:1\r\n\r\n";
	int fd, local;

	lab_service(l, LAB_SERVICE, "local:1");
	fd = session(CONN);
	local = stream(fd, 2);
	for (size_t i = 0; i < sizeof(in) - 1; i++)
		send_frame(fd, 2, FRAME_DATA, in + i, 1);
	take(local);
	ck_assert_uint_eq(nbytes, sizeof(out) - 1);
	ck_assert_mem_eq(bytes, out, nbytes);
	send_frame(fd, 2, FRAME_DATA, "\x16\x03\x01 no HTTP\r\n\r\n", 14);
	take(fd);
	ck_assert_uint_eq(frame_of(FRAME_RESET, space), 1);
	ck_assert_uint_eq(space[0], RESET_PROTOCOL);
	close(local);
	close(fd);
}
END_TEST

/* The server's side of a ticket; returns its end of the line. */
static int
attach_by_ticket(uint8_t root[TICKET_KEY], uint8_t number, bool good)
{
	static const uint8_t transport = TRANSPORT_TCP;
	uint8_t ticket[20] = { 0, 0, 0, number }, key[TICKET_KEY];
	uint8_t mac[TICKET_MAC], answer[TICKET_NONCE + TICKET_MAC];
	struct ticket_flight f = { .preface = bytes,
		.preface_len = PREFACE_MAX,
		.transport = &transport,
		.transport_len = 1 };
	int fd;

	fd = lab_line(l, CONN + 1u + number, PREFACE_TICKET);
	take(fd);
	ck_assert_uint_eq(nbytes, PREFACE_MAX + TICKET_NONCE + TICKET_MAC);
	ck_assert_mem_eq(bytes + PREFACE_BASE, ticket + 4, TICKET_ID);
	ticket_next(root, key);
	f.client_nonce = bytes + PREFACE_MAX;
	ticket_client_mac(mac, key, &f);
	ck_assert_mem_eq(bytes + PREFACE_MAX + TICKET_NONCE, mac, TICKET_MAC);
	memset(answer, 0x77, TICKET_NONCE);
	f.server_nonce = answer;
	ticket_server_mac(answer + TICKET_NONCE, key, &f);
	answer[TICKET_NONCE] ^= !good;
	send_bytes(fd, answer, sizeof(answer));
	lab_turns(l, 2);
	return fd;
}

START_TEST(further_lines_by_ticket)
{
	uint8_t root[TICKET_KEY] = { 0 }, ticket[20] = { 0 };
	int fd, further, local;

	lab_pool(l, 3, 2);
	fd = session(CONN);
	engine_tick(&l->e);
	take(fd);
	ck_assert_uint_eq(frame_of(FRAME_WANT, space), 1);
	ck_assert_uint_eq(space[0], 1);
	/* Asked once, not at each tick. */
	engine_tick(&l->e);
	take(fd);
	ck_assert(!has_frame(FRAME_WANT));
	send_frame(fd, 0, FRAME_TICKET, ticket, sizeof(ticket));
	says(MSG_WANT);
	ck_assert_uint_eq(m.id, CONN);
	root[5] = 1; /* byte 70 of the keys */
	further = attach_by_ticket(root, 0, true);
	local = stream(further, 2);
	send_frame(further, 2, FRAME_DATA, "by ticket", 9);
	take(local);
	ck_assert_mem_eq(bytes, "by ticket", 9);
	says_nothing();
	close(local);
	close(further);
	says(MSG_LINK_END);
	close(fd);
	says(MSG_LINK_END);
}
END_TEST

START_TEST(server_that_does_not_know_the_ticket)
{
	uint8_t root[TICKET_KEY] = { 0 }, ticket[20] = { 0 };
	int fd, further;

	lab_pool(l, 3, 2);
	fd = session(CONN);
	send_frame(fd, 0, FRAME_TICKET, ticket, sizeof(ticket));
	says(MSG_WANT);
	root[5] = 1;
	further = attach_by_ticket(root, 0, false);
	says(MSG_LINK_END);
	ck_assert_uint_eq(m.id, CONN + 1);
	ck_assert_int_eq(read(further, bytes, 1), 0);
	close(further);
	close(fd);
}
END_TEST

START_TEST(line_without_a_ticket_is_closed)
{
	int fd = session(CONN), further;

	further = lab_line(l, CONN + 1, PREFACE_TICKET);
	says(MSG_LINK_END);
	ck_assert_uint_eq(m.id, CONN + 1);
	ck_assert_int_eq(read(further, bytes, 1), 0);
	close(further);
	close(fd);
}
END_TEST

START_TEST(tickets_come_in_order)
{
	int fd = session(CONN);
	uint8_t ticket[20] = { 0, 0, 0, 1 };

	send_frame(fd, 0, FRAME_TICKET, ticket, sizeof(ticket));
	says(MSG_LINK_END);
	close(fd);
}
END_TEST

START_TEST(goaway_is_passed_on_once)
{
	int fd = session(CONN), local = stream(fd, 2);

	send_frame(fd, 0, FRAME_GOAWAY, "\1\0\0\0\0\2ok", 8);
	says(MSG_AWAY);
	ck_assert_uint_eq(m.id, CONN);
	ck_assert_mem_eq(m.p, "\1\2ok", 4);
	send_frame(fd, 0, FRAME_GOAWAY, "\1\0\0\0\0\0", 6);
	says_nothing();
	/* What is there goes on to its end. */
	send_frame(fd, 2, FRAME_DATA, "still", 5);
	take(local);
	ck_assert_mem_eq(bytes, "still", 5);
	engine_tick(&l->e);
	send_frame(fd, 2, FRAME_FIN, NULL, 0);
	shutdown(local, SHUT_WR);
	take(fd);
	engine_tick(&l->e);
	lab_turns(l, 2);
	ck_assert_int_eq(read(fd, bytes, 1), 0); /* left in order */
	close(local);
	close(fd);
	says(MSG_LINK_END);
}
END_TEST

/* One tunnel too many: it ends with its streams, the session stays. */
START_TEST(goaway_of_a_further_line_is_its_own)
{
	uint8_t root[TICKET_KEY] = { [5] = 1 }, ticket[20] = { 0 };
	int fd = session(CONN), further, local;

	send_frame(fd, 0, FRAME_TICKET, ticket, sizeof(ticket));
	says(MSG_WANT);
	further = attach_by_ticket(root, 0, true);
	local = stream(further, 2);
	send_frame(further, 0, FRAME_GOAWAY, "\1\0\0\0\0\0", 6);
	says_nothing();
	send_frame(further, 2, FRAME_DATA, "still", 5);
	take(local);
	ck_assert_mem_eq(bytes, "still", 5);
	close(local);
	close(stream(fd, 2));
	close(further);
	says(MSG_LINK_END);
	close(fd);
	says(MSG_LINK_END);
}
END_TEST

START_TEST(next_session_lets_the_old_one_end)
{
	int old = session(CONN), local = stream(old, 2), fd;

	fd = session(CONN + 10);
	take(old);
	ck_assert(has_frame(FRAME_GOAWAY));
	send_frame(old, 2, FRAME_DATA, "old", 3);
	take(local);
	ck_assert_mem_eq(bytes, "old", 3);
	close(local);
	close(old);
	says(MSG_LINK_END);
	ck_assert_uint_eq(m.id, CONN);
	close(fd);
	says(MSG_LINK_END);
	ck_assert_uint_eq(m.id, CONN + 10);
}
END_TEST

START_TEST(drains)
{
	int fd = session(CONN), local = stream(fd, 2);

	lab_down(l, MSG_DRAIN, 0, NULL, 0, -1);
	take(fd);
	ck_assert(has_frame(FRAME_GOAWAY));
	open_stream(fd, 4, LAB_SERVICE);
	take(fd);
	ck_assert_uint_eq(frame_of(FRAME_RESET, space), 1);
	says_nothing();
	send_frame(fd, 2, FRAME_FIN, NULL, 0);
	shutdown(local, SHUT_WR);
	take(fd);
	ck_assert_int_eq(read(fd, bytes, 1), 0);
	close(local);
	close(fd);
	says(MSG_LINK_END);
	says(MSG_DRAINED);
}
END_TEST

START_TEST(end_of_the_tunnel_ends_local_connections)
{
	int fd = session(CONN), local = stream(fd, 2);

	close(fd);
	says(MSG_LINK_END);
	ck_assert_int_le(read(local, bytes, 1), 0);
	ck_assert(LIST_EMPTY(&l->e.locals));
	close(local);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("engine");
	TCase *t = tcase_create("engine");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, carries_a_handshake_exactly);
	tcase_add_loop_test(t, tells_who_is_no_server, 0,
	    (int)(sizeof(strangers) / sizeof(strangers[0])));
	tcase_add_test(t, lines_end_when_the_parent_says_so);
	tcase_add_test(t, services_are_said_and_grants_passed_on);
	tcase_add_test(t, bytes_go_both_ways_and_directions_end_alone);
	tcase_add_loop_test(t, last_words_come_before_the_reset, 0, 2);
	tcase_add_test(t, bytes_before_the_connection_stands_are_kept);
	tcase_add_loop_test(t, refused_dials_reset_the_stream, 0,
	    (int)(sizeof(refusals) / sizeof(refusals[0])));
	tcase_add_test(t, failed_connections_ask_for_the_next_address);
	tcase_add_test(t, unknown_services_are_refused);
	tcase_add_test(t, late_and_stray_answers_do_no_harm);
	tcase_add_test(t, rewritten_requests);
	tcase_add_test(t, further_lines_by_ticket);
	tcase_add_test(t, server_that_does_not_know_the_ticket);
	tcase_add_test(t, line_without_a_ticket_is_closed);
	tcase_add_test(t, tickets_come_in_order);
	tcase_add_test(t, goaway_is_passed_on_once);
	tcase_add_test(t, goaway_of_a_further_line_is_its_own);
	tcase_add_test(t, next_session_lets_the_old_one_end);
	tcase_add_test(t, drains);
	tcase_add_test(t, end_of_the_tunnel_ends_local_connections);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
