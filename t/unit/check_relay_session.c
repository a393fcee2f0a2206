/* The relay: sessions, their tunnels, and what the master wants. */
#include "common/crypto/ticket.h"
#include "common/tunnel/preface.h"
#include "t/unit/relay_case.h"

START_TEST(session_dies)
{
	struct visitor *idle = visit(), *busy = visit(), *fresh;
	struct svc *s;

	visitor_say(idle, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&idle->in, "ok"));
	visitor_say(busy, GET);
	UNTIL(client->n == 2 && bytes_have(&svc(1)->in, "\r\n\r\n"));
	client_kill(client);
	UNTIL(busy->eof);
	ck_assert(bytes_have(&busy->in, "HTTP/1.1 502 "));
	ck_assert_ptr_null(session_find(&lab->r, GEN));
	ck_assert(!idle->eof && !idle->reset);
	/* A user that was on its way meanwhile, and the idle one. */
	fresh = visit();
	visitor_say(fresh, GET);
	visitor_say(idle, GET);
	UNTIL(lab_told(lab, MSG_ASK, fresh->conn) != NULL);
	UNTIL(lab_told(lab, MSG_ASK, idle->conn) != NULL);
	/* It is back, as another generation. */
	client = client_new(lab, OTHER_GEN, RECORD_NONE, 0);
	say_same(fresh->conn, OTHER_GEN, 1);
	say_same(idle->conn, OTHER_GEN, 1);
	UNTIL(client->n == 2 && bytes_have(&svc(0)->in, "\r\n\r\n") &&
	    bytes_have(&svc(1)->in, "\r\n\r\n"));
	s = svc(0);
	svc_say(s, OK2);
	svc_say(svc(1), OK2);
	UNTIL(bytes_have(&fresh->in, "ok"));
	UNTIL(bytes_have(&idle->in, "okHTTP/1.1 200 OK"));
}
END_TEST

/* How many of n visitors were told that their service is lost. */
static size_t
lost(struct visitor *const *v, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += bytes_have(&v[i]->in, "HTTP/1.1 502 ");
	return sum;
}

/* OPENs that nobody answers: the rest waits, and is not forgotten. */
START_TEST(unanswered)
{
	enum { N = 300 };
	struct visitor *v[N];
	size_t done = 0;

	client->mute = true;
	for (size_t i = 0; i < N; i++) {
		v[i] = visit();
		visitor_say(v[i], GET);
		lab_turn(lab);
	}
	UNTIL(client->n == SESSION_UNANSWERED);
	settle();
	ck_assert_uint_eq(client->n, SESSION_UNANSWERED);
	if (_i == 0) { /* the client wakes up */
		client->mute = false;
		for (size_t i = 0; i < SESSION_UNANSWERED; i++)
			stream_opened(svc(i)->s);
	} else if (_i == 1) { /* it refuses */
		for (size_t i = 0; i < N; i++) {
			UNTIL(client->n > i);
			if (svc(i)->s != NULL)
				svc_reset(svc(i), RESET_REFUSED);
		}
	} else if (_i == 2) { /* it gets another tunnel */
		struct client *again = client_again(lab, GEN);

		UNTIL(again->n == SESSION_UNANSWERED);
		return;
	} else { /* it dies: those of whom nothing was sent are asked anew */
		client_kill(client);
		UNTIL(lab_count(lab, MSG_ASK) == RELAY_ASKS_MAX);
		client = client_new(lab, OTHER_GEN, RECORD_NONE, 0);
		for (size_t i = 0, k = 0; i < N - SESSION_UNANSWERED; i++) {
			while (lab->told[k].type != MSG_ASK) {
				UNTIL(k + 1 < lab->ntold);
				k++;
			}
			say_same(lab->told[k++].id, OTHER_GEN, 1);
			if (i % 16 == 15)
				lab_turn(lab);
		}
		UNTIL(client->n == N - SESSION_UNANSWERED);
		UNTIL(lost(v, N) >= SESSION_UNANSWERED);
		settle();
		ck_assert_uint_eq(lost(v, N), SESSION_UNANSWERED);
		return;
	}
	while (done < N) {
		lab_turn(lab);
		done = 0;
		for (size_t i = 0; i < client->n; i++) {
			if (_i == 0 && bytes_have(&svc(i)->in, "\r\n\r\n") &&
			    svc(i)->out.n == 0)
				svc_say(svc(i), OK2);
		}
		for (size_t i = 0; i < N; i++)
			done += bytes_have(
			    &v[i]->in, _i == 0 ? "200 OK" : "HTTP/1.1 502 ");
	}
	ck_assert_uint_eq(client->n, N);
}
END_TEST

