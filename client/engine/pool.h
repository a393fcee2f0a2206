/*
 * A pool: the lines of one session, its budget, and its tickets for more
 * lines. The newest session is the one that grows; older ones (the server
 * drains, or a reconnect overtook them) only let their streams end.
 */
#ifndef POOL_H
#define POOL_H

#include "client/engine/line.h"
#include "common/crypto/ticket.h"
#include "common/tunnel/tunnel.h"

/*
 * Bytes that its streams may make us hold if none of the local services
 * reads: 16,384 streams with the window that all begin with here.
 */
#define POOL_BUDGET (UINT64_C(512) << 20)
#define POOL_TICKETS 16	      /* at a time */
#define POOL_BUSY_STREAMS 64  /* a tunnel with more of them is busy */
#define POOL_IDLE_US 30000000 /* a spare line goes after this */
#define POOL_ASK_US 10000000  /* a ticket or a line is waited for so long */

struct pool_ticket {
	uint8_t id[TICKET_ID];
	uint8_t key[TICKET_KEY];
};

struct pool {
	struct pool *next;
	struct engine *engine;
	uint32_t conn; /* of the line that made it */
	uint8_t cipher;
	uint8_t root[TICKET_KEY];
	uint32_t number; /* of the next ticket */
	struct pool_ticket tickets[POOL_TICKETS];
	size_t ntickets;
	unsigned asked; /* tickets asked for, lines asked for */
	uint64_t asked_at;
	struct line *lines, *first; /* first: NULL when it has ended */
	struct tunnel_budget budget;
	bool draining; /* takes no part in growing any more */
	bool dead;     /* has no line; will be freed */
	struct grave grave;
};

/* A new session, the newest: those before it drain. NULL: no memory. */
struct pool *pool_new(struct engine *e, uint32_t conn, uint8_t cipher,
    const uint8_t root[TICKET_KEY]);

/* Make the line a tunnel of this pool. Takes fd. 0, or -1. */
int pool_attach(struct pool *p, struct line *l, int fd, const uint8_t tx[32],
    const uint8_t rx[32]);

/* The line is closed. The last one takes the pool along. */
void pool_detach(struct pool *p, struct line *l);

/* A ticket of the newest session that has one. 0, or -1: there is none. */
int pool_ticket_take(struct engine *e, struct pool **p, struct pool_ticket *t);

/* Say the services on every session that is not draining. */
void pool_offer(struct engine *e);

/* Once a second: liveness, growing and shrinking. */
void pool_tick(struct pool *p);

/* GOAWAY on all lines. */
void pool_goaway(struct pool *p, enum goaway reason);

/* End every line that has no stream left; true if there is no line. */
bool pool_settle(struct pool *p);

#endif
