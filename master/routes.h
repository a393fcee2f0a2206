/*
 * Which name belongs to whom: the tables behind every verdict and ASK. What
 * users call by Host or CONNECT and what they call by server name are two
 * tables, of which each name may have another owner.
 *
 * A route is a label (an id, a prefix, an id-prefix), a full name, a wildcard
 * or a virtual address. A full name directly under `domain` is the same as its
 * first label, so that no name has two owners.
 */
#ifndef ROUTES_H
#define ROUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/text.h"

struct client;
struct session;
struct routes;

enum route_table { ROUTES_HTTP = 'h', ROUTES_SNI = 's' };

enum route_kind {
	ROUTE_LABEL = 'L',
	ROUTE_FULL = 'F',
	ROUTE_WILDCARD = 'W', /* "*.example.org" */
	ROUTE_ADDRESS = 'A'   /* "192.168.1.1:3000" */
};

struct route {
	enum route_table table;
	enum route_kind kind;
	struct client *client;	 /* whose it is, or was last */
	struct session *session; /* NULL: known, but nobody holds it */
	uint16_t service;	 /* the session's number for it */
	uint64_t since;		 /* clock_ms() of the claim */
	bool kept;		 /* its client was lost with it: no other's */
	bool stale;		 /* while a new list of services is granted */
	LIST_ENTRY(route) of;	 /* of its session, or of its client */
	char name[];
};

LIST_HEAD(route_list, route);

struct routes *routes_new(void);

/* All routes must have been removed. NULL is allowed. */
void routes_free(struct routes *t);

/* Exactly this one, or NULL. */
struct route *routes_get(const struct routes *t, enum route_table table,
    enum route_kind kind, const char *name);

/* What the meaning of a name depends on. */
struct routes_scope {
	const char *domain; /* NULL: none */
	/*
	 * A name without a dot may be a label itself: the server has no
	 * domain, so that this is the address that the client was told; or it
	 * is the whole value of http.mux_header.
	 */
	bool labels;
	/* Whether a label is a configured or held id. */
	bool (*is_id)(void *arg, const char *label);
	void *arg;
};

/*
 * Where users of `name` belong (as service_name_called() makes it): an address
 * to itself; else the full name; the longest wildcard; its first label, if it
 * has a dot. No wildcard catches what is under the domain and has an owner, or
 * begins with somebody else's id. NULL: nowhere.
 */
struct route *routes_find(const struct routes *t, enum route_table table,
    const char *name, const struct routes_scope *scope);

/*
 * Add a route that is not there yet, without session. NULL: no memory. The
 * caller puts it into a list.
 */
struct route *routes_add(struct routes *t, enum route_table table,
    enum route_kind kind, const char *name, struct client *client);

/* Forget and free it; the caller has taken it off its list. */
void routes_remove(struct routes *t, struct route *r);

size_t routes_count(const struct routes *t);

/* Call fn for every route; it must not add or remove. */
void routes_each(
    struct routes *t, void (*fn)(void *arg, void *route), void *arg);

/* The first label of a name, cut to TEXT_LABEL_MAX. Returns dst. */
char *routes_first_label(char dst[TEXT_LABEL_MAX + 1], const char *name);

/*
 * Whether a full name may be the address of a label: it ends with the domain.
 * Without one any may, for users can dial the server by any name.
 */
bool routes_in_domain(const char *name, const char *domain);

/* Whether it is LABEL.domain. */
bool routes_at_domain(const char *name, const char *domain);

const char *route_kind_name(enum route_kind kind);
const char *route_table_name(enum route_table table);

/* Whether these are values of the two enums. */
bool route_known(uint8_t table, uint8_t kind);

#endif