/* A client that says goodbye takes nothing new; the master is asked. */
START_TEST(client_leaves)
{
	static const uint8_t bye[6] = { GOAWAY_STOP };
	struct visitor *v = visit(), *w = visit();

	visitor_say(v, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	tunnel_control(client->t, FRAME_GOAWAY, bye, sizeof(bye));
	UNTIL(session_is_gone(session_find(&lab->r, GEN)));
	visitor_say(w, GET);
	UNTIL(lab_told(lab, MSG_ASK, w->conn) != NULL);
	/* It does not know better; then w waits, and asks no more. */
	say_same(w->conn, GEN, 1);
	settle();
	ck_assert_uint_eq(lab_count(lab, MSG_ASK), 1);
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&v->in, "ok"));
	client_kill(client);
	UNTIL(lab_count(lab, MSG_ASK) == 2);
	say_no(w->conn, 503);
	UNTIL(bytes_have(&w->in, "HTTP/1.1 503 "));
}
END_TEST

/* ... and idle connections do not hold it. */
START_TEST(client_leaves_idle)
{
	static const uint8_t bye[6] = { GOAWAY_STOP };
	struct visitor *idle = visit(), *busy = visit();

	visitor_say(idle, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&idle->in, "ok"));
	visitor_say(busy, GET);
	UNTIL(client->n == 2 && bytes_have(&svc(1)->in, "\r\n\r\n"));
	tunnel_control(client->t, FRAME_GOAWAY, bye, sizeof(bye));
	UNTIL(svc(0)->fin);
	ck_assert(!svc(1)->fin);
	svc_say(svc(1), OK2);
	UNTIL(bytes_have(&busy->in, "ok"));
	UNTIL(svc(1)->fin);
	svc_fin(svc(0));
	svc_fin(svc(1));
	UNTIL(tunnel_streams(client->t) == 0 || svc(0)->s == NULL ||
	    svc(1)->s == NULL || session_find(&lab->r, GEN)->users == 0);
	ck_assert(!idle->eof && !busy->eof);
	/* The next request is another's. */
	visitor_say(idle, GET);
	UNTIL(lab_told(lab, MSG_ASK, idle->conn) != NULL);
	client_kill(client);
	client = client_new(lab, OTHER_GEN, RECORD_NONE, 0);
	say_same(idle->conn, OTHER_GEN, 1);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
}
END_TEST

/* Two tunnels: streams go on over the one that lives. */
START_TEST(one_of_two_dies)
{
	struct client *second = client_again(lab, GEN);
	struct visitor *v = visit(), *w;

	visitor_say(v, GET);
	UNTIL(client->n + second->n == 1);
	if (second->n == 1) {
		client_kill(second);
	} else {
		client_kill(client);
		client = second;
	}
	UNTIL(v->eof);
	ck_assert(bytes_have(&v->in, "HTTP/1.1 502 "));
	ck_assert_ptr_nonnull(session_find(&lab->r, GEN));
	w = visit();
	visitor_say(w, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&w->in, "ok"));
}
END_TEST

