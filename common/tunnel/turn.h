/*
 * Turns of the event loop: what is done once per turn instead of once per
 * event. All events that are ready are handled, then everything that they
 * left to be written leaves in one go; that is what makes one tunnel fast for
 * many streams.
 */
#ifndef TURN_H
#define TURN_H

#include <stddef.h>
#include <stdint.h>

struct turn;
struct event_base;

#define TURN_READ (256 * 1024) /* bytes read from one socket in a turn */
#define TURN_SCRATCH (TURN_READ + 32 * 1024)

/* Something to be called once, at the end of this turn or in the next. */
struct turn_item {
	struct turn_item *next, *prev; /* NULL while it is in no list */
	void (*fn)(void *arg);
	void *arg;
};

/* NULL with errno if memory is short. */
struct turn *turn_new(struct event_base *base);

/* Call what was still to be called at the end of the turn, and free. */
void turn_free(struct turn *t);

/* Run turns until turn_stop(). 0, or -1 if the event base fails. */
int turn_run(struct turn *t);
void turn_stop(struct turn *t);

/* One turn: waits for an event unless something is to be called. */
int turn_once(struct turn *t);

void turn_item_init(struct turn_item *i, void (*fn)(void *), void *arg);

/*
 * Call it at the end of this turn, behind those who asked before; asking
 * twice is asking once.
 */
void turn_end(struct turn *t, struct turn_item *i);

/* Call it in the next turn, after a poll that does not wait. */
void turn_next(struct turn *t, struct turn_item *i);

/* It will not be called. */
void turn_cancel(struct turn_item *i);

/* The time of this turn: monotonic microseconds. */
uint64_t turn_now(struct turn *t);

/* TURN_SCRATCH bytes that anyone may use until it returns to the loop. */
uint8_t *turn_scratch(struct turn *t);

struct event_base *turn_base(struct turn *t);

#endif
