/* Clients, their sessions, tickets and names. */
#include <check.h>
#include <stdio.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "master/sessions.h"

static const uint8_t INSTANCE[LOGIN_INSTANCE] = { 1 };

struct tables {
	struct clients *clients;
	struct sessions *sessions;
	struct routes *routes;
};

static struct tables
setup(void)
{
	struct tables t;

	ck_assert_int_ne(sodium_init(), -1);
	t.clients = clients_new();
	t.sessions = sessions_new();
	t.routes = routes_new();
	return t;
}

static void
teardown(struct tables *t)
{
	clients_free(t->clients, t->sessions, t->routes);
	sessions_free(t->sessions);
	routes_free(t->routes);
}

static struct session *
add(struct tables *t, const char *id)
{
	struct client *c = clients_get(t->clients, id);

	return sessions_add(t->sessions, c, INSTANCE, NULL);
}

START_TEST(test_generations)
{
	struct tables t = setup();
	struct session *a = add(&t, "a"), *b = add(&t, "a");
	uint64_t old = a->generation;

	ck_assert_uint_ne(a->generation, b->generation);
	ck_assert_ptr_eq(a->client, b->client);
	ck_assert_ptr_eq(sessions_find(t.sessions, old), a);
	sessions_end(t.sessions, a, t.routes);
	ck_assert_ptr_null(sessions_find(t.sessions, old));
	ck_assert_ptr_eq(sessions_find(t.sessions, b->generation), b);
	ck_assert_uint_gt(add(&t, "c")->generation, old);
	teardown(&t);
}
END_TEST

/* It outlives its end as long as a connection points to it. */
START_TEST(test_references)
{
	struct tables t = setup();
	struct session *s = add(&t, "a");

	sessions_ref(s);
	sessions_end(t.sessions, s, t.routes);
	ck_assert_int_eq(s->state, SESSION_ENDED);
	ck_assert_ptr_null(s->client);
	sessions_unref(s);
	teardown(&t);
}
END_TEST

START_TEST(test_tickets)
{
	struct tables t = setup();
	struct session *s = add(&t, "a"), *other = add(&t, "b");
	uint8_t id[TICKET_ID] = { 7 }, id2[TICKET_ID] = { 8 };

	ck_assert_ptr_null(sessions_use_ticket(t.sessions, id));
	sessions_put_ticket(t.sessions, s, id);
	sessions_put_ticket(t.sessions, other, id2);
	/* Nobody gets another's by naming it again. */
	sessions_put_ticket(t.sessions, other, id);
	ck_assert_ptr_eq(sessions_use_ticket(t.sessions, id), s);
	ck_assert_ptr_null(sessions_use_ticket(t.sessions, id)); /* once */
	sessions_end(t.sessions, other, t.routes);
	ck_assert_ptr_null(sessions_use_ticket(t.sessions, id2)); /* dead */
	teardown(&t);
}
END_TEST

START_TEST(test_tickets_are_bounded)
{
	struct tables t = setup();
	struct session *s = add(&t, "a");
	uint8_t id[TICKET_ID] = { 0 };
	unsigned good = 0;

	for (uint8_t i = 0; i < 100; i++) {
		id[3] = i;
		sessions_put_ticket(t.sessions, s, id);
	}
	for (uint8_t i = 0; i < 100; i++) {
		id[3] = i;
		good += sessions_use_ticket(t.sessions, id) == s;
	}
	ck_assert_uint_eq(good, TICKETS_MAX);
	teardown(&t);
}
END_TEST

/* A name goes from one to the other, and is remembered without holder. */
START_TEST(test_routes_change_hands)
{
	struct tables t = setup();
	struct session *a = add(&t, "a"), *b = add(&t, "b");
	struct route *r;

	r = routes_add(t.routes, ROUTES_HTTP, ROUTE_LABEL, "web", a->client);
	LIST_INSERT_HEAD(&a->client->away, r, of);
	a->client->naway++;
	sessions_take_route(a, r, 3);
	ck_assert_uint_eq(a->client->naway, 0);
	ck_assert_uint_eq(r->service, 3);
	sessions_take_route(b, r, 4);
	ck_assert_ptr_eq(r->session, b);
	ck_assert_ptr_eq(r->client, b->client);
	ck_assert(LIST_EMPTY(&a->routes));
	sessions_end(t.sessions, b, t.routes);
	ck_assert_ptr_eq(
	    routes_get(t.routes, ROUTES_HTTP, ROUTE_LABEL, "web"), r);
	ck_assert_ptr_null(r->session);
	ck_assert_str_eq(r->client->id, "b");
	ck_assert_uint_eq(r->client->naway, 1);
	ck_assert(clients_forget(t.clients, r->client, false, t.routes));
	ck_assert_ptr_null(
	    routes_get(t.routes, ROUTES_HTTP, ROUTE_LABEL, "web"));
	teardown(&t);
}
END_TEST

START_TEST(test_forgetting)
{
	struct tables t = setup();
	struct session *s = add(&t, "a");
	struct client *c = s->client;

	ck_assert(!clients_forget(t.clients, c, false, t.routes));
	sessions_end(t.sessions, s, t.routes);
	ck_assert(!clients_forget(t.clients, c, true, t.routes));
	ck_assert_ptr_eq(clients_find(t.clients, "a"), c);
	ck_assert(clients_forget(t.clients, c, false, t.routes));
	ck_assert_ptr_null(clients_find(t.clients, "a"));
	teardown(&t);
}
END_TEST

START_TEST(test_held_ids_are_bounded)
{
	struct tables t = setup();
	struct addr one, other;
	struct client *first = NULL, *c;
	char id[16];

	ck_assert_int_eq(addr_parse_ip(&one, "2001:db8::1"), 0);
	ck_assert_int_eq(addr_parse_ip(&other, "2001:db8:0:1::1"), 0);
	for (int i = 0; i < HELD_SOURCE_MAX; i++) {
		snprintf(id, sizeof(id), "h%d", i);
		one.ip[15] = (uint8_t)i; /* the same /64 */
		one.port = (uint16_t)i;
		c = clients_get(t.clients, id);
		if (first == NULL)
			first = c;
		ck_assert_int_eq(clients_hold(t.clients, c, &one), 0);
		ck_assert_int_eq(clients_hold(t.clients, c, &one), 0);
	}
	c = clients_get(t.clients, "more");
	ck_assert_int_eq(clients_hold(t.clients, c, &one), -1);
	ck_assert_int_eq(clients_hold(t.clients, c, &other), 0);
	ck_assert_uint_eq(clients_held(t.clients), HELD_SOURCE_MAX + 1);
	ck_assert(clients_forget(t.clients, first, false, t.routes));
	c = clients_get(t.clients, "again");
	ck_assert_int_eq(clients_hold(t.clients, c, &one), 0);
	teardown(&t);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sessions");
	TCase *tc = tcase_create("sessions");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, test_generations);
	tcase_add_test(tc, test_references);
	tcase_add_test(tc, test_tickets);
	tcase_add_test(tc, test_tickets_are_bounded);
	tcase_add_test(tc, test_routes_change_hands);
	tcase_add_test(tc, test_forgetting);
	tcase_add_test(tc, test_held_ids_are_bounded);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