START_TEST(streams_limit)
{
	struct visitor *v[3];

	client = client_new(lab, OTHER_GEN, RECORD_NONE, 2);
	for (size_t i = 0; i < 3; i++) {
		v[i] = visitor_new(lab, OTHER_GEN, "a.test");
		visitor_say(v[i], GET);
		settle();
	}
	UNTIL(bytes_have(&v[2]->in, "HTTP/1.1 503 "));
	UNTIL(v[2]->eof && client->n == 2);
	visitor_close(v[2], false);
	visitor_close(v[0], true);
	UNTIL(lab_closed(lab, v[0]->conn) != -1);
	UNTIL(lab_closed(lab, v[2]->conn) != -1);
	v[0] = visitor_new(lab, OTHER_GEN, "a.test");
	visitor_say(v[0], GET);
	UNTIL(client->n == 3);
}
END_TEST

static void
generation_down(uint8_t type, const void *rest, size_t n)
{
	uint8_t space[300];
	struct buf b;

	buf_write(&b, space, sizeof(space));
	buf_put_u64(&b, GEN);
	buf_put(&b, rest, n);
	lab_down(lab, type, 0, space, buf_used(&b), -1);
}

START_TEST(kick)
{
	struct visitor *idle = visit(), *busy = visit();

	visitor_say(idle, GET);
	visitor_say(busy, GET);
	UNTIL(client->n == 2 && bytes_have(&svc(1)->in, "\r\n\r\n"));
	UNTIL(bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_say(svc(0), OK2);
	settle();
	if (_i == 1) /* nobody there any more */
		shutdown(tunnel_fd(session_find(&lab->r, GEN)->links->tunnel),
		    SHUT_RDWR);
	generation_down(MSG_KICK, "\4\6by you", 8);
	UNTIL(session_find(&lab->r, GEN) == NULL);
	UNTIL(client->t == NULL);
	if (_i == 0)
		ck_assert_int_eq(client->goaway, GOAWAY_KICKED);
	UNTIL(bytes_have(&idle->in, "HTTP/1.1 502 ") ||
	    bytes_have(&busy->in, "HTTP/1.1 502 "));
	generation_down(MSG_KICK, "\4\6by you", 8);
	settle();
}
END_TEST

START_TEST(probe)
{
	struct addr peer = { 0 };
	static const uint8_t key[32];
	struct session *s;
	uint8_t which[8] = { 0 };
	uint64_t start;
	size_t n = 0;
	int fds[2];

	/* One that answers; where we were stopped ourselves, nobody can. */
	do {
		start = clock_ms();
		generation_down(MSG_PROBE, NULL, 0);
		n++;
		UNTIL(lab_count(lab, MSG_ALIVE) == n);
	} while (clock_ms() - start >= 1000);
	ck_assert_int_eq(lab_told(lab, MSG_ALIVE, 0)->p[8], 1);
	/* One that is gone, and one that does not answer. */
	which[7] = 77;
	lab_down(lab, MSG_PROBE, 0, which, 8, -1);
	UNTIL(lab_count(lab, MSG_ALIVE) == n + 1);
	ck_assert_int_eq(lab_told(lab, MSG_ALIVE, 0)->p[8], 0);
	s = session_new(&lab->r, 78, 1, "mute");
	lab_tcp(fds);
	ck_assert_int_eq(
	    session_link(s, ++lab->last_conn, fds[0], &peer, key, key), 0);
	which[7] = 78;
	lab_down(lab, MSG_PROBE, 0, which, 8, -1);
	UNTIL(lab_count(lab, MSG_ALIVE) == n + 2);
	ck_assert_int_eq(lab_told(lab, MSG_ALIVE, 0)->p[8], 0);
	ck_assert_uint_eq(lab->r.probing, 0);
	close(fds[1]);
	UNTIL(session_find(&lab->r, 78) == NULL);
}
END_TEST

/* The oldest of three links stays, and takes the next user. */
START_TEST(fewer_tunnels)
{
	struct addr peer = { 0 };
	static const uint8_t key[32];
	struct session *s = session_find(&lab->r, GEN);
	struct visitor *v;
	int fds[2][2];

	for (int i = 0; i < 2; i++) {
		lab_tcp(fds[i]);
		ck_assert_int_eq(session_link(s, ++lab->last_conn, fds[i][0],
				     &peer, key, key),
		    0);
	}
	session_trim(s, 3);
	ck_assert(!s->links->leaving && !s->links->next->leaving);
	session_trim(s, 1);
	ck_assert(s->links->leaving && s->links->next->leaving);
	ck_assert(!s->links->next->next->leaving);
	session_trim(s, 1);
	ck_assert(!s->links->next->next->leaving);
	ck_assert(!session_is_gone(s));
	v = visit();
	visitor_say(v, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	close(fds[0][1]);
	close(fds[1][1]);
	UNTIL(s->links->next == NULL);
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&v->in, "ok"));
}
END_TEST

