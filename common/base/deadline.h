/*
 * Deadlines of many things that all wait equally long: a queue in order of
 * time, so that setting, moving and dropping one costs nothing and a tick
 * looks only at those that are due.
 */
#ifndef DEADLINE_H
#define DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

struct deadline {
	struct deadline *next, *prev; /* NULL while it is not set */
	uint64_t at;
};

struct deadlines {
	struct deadline ring; /* its next is due first */
	uint64_t wait;	      /* how long everyone waits; 0: for ever */
};

/* All of them wait `wait` units (microseconds, by our habit). */
void deadlines_init(struct deadlines *d, uint64_t wait);

/* Let it expire `wait` from now; one that was set is moved. */
void deadline_set(struct deadlines *d, struct deadline *x, uint64_t now);

/* It will not expire. */
void deadline_drop(struct deadline *x);

bool deadline_is_set(const struct deadline *x);

/* Take one that is due out of the queue and return it; NULL: none is. */
struct deadline *deadlines_due(struct deadlines *d, uint64_t now);

#endif
