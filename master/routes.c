/* The table of routes. */
#include "master/routes.h"

#include <stdlib.h>
#include <string.h>

#include "master/clock.h"
#include "master/map.h"

struct routes {
	struct map *map; /* key: kind, name */
};

struct routes *
routes_new(void)
{
	struct routes *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	if ((t->map = map_new()) == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

void
routes_free(struct routes *t)
{
	if (t == NULL)
		return;
	map_free(t->map);
	free(t);
}

/* Write the key of a name; its length, or 0 if the name is too long. */
static size_t
make_key(char key[TEXT_NAME_MAX + 2], enum route_kind kind, const char *name)
{
	size_t n = strlen(name);

	if (n > TEXT_NAME_MAX)
		return 0;
	key[0] = (char)kind;
	memcpy(key + 1, name, n);
	return n + 1;
}

struct route *
routes_get(const struct routes *t, enum route_kind kind, const char *name)
{
	char key[TEXT_NAME_MAX + 2];
	size_t n;

	if ((n = make_key(key, kind, name)) == 0)
		return NULL;
	return map_get(t->map, key, n);
}

char *
routes_first_label(char dst[TEXT_LABEL_MAX + 1], const char *name)
{
	size_t n = strcspn(name, ".");

	if (n > TEXT_LABEL_MAX)
		n = TEXT_LABEL_MAX;
	memcpy(dst, name, n);
	dst[n] = '\0';
	return dst;
}

struct route *
routes_find(const struct routes *t, const char *name, bool labels)
{
	char label[TEXT_LABEL_MAX + 1];
	struct route *r;

	if ((r = routes_get(t, ROUTE_FULL, name)) != NULL)
		return r;
	/* A first label that is too long to be one is nobody's. */
	if (strcspn(name, ".") > TEXT_LABEL_MAX)
		return NULL;
	if (strchr(name, '.') == NULL && !labels)
		return NULL;
	return routes_get(t, ROUTE_LABEL, routes_first_label(label, name));
}

struct route *
routes_add(struct routes *t, enum route_kind kind, const char *name,
    struct client *client)
{
	char key[TEXT_NAME_MAX + 2];
	struct route *r;
	size_t n;

	if ((n = make_key(key, kind, name)) == 0 ||
	    (r = calloc(1, sizeof(*r) + n)) == NULL)
		return NULL;
	r->kind = kind;
	r->client = client;
	r->since = clock_ms();
	memcpy(r->name, name, n); /* with the terminator: n counts the kind */
	if (map_put(t->map, key, n, r) == -1) {
		free(r);
		return NULL;
	}
	return r;
}

void
routes_remove(struct routes *t, struct route *r)
{
	char key[TEXT_NAME_MAX + 2];

	map_remove(t->map, key, make_key(key, r->kind, r->name));
	free(r);
}

size_t
routes_count(const struct routes *t)
{
	return map_count(t->map);
}

void
routes_each(struct routes *t, void (*fn)(void *arg, void *route), void *arg)
{
	map_each(t->map, fn, arg);
}