/* Generations that fall into one chain of the directory. */
START_TEST(directory)
{
	static struct session a = { .generation = 5 };
	static struct session b = { .generation = 5 + DIRECTORY_BUCKETS };
	static struct session_ticket t = { .id = "ticket one" };
	static struct session_ticket u = { .id = "ticket two" };
	static struct directory d;

	ck_assert_ptr_null(directory_find(&d, 5));
	directory_add(&d, &a);
	directory_add(&d, &b);
	ck_assert_ptr_eq(directory_find(&d, a.generation), &a);
	ck_assert_ptr_eq(directory_find(&d, b.generation), &b);
	directory_remove(&d, &a);
	directory_remove(&d, &a);
	ck_assert_ptr_null(directory_find(&d, a.generation));
	ck_assert_ptr_eq(directory_find(&d, b.generation), &b);
	directory_add_ticket(&d, &t);
	directory_add_ticket(&d, &u);
	ck_assert_ptr_eq(directory_find_ticket(&d, t.id), &t);
	ck_assert_ptr_eq(directory_find_ticket(&d, u.id), &u);
	directory_remove_ticket(&d, &t);
	directory_remove_ticket(&d, &t);
	ck_assert_ptr_null(directory_find_ticket(&d, t.id));
	ck_assert_ptr_eq(directory_find_ticket(&d, u.id), &u);
}
END_TEST

START_TEST(drain)
{
	struct visitor *idle = visit(), *busy = visit(), *ws, *fresh;

	visitor_say(idle, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&idle->in, "ok"));
	visitor_say(busy, GET);
	UNTIL(client->n == 2 && bytes_have(&svc(1)->in, "\r\n\r\n"));
	ws = visit();
	visitor_say(ws, UPGRADE);
	UNTIL(client->n == 3 && bytes_have(&svc(2)->in, "\r\n\r\n"));
	svc_say(svc(2), SWITCH);
	UNTIL(bytes_have(&ws->in, "\r\n\r\n"));
	/* One whose request has come, but was not read yet. */
	fresh = visit();
	visitor_say(fresh, GET);
	lab_down(lab, MSG_DRAIN, 0, NULL, 0, -1);
	UNTIL(idle->eof);
	UNTIL(client->goaway == GOAWAY_DRAIN);
	ck_assert(!busy->eof && !ws->eof && !fresh->eof);
	svc_say(svc(1), OK2);
	UNTIL(busy->eof);
	ck_assert(bytes_have(&busy->in, "Connection: close\r\n"));
	ck_assert(bytes_have(&busy->in, "\r\n\r\nok"));
	if (lab_told(lab, MSG_ASK, fresh->conn) != NULL) {
		say_no(fresh->conn, 503);
		UNTIL(fresh->eof);
	}
	visitor_close(idle, false);
	visitor_close(busy, false);
	visitor_say(ws, "still");
	UNTIL(bytes_have(&svc(2)->in, "still"));
	visitor_close(ws, false);
	visitor_close(fresh, true);
	UNTIL(svc(2)->fin);
	svc_fin(svc(2));
	client_kill(client);
	UNTIL(lab_count(lab, MSG_DRAINED) > 0);
}
END_TEST

