/* The table of sessions, and their tickets. */
#include "master/sessions.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "master/map.h"

struct sessions {
	struct map *generations; /* generation: struct session */
	struct map *tickets;	 /* ticket id: struct session */
	uint64_t generation;	 /* of the last */
};

struct sessions *
sessions_new(void)
{
	struct sessions *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->generations = map_new();
	t->tickets = map_new();
	/* Not from 0, so that no generation of a former process comes again. */
	t->generation = clock_ms() << 20;
	if (t->generations == NULL || t->tickets == NULL) {
		sessions_free(t);
		return NULL;
	}
	return t;
}

void
sessions_free(struct sessions *t)
{
	if (t == NULL)
		return;
	map_free(t->generations);
	map_free(t->tickets);
	free(t);
}

size_t
sessions_count(const struct sessions *t)
{
	return map_count(t->generations);
}

void
sessions_each(
    struct sessions *t, void (*fn)(void *arg, void *session), void *arg)
{
	map_each(t->generations, fn, arg);
}

struct session *
sessions_add(struct sessions *t, struct client *c,
    const uint8_t instance[LOGIN_INSTANCE], struct worker *relay)
{
	struct session *s;

	if (c->nsessions >= SESSIONS_CLIENT_MAX ||
	    (s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->generation = ++t->generation;
	s->client = c;
	s->state = SESSION_OPENING;
	memcpy(s->instance, instance, LOGIN_INSTANCE);
	s->relay = relay;
	s->since = clock_ms();
	LIST_INIT(&s->routes);
	LIST_INIT(&s->ports);
	if (map_put(t->generations, &s->generation, sizeof(s->generation), s) ==
	    -1) {
		free(s);
		return NULL;
	}
	LIST_INSERT_HEAD(&c->sessions, s, of);
	c->nsessions++;
	return s;
}

struct session *
sessions_restore(struct sessions *t, struct client *c, uint64_t generation)
{
	static const uint8_t unknown[LOGIN_INSTANCE];
	uint64_t last = t->generation;
	struct session *s;

	if (sessions_find(t, generation) != NULL)
		return NULL;
	t->generation = generation - 1;
	s = sessions_add(t, c, unknown, NULL);
	if (t->generation < last)
		t->generation = last;
	return s;
}

struct session *
sessions_find(const struct sessions *t, uint64_t generation)
{
	return map_get(t->generations, &generation, sizeof(generation));
}

/* Whether another process of it serves. */
static bool
is_here(const struct client *c)
{
	return strcmp(sessions_state(c), "here") == 0;
}

void
sessions_end(struct sessions *t, struct session *s, struct routes *routes)
{
	bool kept = s->state == SESSION_LOST && !is_here(s->client);
	struct route *r;

	if (s->state == SESSION_ENDED)
		return;
	s->state = SESSION_ENDED;
	waits_remove(&s->wait);
	while ((r = LIST_FIRST(&s->routes)) != NULL) {
		r->kept = kept;
		sessions_drop_route(routes, r);
	}
	for (size_t i = 0; i < TICKETS_MAX; i++) {
		if (s->tickets[i].issued != 0)
			map_remove(t->tickets, s->tickets[i].id, TICKET_ID);
	}
	map_remove(t->generations, &s->generation, sizeof(s->generation));
	LIST_REMOVE(s, of);
	s->client->nsessions--;
	/* What it had is not its client's any more, which may go first. */
	s->client->tunnels -= s->tunnels;
	s->client = NULL;
	s->tunnels = 0;
	services_free(&s->offer);
	free(s->allowed);
	s->allowed = NULL;
	if (s->conns == 0)
		free(s);
}

int
sessions_restrict(struct session *s, const struct names *allowed)
{
	if (s->allowed == NULL &&
	    (s->allowed = malloc(sizeof(*s->allowed))) == NULL)
		return -1;
	*s->allowed = *allowed;
	return 0;
}

void
sessions_ref(struct session *s)
{
	s->conns++;
}

void
sessions_unref(struct session *s)
{
	if (--s->conns == 0 && s->state == SESSION_ENDED)
		free(s);
}

void
sessions_put_ticket(
    struct sessions *t, struct session *s, const uint8_t id[TICKET_ID])
{
	struct ticket *oldest = &s->tickets[0];

	if (map_get(t->tickets, id, TICKET_ID) != NULL)
		return;
	for (size_t i = 0; i < TICKETS_MAX; i++) {
		if (s->tickets[i].issued < oldest->issued)
			oldest = &s->tickets[i];
	}
	if (oldest->issued != 0)
		map_remove(t->tickets, oldest->id, TICKET_ID);
	oldest->issued = 0;
	if (map_put(t->tickets, id, TICKET_ID, s) == -1)
		return;
	memcpy(oldest->id, id, TICKET_ID);
	oldest->issued = clock_ms();
}

struct session *
sessions_use_ticket(struct sessions *t, const uint8_t id[TICKET_ID])
{
	struct session *s;

	if ((s = map_remove(t->tickets, id, TICKET_ID)) == NULL)
		return NULL;
	for (size_t i = 0; i < TICKETS_MAX; i++) {
		struct ticket *k = &s->tickets[i];

		if (k->issued == 0 || memcmp(k->id, id, TICKET_ID) != 0)
			continue;
		if (clock_ms() - k->issued > TICKET_LIFE_MS)
			s = NULL;
		k->issued = 0;
		break;
	}
	return s;
}

void
sessions_take_route(struct session *s, struct route *r, uint16_t service)
{
	if (r->session != s) {
		if (r->session == NULL)
			r->client->naway--;
		LIST_REMOVE(r, of);
		LIST_INSERT_HEAD(&s->routes, r, of);
		r->session = s;
		r->client = s->client;
		r->since = clock_ms();
	}
	r->service = service;
	r->kept = r->stale = false;
}

void
sessions_drop_route(struct routes *routes, struct route *r)
{
	struct client *c = r->client;

	LIST_REMOVE(r, of);
	if (c->naway >= SESSIONS_AWAY_MAX) {
		routes_remove(routes, r);
		return;
	}
	r->session = NULL;
	LIST_INSERT_HEAD(&c->away, r, of);
	c->naway++;
}

const char *
sessions_state(const struct client *c)
{
	const struct session *s;
	const char *state = "away";

	LIST_FOREACH(s, &c->sessions, of)
	{
		if (s->state == SESSION_LIVE)
			return "here";
		if (s->state == SESSION_LOST)
			state = "lost";
	}
	return state;
}
