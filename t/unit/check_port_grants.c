/* Which session gets which public ports. */
#include <arpa/inet.h>
#include <check.h>
#include <event2/event.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/net/listen.h"
#include "master/port_grants.h"
#include "master/port_rivals.h"
#include "master/ports.h"
#include "master/worker.h"

#define BLOCK 21 /* ports that the tests use */

static struct master m;
static struct worker relay;
static struct port_rule rules[2];
static uint8_t instance[LOGIN_INSTANCE];
static uint16_t first_port; /* of the BLOCK */

/* For a test that binds it itself, and for the ports that are tested. */
static bool
is_free(uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	struct addr any = { .family = ADDR_ANY, .port = port };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool good = bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0;
	char why[LISTEN_WHY];

	close(fd);
	if (!good || (fd = listen_open(&any, false, why)) == -1)
		return false;
	close(fd);
	return true;
}

/* Ports in a row that nobody on this machine has. */
static void
find_block(void)
{
	uint16_t n = 0;

	first_port = (uint16_t)(10000 + getpid() % 500 * 40);
	while (n < BLOCK) {
		if (is_free((uint16_t)(first_port + n))) {
			n++;
		} else {
			first_port = (uint16_t)(first_port + n + 1);
			n = 0;
		}
	}
}

static void
setup(void)
{
	ck_assert_int_ne(sodium_init(), -1);
	log_set_level(LOG_LEVEL_DISABLE);
	memset(&m, 0, sizeof(m));
	memset(&relay, 0, sizeof(relay));
	memset(rules, 0, sizeof(rules));
	relay.state = WORKER_READY;
	find_block();
	m.base = event_base_new();
	m.nofile = 400;
	m.clients = clients_new();
	m.sessions = sessions_new();
	m.routes = routes_new();
	m.ports = ports_new(&m);
	rules[0].first = first_port;
	rules[0].last = first_port + 9;
	rules[0].number = 4;
	m.conf.limits.tcp.v = rules;
	m.conf.limits.tcp.n = 1;
}

static void
teardown(void)
{
	ports_free(m.ports);
	clients_free(m.clients, m.sessions, m.routes);
	sessions_free(m.sessions);
	routes_free(m.routes);
	event_base_free(m.base);
}

static struct session *
session(const char *id)
{
	struct session *s = sessions_add(
	    m.sessions, clients_get(m.clients, id), instance, &relay);

	ck_assert_ptr_nonnull(s);
	s->state = SESSION_LIVE;
	return s;
}

/* Ask for a service more: ports first to last, with these flags. */
static void
ask(struct session *s, uint16_t first, uint16_t last, uint8_t flags)
{
	struct services *o = &s->offer;
	struct service *sv;

	o->list = realloc(o->list, (o->count + 1u) * sizeof(*o->list));
	ck_assert_ptr_nonnull(o->list);
	sv = &o->list[o->count];
	memset(sv, 0, sizeof(*sv));
	sv->index = o->count++;
	sv->kind = SERVICE_TCP;
	sv->flags = flags;
	sv->port = first;
	sv->port_last = last;
}

static void
forget(struct session *s)
{
	services_free(&s->offer);
}

/* The answer's rows. */
static size_t
grant(struct session *s, enum grant rest, struct granted *rows)
{
	static uint8_t space[65536];
	struct buf b, in;
	size_t n = 0;

	buf_write(&b, space, sizeof(space));
	port_grants_make(&m, s, rest, &b);
	buf_read(&in, space, buf_used(&b));
	while (buf_left(&in) > 0)
		ck_assert_int_eq(granted_get(&in, &rows[n++]), 0);
	ck_assert_uint_eq(n, port_grants_count(s));
	return n;
}

static struct session *
holder(uint16_t number)
{
	struct port *p = ports_find(m.ports, GRANT_WAY_TCP, number);

	return p == NULL ? NULL : p->session;
}

