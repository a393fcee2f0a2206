/* Deadlines of many things that all wait equally long. */
#include "common/base/deadline.h"

#include <stddef.h>

void
deadlines_init(struct deadlines *d, uint64_t wait)
{
	d->ring.next = d->ring.prev = &d->ring;
	d->wait = wait;
}

bool
deadline_is_set(const struct deadline *x)
{
	return x->next != NULL;
}

void
deadline_drop(struct deadline *x)
{
	if (x->next == NULL)
		return;
	x->next->prev = x->prev;
	x->prev->next = x->next;
	x->next = x->prev = NULL;
}

void
deadline_set(struct deadlines *d, struct deadline *x, uint64_t now)
{
	deadline_drop(x);
	if (d->wait == 0)
		return;
	x->at = now + d->wait;
	x->prev = d->ring.prev;
	x->next = &d->ring;
	x->prev->next = x;
	d->ring.prev = x;
}

struct deadline *
deadlines_due(struct deadlines *d, uint64_t now)
{
	struct deadline *x = d->ring.next;

	if (x == &d->ring || x->at > now)
		return NULL;
	deadline_drop(x);
	return x;
}
