/*
 * Things that wait for one and the same time each: a queue in order of
 * arrival, and one timer for its head. Adding and removing take constant
 * time, however many wait.
 */
#ifndef WAITS_H
#define WAITS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct event_base;
struct waits;

/* A member of whatever waits. All zero: it does not wait. */
struct wait {
	TAILQ_ENTRY(wait) link;
	uint64_t at; /* clock_ms() of its end */
	struct waits *in;
	void *owner;
};

/* Called when the time of a wait is over; it waits no more. */
typedef void (*waits_fn)(void *arg, void *owner);

struct waits *waits_new(struct event_base *base, waits_fn fn, void *arg);

/* Whatever still waits is forgotten, uncalled. NULL is allowed. */
void waits_free(struct waits *q);

/*
 * Let `owner` wait for ms milliseconds. Whoever waits already, in whichever
 * queue, begins anew. Members of one queue should wait equally long: a
 * shorter time than that of those before it ends late.
 */
void waits_add(struct waits *q, struct wait *w, void *owner, uint64_t ms);

/* Do not wait any more. No harm if it does not. */
void waits_remove(struct wait *w);

bool waits_on(const struct wait *w);

#endif