START_TEST(show)
{
	uint8_t what = SHOW_STREAMS;
	struct visitor *v = visit();

	visitor_say(v, GET);
	UNTIL(client->n == 1);
	lab_down(lab, MSG_SHOW, 5, &what, 1, -1);
	UNTIL(lab_count(lab, MSG_ROW) == 2);
	what = SHOW_TUNNELS;
	lab_down(lab, MSG_SHOW, 6, &what, 1, -1);
	UNTIL(lab_count(lab, MSG_ROW) == 4);
}
END_TEST

static uint32_t
send_tunnel(int fd, uint8_t kind, const uint8_t *ticket)
{
	struct msg_conn c = { 0 };
	uint8_t space[100];
	struct buf b;

	addr_parse_listen(&c.peer, "192.0.2.9:1");
	addr_parse_listen(&c.local, "192.0.2.1:80");
	buf_write(&b, space, sizeof(space));
	msg_put_conn(&b, &c);
	buf_put_u8(&b, kind);
	buf_put_u8(&b, 0);
	buf_put_u16(&b, 0);
	if (ticket != NULL)
		buf_put(&b, ticket, TICKET_ID);
	lab_down(lab, MSG_TUNNEL, ++lab->last_conn, space, buf_used(&b), fd);
	return lab->last_conn;
}

/* Present a ticket as a client does; `bend`: break the proof. */
static uint32_t
attach(int fds[2], const uint8_t id[TICKET_ID], const uint8_t key[TICKET_KEY],
    bool bend, uint8_t nonce[TICKET_NONCE])
{
	struct preface p = { 1, 1, PREFACE_TICKET, 0, { 0 } };
	uint8_t bytes[PREFACE_MAX + TICKET_NONCE + TICKET_MAC], transport = 0;
	struct ticket_flight f = { .preface = bytes,
		.preface_len = PREFACE_MAX,
		.transport = &transport,
		.transport_len = 1,
		.client_nonce = nonce };

	memcpy(p.ticket, id, TICKET_ID);
	preface_make(bytes, &p);
	ticket_nonce(nonce);
	memcpy(bytes + PREFACE_MAX, nonce, TICKET_NONCE);
	ticket_client_mac(bytes + PREFACE_MAX + TICKET_NONCE, key, &f);
	bytes[sizeof(bytes) - 1] ^= bend;
	lab_tcp(fds);
	ck_assert_int_eq(write(fds[1], bytes, sizeof(bytes)), sizeof(bytes));
	return send_tunnel(fds[0], PREFACE_TICKET, id);
}

START_TEST(ticket)
{
	uint8_t root[TICKET_KEY], key[TICKET_KEY], nonce[TICKET_NONCE];
	uint8_t answer[TICKET_NONCE + TICKET_MAC], want = 3;
	uint8_t c2s[32], s2c[32], expected[TICKET_MAC], bytes[PREFACE_MAX];
	uint8_t transport = 0;
	struct preface p = { 1, 1, PREFACE_TICKET, 0, { 0 } };
	struct ticket_flight f = { .preface = bytes,
		.preface_len = PREFACE_MAX,
		.transport = &transport,
		.transport_len = 1,
		.client_nonce = nonce,
		.server_nonce = answer };
	struct client *second;
	struct visitor *v;
	uint32_t conn;
	int fds[2];

	memcpy(root, session_find(&lab->r, GEN)->root, sizeof(root));
	tunnel_control(client->t, FRAME_WANT, &want, 1);
	UNTIL(client->tickets == 3);
	UNTIL(lab_count(lab, MSG_TICKET) == 3);
	/* A good one. */
	ticket_next(root, key);
	conn = attach(fds, client->ticket[0], key, false, nonce);
	UNTIL(lab_told(lab, MSG_ATTACHED, conn) != NULL);
	UNTIL(recv(fds[1], answer, sizeof(answer), MSG_PEEK) == sizeof(answer));
	ck_assert_int_eq(read(fds[1], answer, sizeof(answer)), sizeof(answer));
	memcpy(p.ticket, client->ticket[0], TICKET_ID);
	preface_make(bytes, &p);
	ticket_server_mac(expected, key, &f);
	ck_assert_int_eq(ticket_mac_verify(answer + TICKET_NONCE, expected), 0);
	ticket_split(key, &f, c2s, s2c);
	second = client_over(lab, fds[1], RECORD_CHACHA20_POLY1305, c2s, s2c);
	settle();
	ck_assert_ptr_nonnull(second->t);
	ck_assert_ptr_nonnull(session_find(&lab->r, GEN)->links->next);
	/* It carries streams. */
	client_kill(client);
	client = second;
	settle();
	v = visit();
	visitor_say(v, GET);
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	/* Used twice. */
	conn = attach(fds, p.ticket, key, false, nonce);
	UNTIL(lab_closed(lab, conn) == END_GARBAGE);
	close(fds[1]);
}
END_TEST

