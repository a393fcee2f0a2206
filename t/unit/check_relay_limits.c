/* The relay: speed limits, and its bounds of descriptors and grants. */
#include <sys/ioctl.h>

#include <linux/sockios.h>

#include "common/tunnel/services.h"
#include "t/unit/relay_case.h"
#include "worker/relay/offer.h"
#include "worker/relay/upstream.h"

#define BODY 60000u
#define SPEED 200000u /* so that BODY takes 0.2 s behind the first burst */
#define LEAST_MS 180

/* MSG_LIMITS: so many bytes per second. */
static void
say_speed(uint64_t speed)
{
	uint8_t space[21];
	struct buf b;

	buf_write(&b, space, sizeof(space));
	buf_put_u64(&b, GEN);
	buf_put_u32(&b, 0);
	buf_put_u64(&b, speed);
	buf_put_u8(&b, 255); /* tunnels */
	lab_down(lab, MSG_LIMITS, 0, space, sizeof(space), -1);
	settle();
}

/* Another number each time. */
static uint32_t
next_serial(void)
{
	return session_find(&lab->r, GEN)->services.serial + 1000;
}

/* The client offers service 7 with these limits. */
static void
offer(uint32_t streams, uint64_t speed)
{
	struct service sv = { .index = 7,
		.kind = SERVICE_HTTP,
		.streams = streams,
		.speed = speed };
	struct services list = {
		.serial = next_serial(), .count = 1, .list = &sv
	};
	uint8_t space[1024];
	struct buf b;

	buf_write(&b, space, sizeof(space));
	ck_assert_int_eq(services_put(&b, &list), 0);
	tunnel_control(client->t, FRAME_SERVICES, space, buf_used(&b));
	UNTIL(session_find(&lab->r, GEN)->services.serial == list.serial);
}

/* A visitor that has asked service i, whose answer's head has been given. */
static struct visitor *
ask(size_t i, const char *head)
{
	struct visitor *v = visit();

	visitor_say(v, GET);
	UNTIL(client->n == i + 1 && bytes_have(&svc(i)->in, "\r\n\r\n"));
	svc_say(svc(i), head);
	return v;
}

/* One more question of the first visitor, which its service has. */
static void
ask_again(struct visitor *v)
{
	bytes_clear(&svc(0)->in);
	visitor_say(v, GET);
	UNTIL(bytes_have(&svc(0)->in, "\r\n\r\n"));
}

static void
say_body(size_t i)
{
	fill(&svc(i)->out, BODY);
	svc_pump(svc(i));
}

#define HEAD_CLOSE "HTTP/1.1 200 OK\r\n\r\n"
#define HEAD_LENGTH "HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"

static void
check_body(const struct visitor *v, const char *head)
{
	struct bytes want = { 0 };

	fill(&want, BODY);
	ck_assert_uint_eq(v->in.n, strlen(head) + BODY);
	ck_assert_int_eq(memcmp(v->in.p + strlen(head), want.p, BODY), 0);
	free(want.p);
}

START_TEST(download_keeps_the_speed)
{
	struct visitor *v;
	uint64_t start;

	/* The client's speed, its service's, or both. */
	if (_i != 1)
		say_speed(SPEED);
	if (_i != 0)
		offer(0, _i == 1 ? SPEED : 10 * SPEED);
	start = clock_ms();
	v = ask(0, HEAD_LENGTH);
	say_body(0);
	UNTIL(v->in.n == strlen(HEAD_LENGTH) + BODY);
	ck_assert_uint_ge(clock_ms() - start, LEAST_MS);
	check_body(v, HEAD_LENGTH);
	/* Its window is granted anew, and what is counted is what passed. */
	ck_assert_uint_eq(lab->r.counters->clients[1][COUNTER_DOWN],
	    strlen(HEAD_LENGTH) + BODY);
	ask_again(v);
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&v->in, "\r\n\r\nok"));
}
END_TEST

START_TEST(upload_keeps_the_speed)
{
	const char *ask_ = "PUT / HTTP/1.1\r\nHost: a.test\r\n"
			   "Content-Length: 60000\r\n\r\n";
	struct visitor *v = visit();
	uint64_t start = clock_ms();
	struct bytes want = { 0 };

	if (_i == 0)
		say_speed(SPEED);
	else
		offer(0, SPEED);
	visitor_say(v, ask_);
	fill(&v->out, BODY);
	fill(&want, BODY);
	UNTIL(client->n == 1 && svc(0)->in.n > BODY);
	ck_assert_uint_ge(clock_ms() - start, LEAST_MS);
	UNTIL(memcmp(svc(0)->in.p + svc(0)->in.n - BODY, want.p, BODY) == 0);
	svc_say(svc(0), OK2);
	UNTIL(bytes_have(&v->in, "\r\n\r\nok"));
	free(want.p);
}
END_TEST

