/* The tables of routes. */
#include "master/routes.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/service_name.h"
#include "master/clients.h"
#include "master/map.h"

#define KEY_MAX (2 + TEXT_NAME_MAX)

struct routes {
	struct map *map;  /* key: table, kind, name */
	size_t wildcards; /* among them: most servers have none */
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
make_key(char key[KEY_MAX], enum route_table table, enum route_kind kind,
    const char *name)
{
	size_t n = strlen(name);

	_Static_assert(KEY_MAX <= MAP_KEY_MAX, "the longest name is a key");
	if (n > TEXT_NAME_MAX)
		return 0;
	key[0] = (char)table;
	key[1] = (char)kind;
	memcpy(key + 2, name, n);
	return n + 2;
}

struct route *
routes_get(const struct routes *t, enum route_table table, enum route_kind kind,
    const char *name)
{
	char key[KEY_MAX];
	size_t n;

	if ((n = make_key(key, table, kind, name)) == 0)
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

bool
routes_in_domain(const char *name, const char *domain)
{
	size_t n = strlen(name), nd;

	if (domain == NULL)
		return true;
	nd = strlen(domain);
	return n > nd && name[n - nd - 1] == '.' &&
	    strcmp(name + n - nd, domain) == 0;
}

bool
routes_at_domain(const char *name, const char *domain)
{
	const char *dot = strchr(name, '.');

	return domain != NULL && dot != NULL && strcmp(dot + 1, domain) == 0;
}

/* The longest wildcard that matches a full name. */
static struct route *
find_wildcard(const struct routes *t, enum route_table table, const char *name)
{
	char wider[TEXT_NAME_MAX + 1];
	const char *at = name;
	struct route *r;

	if (t->wildcards == 0)
		return NULL;
	while (service_name_wider(wider, &at) != NULL) {
		r = routes_get(t, table, ROUTE_WILDCARD, wider);
		if (r != NULL)
			return r;
	}
	return NULL;
}

/* Whether a wildcard must leave a name with this first label to its id. */
static bool
is_kept(const struct route *wildcard, const char *name, const char *label,
    const struct routes_scope *scope)
{
	return routes_in_domain(name, scope->domain) &&
	    strcmp(wildcard->client->id, label) != 0 &&
	    scope->is_id(scope->arg, label);
}

/* A name with dots that is nobody's as it stands. */
static struct route *
find_wider(const struct routes *t, enum route_table table, const char *name,
    const struct routes_scope *scope)
{
	char first[TEXT_LABEL_MAX + 1];
	struct route *label = NULL, *wildcard;

	/* A first label that is too long to be one is nobody's. */
	routes_first_label(first, name);
	if (strcspn(name, ".") <= TEXT_LABEL_MAX)
		label = routes_get(t, table, ROUTE_LABEL, first);
	if (label != NULL && routes_at_domain(name, scope->domain))
		return label;
	wildcard = find_wildcard(t, table, name);
	if (wildcard == NULL || is_kept(wildcard, name, first, scope))
		return label;
	return wildcard;
}

struct route *
routes_find(const struct routes *t, enum route_table table, const char *name,
    const struct routes_scope *scope)
{
	struct route *r;

	if (strchr(name, ':') != NULL)
		return routes_get(t, table, ROUTE_ADDRESS, name);
	if (strchr(name, '.') != NULL) {
		r = routes_get(t, table, ROUTE_FULL, name);
		return r != NULL ? r : find_wider(t, table, name, scope);
	}
	return scope->labels ? routes_get(t, table, ROUTE_LABEL, name) : NULL;
}

struct route *
routes_add(struct routes *t, enum route_table table, enum route_kind kind,
    const char *name, struct client *client)
{
	char key[KEY_MAX];
	struct route *r;
	size_t n;

	if ((n = make_key(key, table, kind, name)) == 0 ||
	    (r = calloc(1, sizeof(*r) + n)) == NULL)
		return NULL;
	r->table = table;
	r->kind = kind;
	r->client = client;
	r->since = clock_ms();
	strcpy(r->name, name);
	if (map_put(t->map, key, n, r) == -1) {
		free(r);
		return NULL;
	}
	t->wildcards += kind == ROUTE_WILDCARD;
	return r;
}

void
routes_remove(struct routes *t, struct route *r)
{
	char key[KEY_MAX];

	map_remove(t->map, key, make_key(key, r->table, r->kind, r->name));
	t->wildcards -= r->kind == ROUTE_WILDCARD;
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

const char *
route_kind_name(enum route_kind kind)
{
	switch (kind) {
	case ROUTE_LABEL:
		return "label";
	case ROUTE_FULL:
		return "full";
	case ROUTE_WILDCARD:
		return "wildcard";
	case ROUTE_ADDRESS:
		return "address";
	}
	return "?";
}

const char *
route_table_name(enum route_table table)
{
	return table == ROUTES_SNI ? "sni" : "http";
}

bool
route_known(uint8_t table, uint8_t kind)
{
	return (table == ROUTES_HTTP || table == ROUTES_SNI) &&
	    (kind == ROUTE_LABEL || kind == ROUTE_FULL ||
		kind == ROUTE_WILDCARD || kind == ROUTE_ADDRESS);
}
