/*
 * Which name belongs to whom: the table behind every verdict and ASK.
 *
 * A route is a label (an id, a prefix, an id-prefix) or a full name. A full
 * name directly under `domain` is the same as its first label, so that no
 * name has two owners.
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

enum route_kind { ROUTE_LABEL = 'L', ROUTE_FULL = 'F' };

struct route {
	enum route_kind kind;
	struct client *client;	 /* whose it is, or was last */
	struct session *session; /* NULL: known, but nobody holds it */
	uint16_t service;	 /* the session's number for it */
	uint64_t since;		 /* clock_ms() of the claim */
	bool stale;		 /* while a new list of services is granted */
	LIST_ENTRY(route) of;	 /* of its session, or of its client */
	char name[];
};

LIST_HEAD(route_list, route);

struct routes *routes_new(void);

/* All routes must have been removed. NULL is allowed. */
void routes_free(struct routes *t);

/* Exactly this one, or NULL. */
struct route *routes_get(
    const struct routes *t, enum route_kind kind, const char *name);

/*
 * Where users of `name` (lower case, without port) belong: as a full name,
 * then by its first label if it has a dot. `labels`: a name without a dot may
 * be a label itself (the server has no domain, so that this is the address
 * that the client was told; or the whole value of http.mux_header). NULL:
 * nowhere.
 */
struct route *routes_find(
    const struct routes *t, const char *name, bool labels);

/*
 * Add a route that is not there yet, without session. NULL: no memory. The
 * caller puts it into a list.
 */
struct route *routes_add(struct routes *t, enum route_kind kind,
    const char *name, struct client *client);

/* Forget and free it; the caller has taken it off its list. */
void routes_remove(struct routes *t, struct route *r);

size_t routes_count(const struct routes *t);

/* Call fn for every route; it must not add or remove. */
void routes_each(
    struct routes *t, void (*fn)(void *arg, void *route), void *arg);

/* The first label of a name, cut to TEXT_LABEL_MAX. Returns dst. */
char *routes_first_label(char dst[TEXT_LABEL_MAX + 1], const char *name);

#endif
