/*
 * The ids that are known: those that have sessions, and those that had some
 * and are configured. Only tables and counts.
 */
#ifndef CLIENTS_H
#define CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/text.h"
#include "master/conns.h"
#include "master/routes.h"

struct clients;
struct session;
struct sessions;

#define HELD_MAX 10000	   /* ids held by allow_any_client */
#define HELD_SOURCE_MAX 10 /* and from one source block */

struct client {
	char id[TEXT_LABEL_MAX + 1];
	uint32_t number;       /* its row in the counters */
	bool held;	       /* by allow_any_client: not configured */
	bool unproven;	       /* ... and auth does not know its secret */
	bool vouched;	       /* let in by auth.url: not configured */
	struct addr held_from; /* its source block */
	LIST_HEAD(, session) sessions;
	unsigned nsessions;
	unsigned tunnels;	/* of all sessions, ATTACH and HANDSHAKE too */
	unsigned users;		/* connections in USER */
	uint64_t total;		/* users ever */
	uint64_t up, down;	/* bytes of users that have ended */
	struct route_list away; /* names that nobody holds now */
	unsigned naway;
	struct conn_list parked;
	unsigned nparked;
};

struct clients *clients_new(void);

/*
 * Frees all of it, sessions too; connections must be gone. NULL is allowed.
 */
void clients_free(
    struct clients *t, struct sessions *sessions, struct routes *routes);

/* By id, or NULL. */
struct client *clients_find(const struct clients *t, const char *id);

/* The same, made if it was not there. NULL: no memory. */
struct client *clients_get(struct clients *t, const char *id);

/* Held before a restart: the bounds were kept then. */
void clients_restore_held(
    struct clients *t, struct client *c, const struct addr *source);

/* Another auth has begun, which knows no secret of those that are held. */
void clients_doubt(struct clients *t);

/* The number that the client had, which no other gets. */
void clients_restore_number(
    struct clients *t, struct client *c, uint32_t number);

/*
 * An id that no user is configured for: hold it for this source. -1: too many
 * are held, in all or by that source.
 */
int clients_hold(struct clients *t, struct client *c, const struct addr *peer);

/*
 * It is held no more: a user is configured for it now. Returns whether it was.
 */
bool clients_unhold(struct clients *t, struct client *c);

/*
 * Forget a client of which nothing is left (no session, parked visitor) and
 * that is not `configured`. Returns whether it was forgotten; if it was held,
 * the id is free again.
 */
bool clients_forget(struct clients *t, struct client *c, bool configured,
    struct routes *routes);

size_t clients_count(const struct clients *t);

/* Ids that are held. */
size_t clients_held(const struct clients *t);

void clients_each(
    struct clients *t, void (*fn)(void *arg, void *client), void *arg);

#endif