START_TEST(bad_ticket)
{
	uint8_t root[TICKET_KEY], key[TICKET_KEY], nonce[TICKET_NONCE];
	uint8_t want = 20;
	struct session *s = session_find(&lab->r, GEN);
	uint32_t conn;
	int fds[2];

	memcpy(root, s->root, sizeof(root));
	tunnel_control(client->t, FRAME_WANT, &want, 1);
	UNTIL(client->tickets == SESSION_TICKETS);
	ticket_next(root, key);
	if (_i == 0) { /* wrong proof; the ticket is used up all the same */
		conn = attach(fds, client->ticket[0], key, true, nonce);
		UNTIL(lab_closed(lab, conn) == END_GARBAGE);
		close(fds[1]);
	} else if (_i == 1) { /* too late */
		for (size_t i = 0; i < SESSION_TICKETS; i++)
			s->tickets[i].until = turn_now(lab->r.turn);
		settle();
	} else { /* dead with its session */
		client_kill(client);
		UNTIL(session_find(&lab->r, GEN) == NULL);
	}
	conn = attach(fds, client->ticket[0], key, false, nonce);
	UNTIL(lab_closed(lab, conn) == END_GARBAGE);
	ck_assert_ptr_null(lab_told(lab, MSG_ATTACHED, conn));
	close(fds[1]);
}
END_TEST

static void
say_client(uint32_t conn)
{
	uint8_t space[64];
	struct buf b;

	buf_write(&b, space, sizeof(space));
	buf_put_u32(&b, 3);
	buf_put_u64(&b, 99);
	buf_put_cstr8(&b, "new");
	buf_put_u32(&b, 0);
	buf_put_u64(&b, 0);
	lab_down(lab, MSG_CLIENT, conn, space, buf_used(&b), -1);
}

