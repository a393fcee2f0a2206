/* The table of clients. */
#include "master/clients.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/ipc/counters.h"
#include "master/map.h"
#include "master/sessions.h"

struct clients {
	struct map *ids;     /* id: struct client */
	struct map *sources; /* source block: how many ids it holds */
	uint32_t number;
	size_t held;
};

struct clients *
clients_new(void)
{
	struct clients *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->ids = map_new();
	t->sources = map_new();
	if (t->ids == NULL || t->sources == NULL) {
		clients_free(t, NULL, NULL);
		return NULL;
	}
	return t;
}

static void
drop_away(struct client *c, struct routes *routes)
{
	struct route *r;

	while ((r = LIST_FIRST(&c->away)) != NULL) {
		LIST_REMOVE(r, of);
		routes_remove(routes, r);
	}
	c->naway = 0;
}

struct teardown {
	struct sessions *sessions;
	struct routes *routes;
};

static void
free_client(void *arg, void *value)
{
	struct teardown *td = arg;
	struct client *c = value;
	struct session *s;

	while ((s = LIST_FIRST(&c->sessions)) != NULL)
		sessions_end(td->sessions, s, td->routes);
	drop_away(c, td->routes);
	free(c);
}

void
clients_free(
    struct clients *t, struct sessions *sessions, struct routes *routes)
{
	struct teardown td = { sessions, routes };

	if (t == NULL)
		return;
	if (t->ids != NULL)
		map_each(t->ids, free_client, &td);
	map_free(t->ids);
	map_free(t->sources);
	free(t);
}

struct client *
clients_find(const struct clients *t, const char *id)
{
	return map_gets(t->ids, id);
}

struct client *
clients_get(struct clients *t, const char *id)
{
	struct client *c;

	if ((c = clients_find(t, id)) != NULL)
		return c;
	if (strlen(id) > TEXT_LABEL_MAX || (c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	strcpy(c->id, id);
	LIST_INIT(&c->sessions);
	LIST_INIT(&c->away);
	TAILQ_INIT(&c->parked);
	if (map_puts(t->ids, c->id, c) == -1) {
		free(c);
		return NULL;
	}
	/* Row 0 is everybody's for whom there is no row left. */
	if (t->number < COUNTERS_CLIENTS - 1)
		c->number = ++t->number;
	return c;
}

static uintptr_t
source_count(const struct clients *t, const struct addr *source)
{
	return (uintptr_t)map_get(t->sources, source->ip, sizeof(source->ip));
}

static void
set_source_count(struct clients *t, const struct addr *source, uintptr_t n)
{
	if (n == 0)
		map_remove(t->sources, source->ip, sizeof(source->ip));
	else
		map_put(t->sources, source->ip, sizeof(source->ip), (void *)n);
}

int
clients_hold(struct clients *t, struct client *c, const struct addr *peer)
{
	struct addr source = addr_source(peer);
	uintptr_t n = source_count(t, &source);

	if (c->held)
		return 0;
	if (t->held >= HELD_MAX || n >= HELD_SOURCE_MAX)
		return -1;
	c->held = true;
	c->held_from = source;
	t->held++;
	set_source_count(t, &source, n + 1);
	return 0;
}

void
clients_restore_held(
    struct clients *t, struct client *c, const struct addr *source)
{
	c->held = true;
	c->held_from = *source;
	t->held++;
	set_source_count(t, source, source_count(t, source) + 1);
}

static void
doubt(void *arg, void *client)
{
	struct client *c = client;

	(void)arg;
	c->unproven = c->held;
}

void
clients_doubt(struct clients *t)
{
	clients_each(t, doubt, NULL);
}

void
clients_restore_number(struct clients *t, struct client *c, uint32_t number)
{
	c->number = number < COUNTERS_CLIENTS ? number : 0;
	if (c->number > t->number)
		t->number = c->number;
}

bool
clients_unhold(struct clients *t, struct client *c)
{
	if (!c->held)
		return false;
	c->held = false;
	t->held--;
	set_source_count(t, &c->held_from, source_count(t, &c->held_from) - 1);
	return true;
}

bool
clients_forget(
    struct clients *t, struct client *c, bool configured, struct routes *routes)
{
	if (configured || !LIST_EMPTY(&c->sessions) ||
	    !TAILQ_EMPTY(&c->parked) || c->users > 0)
		return false;
	clients_unhold(t, c);
	drop_away(c, routes);
	map_removes(t->ids, c->id);
	free(c);
	return true;
}

size_t
clients_count(const struct clients *t)
{
	return map_count(t->ids);
}

size_t
clients_held(const struct clients *t)
{
	return t->held;
}

void
clients_each(struct clients *t, void (*fn)(void *arg, void *client), void *arg)
{
	map_each(t->ids, fn, arg);
}
