/*
 * The table of flows: one for each source and public address that datagrams
 * came from and to. It is what strangers can make us hold, so it has bounds:
 * in all, for each service, for each source block. At a bound the flow that
 * was idle longest goes; among those of a service first one that has not
 * shown that it hears our answers (it was never answered, or sent nothing
 * since), so that forged sources do not push out those that are there.
 */
#ifndef FLOWS_H
#define FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/addr.h"
#include "common/base/deadline.h"

#define FLOWS_MAX 65536		/* in all */
#define FLOWS_SERVICE_MAX 16384 /* of one service */
#define FLOWS_SOURCE_MAX 8192	/* of one source block */

struct flow_source;

struct flow {
	struct flow *chain;
	uint32_t id; /* never 0, not used again soon */
	struct addr peer, local;
	struct flow_group *group;
	struct flow_source *source;
	TAILQ_ENTRY(flow) of_source; /* the longest idle first */
	struct deadline idle;	     /* in its group's young or proven */
	bool answered, proven;
};

/* The flows of one service. Embedded in whatever has them. */
struct flow_group {
	struct deadlines young, proven;
	size_t count;
	LIST_ENTRY(flow_group) link;
};

struct flows;

/* Told of each flow that ends by a bound or by time, just before it does. */
typedef void flows_ended_fn(void *arg, struct flow *f);

/* NULL: no memory. sodium_init() has been called. */
struct flows *flows_new(size_t max, size_t service_max, size_t source_max,
    flows_ended_fn *ended, void *arg);
void flows_free(struct flows *t);

/* A group whose flows end after idle_us (0: never, but by a bound). */
void flows_join(struct flows *t, struct flow_group *g, uint64_t idle_us);

/* End its flows (nobody is told), and forget it. */
void flows_leave(struct flows *t, struct flow_group *g);

/* The same without forgetting it. */
void flows_clear(struct flows *t, struct flow_group *g);

/* The flow of that source to that address, or NULL. */
struct flow *flows_find(
    const struct flows *t, const struct addr *peer, const struct addr *local);

/* By number, or NULL. */
struct flow *flows_get(const struct flows *t, uint32_t id);

/*
 * Add one, which is not there. The bounds may end others, of the group or of
 * the source, or of the largest group. NULL: no memory.
 */
struct flow *flows_add(struct flows *t, struct flow_group *g,
    const struct addr *peer, const struct addr *local, uint64_t now);

/* A datagram came from the source; or one was sent to it. */
void flows_heard(struct flow *f, uint64_t now);
void flows_said(struct flow *f, uint64_t now);

/* End one; nobody is told. */
void flows_drop(struct flows *t, struct flow *f);

/* End those of all groups that were idle too long. */
void flows_expire(struct flows *t, uint64_t now);

size_t flows_count(const struct flows *t);

/* Those of the source block that peer is in. */
size_t flows_of_source(const struct flows *t, const struct addr *peer);

#endif
