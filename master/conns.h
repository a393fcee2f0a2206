/*
 * Every connection that the master knows, by number: whose it is now and what
 * was decided about it. It stays in the table until the worker that holds it
 * says CLOSED, or dies; the relay is not believed about any other
 * (PROTOCOL.md section 3).
 */
#ifndef CONNS_H
#define CONNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/text.h"
#include "common/ipc/msg.h"
#include "master/waits.h"

struct client;
struct handshake;
struct session;
struct worker;

#define CONNS_MAX ((1u << 20) - 1) /* alive at a time */

enum conn_state {
	CONN_PEEK,	/* an edge looks at it; the descriptor is ours */
	CONN_UNPLACED,	/* accepted, but no edge is there; ours */
	CONN_PARKED,	/* a visitor of a client that is away; ours */
	CONN_REFUSED,	/* the edge answers it with an error, and closes */
	CONN_HANDSHAKE, /* with a relay: a client that logs in */
	CONN_ATTACH,	/* with a relay: a ticket to be checked */
	CONN_TUNNEL,	/* with a relay: carries a session */
	CONN_USER,	/* with a relay: a user's connection */
	CONN_TLS,	/* a tls worker has it, or none has it yet */
	CONN_CONVERTED, /* ... and its plain end is another connection */
	CONN_ENDING	/* decided; its worker's last word is awaited */
};

struct conn {
	/* Very many of these are idle: what is small stands together. */
	uint32_t id;
	int fd;		   /* ours as long as nobody got it for good; else -1 */
	uint8_t state;	   /* enum conn_state */
	uint8_t kind;	   /* of its listener (enum listener_kind); 0: none */
	bool rerouted : 1; /* made for an ASK: not rerouted again */
	bool counted : 1;  /* among the users of its source */
	bool barred : 1;   /* its relay was told so */
	bool proxied : 1;  /* a header of the PROXY protocol comes first */
	uint8_t tries : 4; /* edges that died with it */
	uint8_t reroutes;  /* connections that were made for this one */
	struct msg_conn who;
	struct worker *worker;	 /* who holds it; NULL: nobody */
	struct session *session; /* whose, if it is with a relay */
	struct client *client;	 /* USER, PARKED: whose */
	struct handshake *handshake;
	uint64_t since;	      /* clock_ms() */
	struct wait wait;     /* for a verdict, or parked */
	uint32_t parent;      /* `rerouted`: the connection that asked */
	uint16_t service;     /* USER: of the session */
	uint16_t skip;	      /* bytes of that header, once it has come */
	char *name;	      /* USER, PARKED: the host asked for; owned */
	TAILQ_ENTRY(conn) of; /* PARKED: of its client; UNPLACED: waiting */
};

TAILQ_HEAD(conn_list, conn);

struct conns;

/* An empty table for at most `max` connections (up to CONNS_MAX). */
struct conns *conns_new(size_t max);

/* Closes and frees everything. NULL is allowed. */
void conns_free(struct conns *t);

size_t conns_count(const struct conns *t);

/*
 * A new connection with a number that was not in use lately, and with this
 * descriptor (owned from now on). NULL: full, or no memory; fd is closed.
 */
struct conn *conns_add(struct conns *t, int fd, const struct msg_conn *who);

/*
 * One that had this number before a restart, while the table is filled anew;
 * conns_restored() ends that. NULL: as above, or the number is taken.
 */
struct conn *conns_restore(
    struct conns *t, uint32_t id, int fd, const struct msg_conn *who);
void conns_restored(struct conns *t);

/* By number, or NULL. Any number may be asked for. */
struct conn *conns_find(const struct conns *t, uint32_t id);

/* Set the name, a copy of it. -1: no memory. */
int conn_set_name(struct conn *c, const char *name);

/* Take the descriptor out: the caller's; the connection has -1. */
int conn_take_fd(struct conn *c);

/* Close what is ours, forget and free it. */
void conns_remove(struct conns *t, struct conn *c);

/* Call fn for every connection; it may remove the one it is called for. */
void conns_each(
    struct conns *t, void (*fn)(void *arg, struct conn *c), void *arg);

const char *conn_state_name(enum conn_state s);

#endif
