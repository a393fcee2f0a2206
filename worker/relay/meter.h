/*
 * A speed limit that many share: a token bucket, and those who wait for it,
 * each of whom gets a share in turn. Nothing sleeps; a timer calls them.
 */
#ifndef METER_H
#define METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bucket.h"

struct event;
struct turn;

#define METER_TURN_MS 20     /* of the rate are one turn's share, ... */
#define METER_TURN_MIN 256   /* and so many bytes anyway */
#define METER_PASS_MAX 65536 /* bytes of one piece */

/* A place in the queue; all zero but for fn and arg: not in it. */
struct meter_wait {
	struct meter_wait *next, **prev;
	void (*fn)(void *arg); /* try again now */
	void *arg;
};

struct meter {
	struct bucket bucket;
	struct turn *turn;
	struct event *timer; /* made when somebody waits for the first time */
	struct meter_wait *first, **last;
	struct meter_wait *called; /* whose turn it is */
	/* Bytes of pieces, and of those who wait, while somebody does. */
	uint64_t passed, waited;
	/* Called before tokens are counted; may be NULL. */
	void (*before)(void *arg);
	void *arg;
};

/* All bytes pass until meter_set(). */
void meter_init(struct meter *m, struct turn *turn);

/* Nobody may wait any more. */
void meter_free(struct meter *m);

/* From now on so many bytes per second, 0: any number. Those who wait see. */
void meter_set(struct meter *m, uint64_t rate);

bool meter_limits(const struct meter *m);

/*
 * How many of `want` bytes may pass; meter_charge() those that do. If not all
 * may, w waits, in its turn, to be called.
 */
size_t meter_room(struct meter *m, struct meter_wait *w, size_t want);

/*
 * Whether a piece of n bytes (METER_PASS_MAX at most) may pass now; it is
 * charged then. For somebody who does not wait but goes without. Those who
 * wait and those who do not get alike.
 */
bool meter_pass(struct meter *m, size_t n);

void meter_charge(struct meter *m, uint64_t n);

/* It waits no more, wherever it did. */
void meter_leave(struct meter *m, struct meter_wait *w);

#endif
