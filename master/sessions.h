/*
 * Sessions: one for each process of a client that has logged in, with its
 * tunnels, its tickets and its names. Only tables and counts; what follows
 * from them is decided in login.c, naming.c and visit.c.
 */
#ifndef SESSIONS_H
#define SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/tunnel/login.h"
#include "common/tunnel/names.h"
#include "common/tunnel/preface.h"
#include "common/tunnel/services.h"
#include "master/clients.h"
#include "master/ports.h"
#include "master/routes.h"
#include "master/waits.h"

struct sessions;
struct worker;

#define TICKETS_MAX 16		/* outstanding of one session */
#define TICKET_LIFE_MS 60000	/* PROTOCOL.md section 2 */
#define SESSIONS_CLIENT_MAX 300 /* of one client: more than tunnels may be */
#define SESSIONS_AWAY_MAX 1024	/* names of a client that are remembered */

enum session_state {
	SESSION_OPENING, /* let in; its keys are under way */
	SESSION_LIVE,
	SESSION_LOST, /* no tunnel any more; names kept for timeouts.park */
	SESSION_ENDED /* over; freed with the last connection of it */
};

struct ticket {
	uint8_t id[TICKET_ID];
	uint64_t issued; /* clock_ms(); 0: free */
};

struct session {
	uint64_t generation; /* never reused */
	struct client *client;
	enum session_state state;
	uint8_t instance[LOGIN_INSTANCE];
	struct worker *relay; /* NULL: it died */
	unsigned tunnels;     /* HANDSHAKE, ATTACH and TUNNEL connections */
	unsigned live;	      /* TUNNEL connections */
	unsigned conns;	      /* connections that point here */
	uint64_t since;	      /* clock_ms() */
	struct ticket tickets[TICKETS_MAX];
	struct route_list routes;
	struct port_list ports;
	struct services offer;	/* as last told */
	bool offered;		/* offer waits for answers to PROBE */
	bool probed;		/* a PROBE to it is unanswered */
	bool told;		/* GRANTED has been sent once */
	uint64_t alive;		/* clock_ms() when it answered one */
	struct wait wait;	/* LOST: for the end; else for the probes */
	uint16_t port;		/* that its client dialled; 0: no HTTP there */
	struct names *allowed;	/* beside the id, by auth.url; NULL: any */
	LIST_ENTRY(session) of; /* of its client */
};

struct sessions *sessions_new(void);

/* All sessions must have ended. NULL is allowed. */
void sessions_free(struct sessions *t);

/* How many there are, ENDED ones excepted. */
size_t sessions_count(const struct sessions *t);

void sessions_each(
    struct sessions *t, void (*fn)(void *arg, void *session), void *arg);

/* A new session, in state OPENING. NULL: no memory, or far too many. */
struct session *sessions_add(struct sessions *t, struct client *c,
    const uint8_t instance[LOGIN_INSTANCE], struct worker *relay);

/*
 * One that had this generation before a restart. NULL: as above, or there is
 * one.
 */
struct session *sessions_restore(
    struct sessions *t, struct client *c, uint64_t generation);

/* By generation, ENDED ones excepted. NULL: none. */
struct session *sessions_find(const struct sessions *t, uint64_t generation);

/*
 * The session is over: out of every table, its names only remembered; it has
 * no ports any more. What a LOST one had is kept for its client, if that has
 * no other one. It is freed when no connection points to it any more.
 */
void sessions_end(struct sessions *t, struct session *s, struct routes *routes);

/*
 * The external check allows it these names and no others (it copies them).
 * -1: no memory.
 */
int sessions_restrict(struct session *s, const struct names *allowed);

/* A connection points to it, or does not any more (it may be freed then). */
void sessions_ref(struct session *s);
void sessions_unref(struct session *s);

/* Remember a ticket, in the place of the oldest if there are too many. */
void sessions_put_ticket(
    struct sessions *t, struct session *s, const uint8_t id[TICKET_ID]);

/* The session of a ticket, which is used up thereby. NULL: none such. */
struct session *sessions_use_ticket(
    struct sessions *t, const uint8_t id[TICKET_ID]);

/* Of a client: "here", "lost" (a moment ago), "away". */
const char *sessions_state(const struct client *c);

/* Give a route to a session, from whoever had it. */
void sessions_take_route(struct session *s, struct route *r, uint16_t service);

/* The session gives it up; it stays remembered as its client's. */
void sessions_drop_route(struct routes *routes, struct route *r);

#endif