/* A handshake is carried both ways, and becomes a session. */
START_TEST(handshake)
{
	uint8_t bytes[PREFACE_BASE], keys[97] = { RECORD_AES256_GCM },
				     space[64];
	struct preface p = { 1, 1, PREFACE_SESSION, 0, { 0 } };
	uint8_t blob[4] = { 0, 2, 'h', 'i' };
	struct client *c;
	uint32_t conn;
	int fds[2];

	memset(keys + 1, 7, 32);
	memset(keys + 33, 8, 32);
	preface_make(bytes, &p);
	lab_tcp(fds);
	conn = send_tunnel(fds[0], PREFACE_SESSION, NULL);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		ck_assert_int_eq(write(fds[1], bytes + i, 1), 1);
		settle();
	}
	UNTIL(lab_told(lab, MSG_HS_IN, conn) != NULL);
	ck_assert_mem_eq(lab_told(lab, MSG_HS_IN, conn)->p, bytes, 8);
	ck_assert_int_eq(write(fds[1], blob, 4), 4);
	UNTIL(lab_count(lab, MSG_HS_IN) == 2);
	ck_assert_mem_eq(lab_told(lab, MSG_HS_IN, conn)->p, "hi", 2);
	lab_down(lab, MSG_HS_OUT, conn, "yes", 3, -1);
	UNTIL(recv(fds[1], space, sizeof(space), MSG_PEEK) == 5);
	ck_assert_int_eq(read(fds[1], space, sizeof(space)), 5);
	ck_assert_mem_eq(space, "\0\3yes", 5);
	ck_assert_int_eq(write(fds[1], blob, 4), 4);
	UNTIL(lab_count(lab, MSG_HS_IN) == 3);
	if (_i == 1) { /* refused */
		lab_down(lab, MSG_HS_OUT, conn, "no", 2, -1);
		lab_down(lab, MSG_HS_FAIL, conn, "\1", 1, -1);
		UNTIL(lab_closed(lab, conn) == END_REFUSED);
		UNTIL(recv(fds[1], space, sizeof(space), MSG_PEEK) == 4);
		ck_assert_int_eq(read(fds[1], space, sizeof(space)), 4);
		UNTIL(read(fds[1], space, sizeof(space)) == 0);
		close(fds[1]);
		return;
	}
	say_client(conn);
	if (_i == 2) { /* the client goes before its keys come */
		close(fds[1]);
		lab_down(lab, MSG_HS_KEYS, conn, keys, sizeof(keys), -1);
		lab_down(lab, MSG_HS_OUT, conn, "ok", 2, -1);
		UNTIL(lab_closed(lab, conn) != -1);
		UNTIL(session_find(&lab->r, 99) == NULL);
		return;
	}
	if (_i == 3) { /* it is kicked before */
		uint8_t go[11] = { 0, 0, 0, 0, 0, 0, 0, 99, 4, 0 };

		lab_down(lab, MSG_KICK, 0, go, 10, -1);
	}
	lab_down(lab, MSG_HS_KEYS, conn, keys, sizeof(keys), -1);
	lab_down(lab, MSG_HS_OUT, conn, "ok", 2, -1);
	if (_i == 3) {
		UNTIL(lab_closed(lab, conn) == END_REFUSED);
		ck_assert_ptr_null(session_find(&lab->r, 99));
		close(fds[1]);
		return;
	}
	UNTIL(recv(fds[1], space, 4, MSG_PEEK) == 4);
	ck_assert_int_eq(read(fds[1], space, 4), 4);
	c = client_over(lab, fds[1], RECORD_AES256_GCM, keys + 33, keys + 1);
	settle();
	ck_assert_ptr_nonnull(c->t);
	ck_assert_ptr_nonnull(session_find(&lab->r, 99));
	ck_assert_int_eq(lab_closed(lab, conn), -1);
}
END_TEST

START_TEST(slow_handshake)
{
	struct msg_relay_conf conf = lab->r.conf;
	uint32_t conn;
	int fds[2];

	conf.handshake_ms = 300;
	lab_conf(lab, &conf);
	lab_tcp(fds);
	conn = send_tunnel(fds[0], PREFACE_SESSION, NULL);
	UNTIL(lab_closed(lab, conn) == END_TIMEOUT);
	close(fds[1]);
}
END_TEST

/* Very many users of one client that dies: each end is told of. */
START_TEST(many_die)
{
	enum { N = 900 };
	size_t closed = 0;

	for (size_t i = 0; i < N; i++) {
		visitor_say(visit(), GET);
		lab_turn(lab);
	}
	UNTIL(client->n == N);
	client_kill(client);
	while (closed < N) {
		lab_turn(lab);
		for (struct visitor *v = lab->visitors; v != NULL; v = v->next)
			if (v->eof || v->reset)
				visitor_close(v, false);
		closed = 0;
		for (struct visitor *v = lab->visitors; v != NULL; v = v->next)
			closed += lab_closed(lab, v->conn) != -1;
	}
	ck_assert_uint_eq(lab->r.conns.count, 0);
}
END_TEST

