/*
 * Public ports of clients: each is bound for a session that was granted it,
 * on all addresses, kept over a restart, and closed with the session. Who may
 * have which is decided elsewhere (port_grants.h).
 */
#ifndef PORTS_H
#define PORTS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "master/master.h"

struct port;
struct ports;
struct udp_line;
struct session;
struct worker;

#define PORTS_SHARE 4	    /* of all descriptors, one in so many */
#define PORTS_BATCH 64	    /* connections of one turn */
#define PORTS_PAUSE_MS 1000 /* when there are no descriptors */

/* In msg_conn.listener: no configured one. */
#define PORTS_LISTENER UINT16_MAX

struct port {
	uint8_t way;		 /* enum grant_way: of which the number is */
	uint16_t number;	 /* as bound */
	uint16_t asked;		 /* as its service asked for it; 0: any */
	uint16_t service;	 /* of the session */
	bool stale;		 /* while a list of services is granted anew */
	struct session *session; /* NULL: not given yet */
	uint64_t since;		 /* clock_ms() */
	int fd;
	struct ports *ports;
	struct udp_line *line;	/* UDP: which role `udp` has it for, or NULL */
	struct event *readable; /* TCP */
	LIST_ENTRY(port) of;	/* of its session */
};

LIST_HEAD(port_list, port);

/* For struct master. */
struct ports *ports_new(struct master *m);

/* Closes all. NULL is allowed. */
void ports_free(struct ports *t);

size_t ports_count(const struct ports *t);

/* The open port of that number, or NULL. */
struct port *ports_find(
    const struct ports *t, enum grant_way way, uint16_t number);

/*
 * Bind a port that is not open. NULL with errno; ENOSPC: there are too many.
 * Users are taken in as soon as it is given to a session.
 */
struct port *ports_open(struct ports *t, enum grant_way way, uint16_t number);

/* Take over a bound socket of an earlier image of this process. As above. */
struct port *ports_adopt(
    struct ports *t, enum grant_way way, uint16_t number, int fd);

/* It is this session's from now on, for that service. */
void ports_give(
    struct port *p, struct session *s, uint16_t asked, uint16_t service);

/* Close it and forget it. */
void ports_close(struct port *p);

/* Close all that a session has. */
void ports_close_of(struct session *s);

/* Close all: nobody is taken any more. */
void ports_close_all(struct ports *t);

/* A relay takes connections again. */
void ports_resume(struct ports *t, const struct worker *relay);

/* Call fn for each; it must neither open nor close any. */
void ports_each(struct ports *t, void (*fn)(void *arg, void *port), void *arg);

#endif
