/*
 * One end of a socketpair to another relay: what an upstream for a foreign
 * host is connected to. The other end is a user of that relay.
 *
 * AF_UNIX knows no reset, so a clean end is one that was shut for writing; a
 * close before our own end is a reset.
 */
#ifndef PAIR_H
#define PAIR_H

#include <stdbool.h>
#include <stddef.h>

#include "common/net/outq.h"
#include "common/tunnel/turn.h"

#define PAIR_QUEUE                                                \
	65536 /* bytes that may wait to be written, or to be read \
		 by a slow user */

struct event;
struct upstream;

struct pair {
	int fd;
	struct event *ev;
	struct outq out;
	bool fin_sent;
	bool paused;		/* not read because the user is slow */
	struct turn_item again; /* read on when others have had their turn */
};

/* Serve fd for that upstream; closes it if memory is short. */
struct pair *pair_new(struct upstream *up, int fd);

/* Close it. NULL is allowed. */
void pair_free(struct pair *p);

/* Queue what there is room for; upstream_room_again() when it has left. */
size_t pair_write(struct pair *p, const void *data, size_t n);

/* No more will be written. */
void pair_shut(struct pair *p);

/*
 * Read while the user takes it; the kernel holds the rest. With edges only,
 * who stops before EAGAIN has to come back: upstream_sent() does, or the next
 * turn.
 */
void pair_read(struct upstream *up);

#endif