/*
 * Until the relay has all that it was sent: with a peer that dies goes what
 * its kernel has not passed on.
 */
static void
client_arrived(const struct client *c)
{
	int left = 1;

	UNTIL(tunnel_flushed(c->t) &&
	    ioctl(tunnel_fd(c->t), SIOCOUTQ, &left) == 0 && left == 0);
	lab_turn(lab);
}

/* An end comes behind all that came before it. */
START_TEST(ends_come_last)
{
	struct visitor *v;

	say_speed(SPEED);
	v = ask(0, HEAD_CLOSE);
	say_body(0);
	UNTIL(svc(0)->out_at == svc(0)->out.n);
	switch (_i) {
	case 0:
		svc_fin(svc(0));
		UNTIL(v->eof);
		ck_assert(!v->reset);
		break;
	case 1:
		svc_reset(svc(0), RESET_ABORT);
		UNTIL(v->reset);
		break;
	default:
		client_arrived(client);
		client_kill(client);
		UNTIL(v->reset);
	}
	check_body(v, HEAD_CLOSE);
}
END_TEST

/* All kinds of ends while something is held: nothing of it stays. */
START_TEST(ends_while_held)
{
	struct visitor *v;

	say_speed(1000);
	v = ask(0, HEAD_CLOSE);
	say_body(0);
	UNTIL(v->in.n > strlen(HEAD_CLOSE));
	switch (_i) {
	case 0:
		visitor_close(v, true);
		break;
	case 1:
		svc_reset(svc(0), RESET_LIMIT); /* memory: at once */
		break;
	case 2:
		client_kill(client);
		visitor_close(v, true);
		break;
	default:
		svc_fin(svc(0));
		settle();
		visitor_close(v, true);
	}
	UNTIL(lab_closed(lab, v->conn) != -1);
	UNTIL(lab->r.conns.count == (client->t != NULL ? 1 : 0));
}
END_TEST

START_TEST(another_speed_holds_at_once)
{
	struct visitor *v;
	uint64_t start = clock_ms();

	say_speed(1000);
	v = ask(0, HEAD_LENGTH);
	say_body(0);
	lab_wait(lab, 100);
	ck_assert_uint_lt(v->in.n, 2000 + (clock_ms() - start));
	say_speed(_i == 0 ? 0 : 10 * BODY);
	/* With the first it would be a minute. */
	UNTIL(v->in.n == strlen(HEAD_LENGTH) + BODY);
	ck_assert_uint_lt(clock_ms() - start, 30000);
	check_body(v, HEAD_LENGTH);
}
END_TEST

/* Many of a service with a limit, below one of their client: none starves. */
START_TEST(two_limits_and_many_users)
{
	struct visitor *v[6];

	say_speed(2 * SPEED);
	offer(0, 2 * SPEED);
	for (size_t i = 0; i < 6; i++) {
		v[i] = ask(i, HEAD_LENGTH);
		say_body(i);
	}
	for (size_t i = 0; i < 6; i++)
		UNTIL(v[i]->in.n == strlen(HEAD_LENGTH) + BODY);
}
END_TEST

START_TEST(streams_of_a_service)
{
	struct visitor *v;

	offer(1, 0);
	ask(0, OK2);
	v = visit();
	visitor_say(v, GET);
	UNTIL(bytes_have(&v->in, "HTTP/1.1 503 "));
	offer(2, 0);
	v = ask(1, OK2);
	UNTIL(bytes_have(&v->in, "\r\n\r\nok"));
}
END_TEST

