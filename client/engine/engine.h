/*
 * The engine: the client's end of the tunnels. It sees connected sockets that
 * it was given, our frames, and, for services that want it, where HTTP/1
 * requests begin and end. It can open no socket itself.
 *
 *	line	one connection to the server: a handshake, then a tunnel
 *	pool	the lines of one session, and its tickets for more of them
 *	local	a stream's other end: the connection to the local service
 *	flow	the same for a stream of datagrams: a UDP socket
 *	edit	requests that are rewritten on their way to it
 *	rules	what the parent said about a service
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "client/engine_conf.h"
#include "common/base/deadline.h"
#include "common/base/idmap.h"
#include "common/ipc/chan.h"
#include "common/tunnel/turn.h"

#define ENGINE_CONNECT_US 10000000 /* a local service must answer by then */
#define ENGINE_POOLS 4		   /* sessions at a time, old ones included */

struct event;
struct flow;
struct grave;
struct line;
struct local;
struct pool;
struct rules;

struct engine {
	struct event_base *base;
	struct turn *turn;
	struct chan *chan;
	struct engine_pool conf;
	struct idmap rules;	 /* by index + 1 */
	struct rules *all_rules; /* list; also those that are gone but used */
	struct pool *pools;	 /* list, the newest first */
	struct idmap lines;	 /* by the parent's number */
	struct idmap dials;	 /* locals that wait for a descriptor */
	uint32_t dial;		 /* the last number given to one */
	struct deadlines connecting; /* locals */
	LIST_HEAD(, local) locals;
	LIST_HEAD(, local) doubts; /* see local_io_check() */
	LIST_HEAD(, flow) flows;
	size_t nflows;
	size_t early; /* bytes that flows keep until they have a socket */
	struct idmap flow_dials;     /* flows that wait for a socket */
	struct deadlines flow_waits; /* the same */
	uint8_t *flow_space; /* to receive into; NULL: not needed so far */
	uint8_t *offer;	     /* SERVICES, as it is to be said */
	size_t offer_n;
	struct event *tick; /* every second */
	struct turn_item settle;
	/* What has ended may still be in use up the stack: freed at the end
	   of the turn. */
	struct grave *graves;
	struct turn_item bury;
	bool stopping;	 /* GOAWAY was said: ends when no stream is left */
	unsigned waited; /* ticks since then */
};

/* Embedded in what is buried. */
struct grave {
	struct grave *next;
	void (*fn)(void *dead);
	void *dead;
};

/* fn(dead) at the end of this turn; g lies in it. */
void engine_bury(
    struct engine *e, struct grave *g, void (*fn)(void *), void *dead);

/* Something has ended that the end of the engine may be waiting for. */
void engine_settle(struct engine *e);

/*
 * Make everything that the sandbox forbids to make. 0, or -1. e->chan is
 * still to be set.
 */
int engine_prepare(struct engine *e);

/* What is to be done once a second. */
void engine_tick(struct engine *e);

/* Of its channel; their arg is the engine. */
extern const struct chan_ops engine_ops;

/* dispatch.c: what the parent may send us. */
extern const chan_handler engine_handlers[MSG_TYPES];

#endif