START_TEST(granted_kept_and_closed)
{
	struct session *s = session("a");
	struct granted g[8];

	ask(s, first_port, first_port, 0);
	ask(s, first_port + 1, first_port + 2, 0);
	for (int i = 0; i < 2; i++) { /* repeated: the same answer */
		ck_assert_uint_eq(grant(s, GRANT_OK, g), 2);
		ck_assert_int_eq(g[0].code, GRANT_OK);
		ck_assert_int_eq(g[0].way, GRANT_WAY_TCP);
		ck_assert_uint_eq(g[0].opened, first_port);
		ck_assert_int_eq(g[1].code, GRANT_OK);
		ck_assert_uint_eq(g[1].opened, first_port + 1);
		ck_assert_uint_eq(ports_count(m.ports), 3);
	}
	/* What is not asked for any more is closed. */
	forget(s);
	ask(s, first_port + 1, first_port + 2, 0);
	grant(s, GRANT_OK, g);
	ck_assert_uint_eq(ports_count(m.ports), 2);
	forget(s);
	ck_assert_uint_eq(grant(s, GRANT_OK, g), 0);
	ck_assert_uint_eq(ports_count(m.ports), 0);
}
END_TEST

START_TEST(refused)
{
	struct session *s = session("a"), *other = session("b");
	struct granted g[8];

	ask(other, first_port + 3, first_port + 3, 0);
	grant(other, GRANT_OK, g);
	ask(s, first_port + 10, first_port + 10, 0); /* no rule */
	ask(s, first_port, first_port + 4, 0);	     /* too many, and taken */
	ask(s, first_port + 2, first_port + 3, 0);   /* taken */
	ask(s, first_port + 5, first_port + 5, 0);
	ask(s, first_port + 5, first_port + 5, 0); /* the same again */
	ask(s, first_port + 6, first_port + 6, 0);
	s->offer.list[5].kind = SERVICE_HTTP; /* they come by name */
	ck_assert_uint_eq(grant(s, GRANT_OK, g), 6);
	ck_assert_int_eq(g[0].code, GRANT_PORT_RULE);
	ck_assert_int_eq(g[1].code, GRANT_PORT_TAKEN);
	ck_assert_int_eq(g[2].code, GRANT_PORT_TAKEN);
	ck_assert_int_eq(g[3].code, GRANT_OK);
	ck_assert_int_eq(g[4].code, GRANT_PORT_TAKEN);
	ck_assert_int_eq(g[5].code, GRANT_UNSUPPORTED);
	/* Nothing is left of ranges that were refused, nor of their count. */
	ck_assert_uint_eq(ports_count(m.ports), 2);
	ck_assert(port_rivals_conflict(&m, s));
	forget(s);
	for (uint16_t i = 4; i < 9; i++)
		ask(s, first_port + i, first_port + i, 0);
	grant(s, GRANT_OK, g);
	ck_assert_int_eq(g[3].code, GRANT_OK);
	ck_assert_int_eq(g[4].code, GRANT_PORT_NUMBER);
	ck_assert(!port_rivals_conflict(&m, s));
}
END_TEST

/* A list holds as a whole: only what it has already stays. */
START_TEST(rolled_back)
{
	struct session *s = session("a"), *other = session("b");
	struct granted g[8];

	ask(other, first_port + 9, first_port + 9, 0);
	grant(other, GRANT_OK, g);
	ask(s, first_port, first_port, 0);
	ask(s, 0, 0, SERVICE_RANDOM);
	grant(s, GRANT_OK, g);
	ask(s, first_port + 2, first_port + 2, 0);
	ask(s, first_port + 9, first_port + 9, 0);
	ask(s, first_port + 20, first_port + 20, 0);
	ask(s, 0, 0, SERVICE_RANDOM);
	grant(s, GRANT_ROLLED_BACK, g);
	ck_assert_int_eq(g[0].code, GRANT_OK);
	ck_assert_int_eq(g[1].code, GRANT_OK);
	ck_assert_int_eq(g[2].code, GRANT_ROLLED_BACK);
	ck_assert_int_eq(g[3].code, GRANT_PORT_TAKEN);
	ck_assert_int_eq(g[4].code, GRANT_PORT_RULE);
	ck_assert_int_eq(g[5].code, GRANT_ROLLED_BACK);
}
END_TEST

