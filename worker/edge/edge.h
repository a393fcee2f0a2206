/*
 * Roles http and sni: look at the first bytes of connections without taking
 * them out of the kernel, say where they belong, and let go. What belongs
 * nowhere they answer themselves.
 *
 *	verdict	 which bytes mean what
 *	visitor	 a connection until its verdict
 *	answer	 a connection that is ours to refuse
 *	redirect an answer that leads to https
 */
#ifndef EDGE_H
#define EDGE_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/deadline.h"
#include "common/http/head.h"
#include "worker/edge/verdict.h"
#include "common/ipc/serve.h"

#define EDGE_TICK_MS 250

struct edge {
	struct serve serve; /* first: the common handlers' arg */
	struct verdict_rules rules;
	char mux_header[64];
	size_t max;    /* connections held at a time */
	size_t nofile; /* descriptors of this process */
	size_t held;
	bool full, draining;
	struct deadlines waiting; /* for bytes; the oldest first */
	struct deadlines closing; /* answered, for the peer's end */
	struct event tick;	  /* pending while anything is held */
	/* Space for one connection at a time, between two calls of ours. */
	struct head head;
	uint8_t bytes[HEAD_MAX + 1 + PROXY_HEADER_MAX];
};

/* A new connection. */
struct edge_arrival {
	uint32_t id;
	int fd;
	uint8_t flags; /* enum msg_edge_flag */
	struct addr peer;
};

/* A connection that has to wait. */
struct edge_conn {
	struct deadline deadline; /* first: of the queue that it is in */
	struct edge *edge;
	struct event event;
	uint32_t id;
	int fd;
	uint32_t seen;	 /* waiting: bytes; answered: bytes discarded */
	uint32_t judged; /* waiting: bytes when last judged, */
	uint32_t need;	 /* and how many are worth a look; 0: not known */
	uint16_t skip;	 /* bytes of a PROXY header among them */
	uint8_t flags;	 /* as of struct edge_arrival */
	struct addr peer;
};

/* Process of either role. Returns its exit status. */
int edge_main(const struct msg_boot *boot);

/* What the parent may send; arg is a struct edge. For edge_main and tests. */
extern const chan_handler edge_handlers[MSG_TYPES];

/*
 * Begin in this role (http or sni), with serve.base made and at most `nofile`
 * descriptors; serve.chan is the caller's to set. edge_clear() drops every
 * connection.
 */
void edge_init(struct edge *e, enum role role, size_t nofile);
void edge_clear(struct edge *e);

/*
 * Hold fd: call fn on what happens to it, edge triggered, and put it into a
 * queue. NULL: no memory; fd is still the caller's.
 */
struct edge_conn *edge_hold(struct edge *e, uint32_t id, int fd,
    struct deadlines *queue, event_callback_fn fn);

/* Hold it no longer: out of epoll and its queue. Returns the descriptor. */
int edge_release(struct edge_conn *c);

/*
 * Whether a connection has no peer any more: both directions have ended and
 * all is acknowledged, or it was reset.
 */
bool edge_is_over(int fd);

#endif
