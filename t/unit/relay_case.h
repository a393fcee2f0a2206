/*
 * What the tests of the relay share: a lab with one client for each test, and
 * what its master, users and services say most.
 */
#ifndef RELAY_CASE_H
#define RELAY_CASE_H

#include <check.h>
#include <stdio.h>

#include "t/unit/relay_lab.h"

#define GEN UINT64_C(41)
#define OTHER_GEN UINT64_C(42)

/* Turn until it holds. */
#define UNTIL(cond)                                             \
	do {                                                    \
		time_t since_ = 0;                              \
		while (!(cond)) {                               \
			lab_turn(lab);                          \
			if (lab_late(&since_))                  \
				ck_abort_msg("not: %s", #cond); \
		}                                               \
	} while (0)

static struct lab *lab;
static struct client *client;

/*
 * Time for what is under way, so that what must not happen would. What comes
 * over TCP need not be there yet: see UNTIL(). What the master has said is.
 */
static inline void
settle(void)
{
	for (int i = 0; i < 4; i++)
		lab_turn(lab);
}

static inline void
setup(void)
{
	lab = lab_new();
	settle();
	client = client_new(lab, GEN, RECORD_CHACHA20_POLY1305, 0);
}

static inline void
teardown(void)
{
	ck_assert(!lab->broken);
	lab_free(lab);
	lab = NULL;
}

static inline struct visitor *
visit(void)
{
	return visitor_new(lab, GEN, "a.test");
}

static inline struct svc *
svc(size_t i)
{
	ck_assert_uint_lt(i, client->n);
	return client->svc[i];
}

#define GET "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
#define OK2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* n bytes that tell where they are. */
static inline void
fill(struct bytes *b, size_t n)
{
	uint8_t space[4099];
	size_t len;

	for (size_t i = 0; i < sizeof(space); i++)
		space[i] = (uint8_t)(i * 7 % 251);
	for (; n > 0; n -= len) {
		len = n < sizeof(space) ? n : sizeof(space);
		bytes_add(b, space, len);
	}
}

#define BIG (6u << 20)

static inline struct user *
user_of(const struct visitor *v)
{
	return idmap_get(&lab->r.conns, v->conn);
}

#define UPGRADE                                                   \
	"GET /ws HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade" \
	"\r\nUpgrade: websocket\r\n\r\n"
#define SWITCH                                                        \
	"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n" \
	"Upgrade: websocket\r\n\r\n"

static inline struct visitor *
upgraded(void)
{
	struct visitor *v = visit();

	visitor_say(v, UPGRADE "first");
	UNTIL(client->n == 1 && bytes_have(&svc(0)->in, "\r\n\r\n"));
	settle();
	ck_assert(!bytes_have(&svc(0)->in, "first")); /* held */
	svc_say(svc(0), SWITCH "hello");
	UNTIL(bytes_have(&svc(0)->in, "\r\n\r\nfirst"));
	UNTIL(bytes_have(&v->in, "\r\n\r\nhello"));
	return v;
}

#define GET_B "GET /b HTTP/1.1\r\nHost: b.test\r\n\r\n"

static inline void
say_same(uint32_t conn, uint64_t generation, uint16_t service)
{
	uint8_t space[10];
	struct buf b;

	buf_write(&b, space, sizeof(space));
	buf_put_u64(&b, generation);
	buf_put_u16(&b, service);
	lab_down(lab, MSG_ASK_SAME, conn, space, sizeof(space), -1);
}

static inline void
say_no(uint32_t conn, uint16_t status)
{
	uint8_t space[2] = { (uint8_t)(status >> 8), (uint8_t)status };

	lab_down(lab, MSG_ASK_NO, conn, space, sizeof(space), -1);
}

/* The master gives one end to this user and the other as a new user. */
static inline uint32_t
say_fd(uint32_t conn, uint64_t generation)
{
	int fds[2];

	ck_assert_int_eq(
	    socketpair(
		AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
	    0);
	lab_down(lab, MSG_ASK_FD, conn, NULL, 0, fds[0]);
	lab_user(lab, ++lab->last_conn, fds[1], generation, true, "b.test");
	return lab->last_conn;
}

/* Run the tests of one file: they are added to the only case of the suite. */
static inline int
run_case(const char *name, void (*add)(TCase *))
{
	Suite *s = suite_create(name);
	TCase *t = tcase_create(name);
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	add(t);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}

#endif