START_TEST(random_ports)
{
	struct session *s = session("a");
	struct granted g[8];

	ask(s, first_port + 1, first_port + 1, 0);
	ask(s, 0, 0, SERVICE_RANDOM);
	ask(s, 0, 0, SERVICE_RANDOM);
	ask(s, first_port + 8, first_port + 8, SERVICE_RANDOM);
	ask(s, first_port + 9, first_port + 9, SERVICE_RANDOM);
	for (int i = 0; i < 2; i++) {
		grant(s, GRANT_OK, g);
		ck_assert_uint_eq(g[1].opened, first_port);
		ck_assert_uint_eq(g[2].opened, first_port + 2);
		ck_assert_uint_eq(g[3].opened, first_port + 8);
		ck_assert_int_eq(g[4].code, GRANT_PORT_NUMBER);
	}
	/* They stay although a lower one is free by now. */
	s->offer.list[0].flags = 0;
	s->offer.list[0].port = s->offer.list[0].port_last = 0;
	ck_assert_uint_eq(grant(s, GRANT_OK, g), 4);
	ck_assert_uint_eq(g[0].opened, first_port);
	ck_assert_uint_eq(g[1].opened, first_port + 2);
	ck_assert_uint_eq(g[2].opened, first_port + 8);
	ck_assert_uint_eq(g[3].opened, first_port + 9);
}
END_TEST

static unsigned nrivals;

static void
count_rival(void *arg, struct session *rival)
{
	(void)arg;
	(void)rival;
	nrivals++;
}

/* Taken over from a session of the same client that is lost or leaves. */
START_TEST(taken_over)
{
	struct session *s = session("a"), *next = session("a");
	struct worker old = { .state = WORKER_DRAINING };
	struct granted g[8];

	ask(s, first_port, first_port, 0);
	ask(s, 0, 0, SERVICE_RANDOM);
	grant(s, GRANT_OK, g);
	ask(next, first_port, first_port, 0);
	ask(next, 0, 0, SERVICE_RANDOM);
	nrivals = 0;
	port_rivals_each(&m, next, count_rival, NULL);
	ck_assert_uint_eq(nrivals, 1);
	grant(next, GRANT_OK, g);
	ck_assert_int_eq(g[0].code, GRANT_PORT_TAKEN);
	ck_assert_uint_eq(g[1].opened, first_port + 2);
	if (_i == 0)
		s->state = SESSION_LOST;
	else
		s->relay = &old;
	nrivals = 0;
	port_rivals_each(&m, next, count_rival, NULL);
	ck_assert_uint_eq(nrivals, 0);
	grant(next, GRANT_OK, g);
	ck_assert_int_eq(g[0].code, GRANT_OK);
	ck_assert_ptr_eq(holder(first_port), next);
	ck_assert_ptr_eq(holder(first_port + 1), s);
	/* The one that has gone takes along what it still had. */
	ports_close_of(s);
	ck_assert_ptr_null(holder(first_port + 1));
	ck_assert_ptr_eq(holder(first_port), next);
	s->relay = &relay;
}
END_TEST

/* Live sessions of a client share its numbers. */
START_TEST(numbers_are_the_clients)
{
	struct session *s = session("a"), *next = session("a");
	struct granted g[8];

	ask(s, first_port, first_port + 2, 0);
	grant(s, GRANT_OK, g);
	ask(next, first_port + 3, first_port + 4, 0);
	grant(next, GRANT_OK, g);
	ck_assert_int_eq(g[0].code, GRANT_PORT_NUMBER);
	s->state = SESSION_LOST;
	grant(next, GRANT_OK, g);
	ck_assert_int_eq(g[0].code, GRANT_OK);
}
END_TEST

START_TEST(system_says_no)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(first_port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct session *s = session("a");
	struct granted g[8];

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ask(s, first_port, first_port, 0);
	ask(s, first_port, first_port, SERVICE_RANDOM);
	grant(s, GRANT_OK, g);
	ck_assert_int_eq(g[0].code, GRANT_PORT_TAKEN);
	ck_assert_uint_eq(g[1].opened, first_port + 1);
	close(fd);
	/* There is a bound on all of them. */
	m.nofile = PORTS_SHARE;
	grant(s, GRANT_OK, g);
	ck_assert_int_eq(g[0].code, GRANT_PORT_SYSTEM);
	ck_assert_uint_eq(ports_count(m.ports), 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("port_grants");
	TCase *t = tcase_create("port_grants");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, granted_kept_and_closed);
	tcase_add_test(t, refused);
	tcase_add_test(t, rolled_back);
	tcase_add_test(t, random_ports);
	tcase_add_loop_test(t, taken_over, 0, 2);
	tcase_add_test(t, numbers_are_the_clients);
	tcase_add_test(t, system_says_no);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
