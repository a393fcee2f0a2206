/*
 * Datagrams that wait until they can go on, in order, each with the number of
 * what it belongs to. They count in a budget. All zero is none.
 */
#ifndef LATE_H
#define LATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/ring.h"
#include "common/tunnel/budget.h"

struct late {
	struct ring ring;
};

struct late_item {
	uint32_t id;
	size_t n;
	const uint8_t *p; /* n bytes, until it is taken or others come */
};

/*
 * Add n bytes, copied. -1: more than `max` bytes would wait, or the budget or
 * memory is used up; it may help to take the oldest.
 */
int late_put(struct late *l, struct tunnel_budget *b, uint32_t id,
    const void *p, size_t n, size_t max);

/* The oldest. False: none waits. */
bool late_first(const struct late *l, struct late_item *i);

/* That one is done with. */
void late_take(
    struct late *l, struct tunnel_budget *b, const struct late_item *i);

/* None waits, nor is any memory in use. */
void late_free(struct late *l, struct tunnel_budget *b);

#endif