/* What other relays have moved is taken out of the same bucket. */
START_TEST(others_count_too)
{
	const struct counters *other, *first;
	struct counters *there;
	struct visitor *v;
	uint64_t start;
	int fd, shared;

	ck_assert_ptr_nonnull(other = counters_new(&fd));
	shared = counters_share(fd);
	there = counters_map(fd);
	counter_add(&there->clients[1][COUNTER_DOWN], 1 << 30);
	lab_down(lab, MSG_PEER, 5, NULL, 0, shared);
	settle();
	first = lab->r.peers[5];
	ck_assert_ptr_nonnull(first);
	/* What it had moved before does not count, */
	say_speed(10 * BODY);
	v = ask(0, HEAD_LENGTH);
	say_body(0);
	UNTIL(v->in.n == strlen(HEAD_LENGTH) + BODY);
	/* what it moves from now on does: a second's worth at most. */
	bytes_clear(&v->in);
	ask_again(v);
	start = clock_ms();
	counter_add(&there->clients[1][COUNTER_DOWN], 1 << 30);
	svc_say(svc(0), OK2);
	UNTIL(v->in.n > 0);
	ck_assert_uint_ge(clock_ms() - start, 900);
	UNTIL(bytes_have(&v->in, "\r\n\r\nok"));
	counters_free(there);
	counters_free(other);
}
END_TEST

START_TEST(peer_out_of_bounds)
{
	int fd;
	const struct counters *c = counters_new(&fd);

	lab_down(lab, MSG_PEER, RELAY_PEERS, NULL, 0, fd);
	UNTIL(lab->broken);
	lab->broken = false;
	counters_free(c);
}
END_TEST

START_TEST(full_and_room)
{
	struct visitor *v[8];

	lab->r.nofile = 28; /* a quarter, RELAY_FD_OWN, 1 + 4 */
	for (size_t i = 0; i < 8; i++) {
		v[i] = visit();
		settle();
		ck_assert_uint_eq(lab_count(lab, MSG_FULL), i >= 3);
	}
	visitor_close(v[0], true);
	UNTIL(lab_closed(lab, v[0]->conn) != -1);
	lab_wait(lab, 250);
	ck_assert_uint_eq(lab_count(lab, MSG_ROOM), 0);
	/* Twice the reserve must be free. */
	lab->r.nofile = 44; /* half, RELAY_FD_OWN, 1 + 5 */
	for (size_t i = 1; i < 4; i++)
		visitor_close(v[i], true);
	UNTIL(lab_count(lab, MSG_ROOM) == 1);
	ck_assert_uint_eq(lab_count(lab, MSG_FULL), 1);
}
END_TEST

/* Bytes too many for a frame: the client is told that something is wrong. */
START_TEST(grants_that_fit_no_frame)
{
	static uint8_t space[8 + FRAME_PAYLOAD_MAX + 1];
	struct buf b;

	buf_write(&b, space, sizeof(space));
	buf_put_u64(&b, GEN);
	lab_down(lab, MSG_GRANTED, 0, space,
	    sizeof(space) - (_i == 0 ? 1u : 0u), -1);
	if (_i == 0) {
		lab_wait(lab, 50);
		ck_assert_int_eq(client->goaway, 0);
	} else {
		UNTIL(client->goaway == GOAWAY_ABUSE);
	}
}
END_TEST

/*
 * One who downloads all that goes: how much of it reaches him while another
 * waits for an answer over the same tunnel.
 */
START_TEST(bulk_leaves_others_room)
{
	struct visitor *bulk, *other;
	size_t before, most = 0;

	bulk = ask(0, HEAD_CLOSE);
	other = ask(1, OK2);
	UNTIL(bytes_have(&other->in, "\r\n\r\nok"));
	fill(&svc(0)->out, 64u << 20);
	svc_pump(svc(0));
	while (bulk->in.n < (48u << 20)) {
		size_t n;

		/* Until it is in full flow. */
		for (n = bulk->in.n; bulk->in.n < n + (2u << 20);)
			lab_turn(lab);
		bytes_clear(&other->in);
		before = bulk->in.n;
		visitor_say(other, GET);
		svc(1)->in.n = 0;
		UNTIL(svc(1)->in.n > 0);
		svc_say(svc(1), OK2);
		UNTIL(bytes_have(&other->in, "\r\n\r\nok"));
		if (bulk->in.n - before > most)
			most = bulk->in.n - before;
	}
	/* What may lie in the kernel for the tunnel, and a few turns. */
	ck_assert_uint_lt(most, 4u << 20);
}
END_TEST