/* Users come and go in every state; nothing is left of them. */
START_TEST(storm)
{
	unsigned seed = (unsigned)_i;

	for (int round = 0; round < 300; round++) {
		struct visitor *v = lab->visitors;
		unsigned dice = (unsigned)rand_r(&seed);

		switch (dice % 8) {
		case 0:
		case 1:
			if (client->n < LAB_SERVICES - 10)
				visitor_say(visit(), GET GET_B UPGRADE);
			break;
		case 2:
			for (; v != NULL; v = v->next) {
				if (rand_r(&seed) % 4 == 0)
					visitor_close(v, rand_r(&seed) % 2);
			}
			break;
		case 3:
			for (size_t i = 0; i < client->n; i++) {
				if (svc(i)->s != NULL && rand_r(&seed) % 3 == 0)
					svc_say(svc(i), OK2);
			}
			break;
		case 4:
			for (size_t i = 0; i < client->n; i++) {
				if (svc(i)->s != NULL && rand_r(&seed) % 9 == 0)
					svc_reset(svc(i), RESET_REFUSED);
			}
			break;
		case 5:
			for (; v != NULL; v = v->next) {
				if (lab_told(lab, MSG_ASK, v->conn) == NULL ||
				    rand_r(&seed) % 2 == 0)
					continue;
				if (rand_r(&seed) % 3 == 0)
					say_fd(v->conn, GEN);
				else
					say_same(v->conn, GEN, 2);
			}
			break;
		case 6:
			for (; v != NULL; v = v->next) {
				if (v->fd != -1 && rand_r(&seed) % 4 == 0)
					visitor_shut(v);
			}
			break;
		default:
			if (dice / 8 % 6 == 0) {
				client_kill(client);
				lab_turn(lab);
				while (session_find(&lab->r, GEN) != NULL)
					lab_turn(lab);
				client = client_new(
				    lab, GEN, RECORD_CHACHA20_POLY1305, 0);
			}
		}
		lab_turn(lab);
	}
	ck_assert(!lab->broken);
	for (struct visitor *v = lab->visitors; v != NULL; v = v->next)
		visitor_close(v, true);
	client_kill(client);
	/* A master answers every question. */
	for (size_t k = 0; lab->r.conns.count > 0 || k < lab->ntold; k++) {
		if (k < lab->ntold && lab->told[k].type == MSG_ASK)
			say_no(lab->told[k].id, 503);
		UNTIL(k + 1 < lab->ntold || lab->r.conns.count == 0);
	}
	ck_assert_uint_eq(lab->r.asks, 0);
	ck_assert_ptr_null(lab->r.ask_queue);
	ck_assert_uint_eq(lab->r.waiting, 0);
	ck_assert_ptr_null(lab->r.sessions);
}
END_TEST

static void
add(TCase *t)
{
	tcase_add_test(t, session_dies);
	tcase_add_loop_test(t, unanswered, 0, 4);
	tcase_add_test(t, client_leaves);
	tcase_add_test(t, client_leaves_idle);
	tcase_add_test(t, one_of_two_dies);
	tcase_add_test(t, streams_limit);
	tcase_add_loop_test(t, kick, 0, 2);
	tcase_add_test(t, probe);
	tcase_add_test(t, drain);
	tcase_add_test(t, fewer_tunnels);
	tcase_add_test(t, directory);
	tcase_add_test(t, show);
	tcase_add_test(t, ticket);
	tcase_add_loop_test(t, bad_ticket, 0, 3);
	tcase_add_loop_test(t, handshake, 0, 4);
	tcase_add_test(t, slow_handshake);
	tcase_add_test(t, many_die);
	tcase_add_loop_test(t, storm, 0, 8);
}

int
main(void)
{
	return run_case("relay_session", add);
}