/* The same for one who uploads. */
START_TEST(upload_leaves_others_room)
{
	struct visitor *bulk = visit(), *other;
	size_t before, most = 0;

	visitor_say(bulk,
	    "PUT / HTTP/1.1\r\nHost: a.test\r\n"
	    "Content-Length: 67108864\r\n\r\n");
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	other = ask(1, OK2);
	UNTIL(bytes_have(&other->in, "\r\n\r\nok"));
	fill(&bulk->out, 64u << 20);
	while (svc(0)->in.n < (48u << 20)) {
		size_t n;

		for (n = svc(0)->in.n; svc(0)->in.n < n + (2u << 20);)
			lab_turn(lab);
		bytes_clear(&other->in);
		before = svc(0)->in.n;
		visitor_say(other, GET);
		svc(1)->in.n = 0;
		UNTIL(svc(1)->in.n > 0);
		svc_say(svc(1), OK2);
		UNTIL(bytes_have(&other->in, "\r\n\r\nok"));
		if (svc(0)->in.n - before > most)
			most = svc(0)->in.n - before;
	}
	ck_assert_uint_lt(most, 4u << 20);
}
END_TEST

/* Whatever is done to users under a limit: nothing is lost but them. */
START_TEST(storm)
{
	static const uint64_t speeds[] = { 0, 1000, 50000, 1000000 };
	unsigned seed = (unsigned)_i;
	struct visitor *v[12] = { NULL };

	for (int round = 0; round < 400; round++) {
		size_t i = (size_t)rand_r(&seed) % 12;

		switch (rand_r(&seed) % 8) {
		case 0:
			say_speed(speeds[rand_r(&seed) % 4]);
			break;
		case 1:
			if (client->t != NULL && rand_r(&seed) % 4 == 0)
				offer(0, speeds[rand_r(&seed) % 4]);
			break;
		case 2:
			if (v[i] != NULL)
				visitor_close(v[i], rand_r(&seed) % 2);
			v[i] = NULL;
			break;
		case 3:
			if (v[i] != NULL)
				visitor_shut(v[i]);
			break;
		case 4:
			if (rand_r(&seed) % 20 != 0)
				break;
			client_kill(client);
			while (session_find(&lab->r, GEN) != NULL)
				lab_turn(lab);
			client =
			    client_new(lab, GEN, RECORD_CHACHA20_POLY1305, 0);
			break;
		case 5:
			if (client->n == 0)
				break;
			i = (size_t)rand_r(&seed) % client->n;
			if (svc(i)->s != NULL && rand_r(&seed) % 2 == 0)
				svc_reset(svc(i), RESET_ABORT);
			else if (svc(i)->s != NULL)
				svc_fin(svc(i));
			break;
		default:
			if (v[i] == NULL)
				v[i] = visit();
			visitor_say(v[i], GET);
			for (size_t k = 0; k < client->n; k++) {
				if (svc(k)->s == NULL || svc(k)->out_fin)
					continue;
				svc_say(svc(k), HEAD_LENGTH);
				say_body(k);
			}
		}
		lab_turn(lab);
	}
	ck_assert(!lab->broken);
	for (struct visitor *u = lab->visitors; u != NULL; u = u->next)
		visitor_close(u, true);
	client_kill(client);
	for (size_t k = 0; lab->r.conns.count > 0 || k < lab->ntold; k++) {
		if (k < lab->ntold && lab->told[k].type == MSG_ASK)
			say_no(lab->told[k].id, 503);
		UNTIL(k + 1 < lab->ntold || lab->r.conns.count == 0);
	}
	ck_assert_uint_eq(lab->r.quotas.count, 0);
	ck_assert_uint_eq(lab->r.budget.used, 0);
	ck_assert_ptr_null(lab->r.budget.children);
}
END_TEST

static void
add(TCase *t)
{
	tcase_add_loop_test(t, download_keeps_the_speed, 0, 3);
	tcase_add_loop_test(t, upload_keeps_the_speed, 0, 2);
	tcase_add_loop_test(t, ends_come_last, 0, 3);
	tcase_add_loop_test(t, ends_while_held, 0, 4);
	tcase_add_loop_test(t, another_speed_holds_at_once, 0, 2);
	tcase_add_test(t, two_limits_and_many_users);
	tcase_add_test(t, streams_of_a_service);
	tcase_add_test(t, others_count_too);
	tcase_add_test(t, peer_out_of_bounds);
	tcase_add_test(t, full_and_room);
	tcase_add_loop_test(t, grants_that_fit_no_frame, 0, 2);
	tcase_add_test(t, bulk_leaves_others_room);
	tcase_add_test(t, upload_leaves_others_room);
	tcase_add_loop_test(t, storm, 0, 6);
}

int
main(void)
{
	return run_case("relay_limits", add);
}
