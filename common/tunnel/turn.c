/* Turns of the event loop. */
#include "common/tunnel/turn.h"

#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/base/clock.h"

struct turn {
	struct event_base *base;
	struct turn_item end, next; /* rings, in order of asking */
	bool stop;
	uint64_t now; /* 0: not yet asked for in this turn */
	uint8_t *scratch;
};

struct turn *
turn_new(struct event_base *base)
{
	struct turn *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	if ((t->scratch = malloc(TURN_SCRATCH)) == NULL) {
		free(t);
		return NULL;
	}
	t->base = base;
	t->end.next = t->end.prev = &t->end;
	t->next.next = t->next.prev = &t->next;
	return t;
}

void
turn_item_init(struct turn_item *i, void (*fn)(void *), void *arg)
{
	*i = (struct turn_item){ .fn = fn, .arg = arg };
}

static bool
is_empty(const struct turn_item *ring)
{
	return ring->next == ring;
}

static void
insert(struct turn_item *ring, struct turn_item *i)
{
	if (i->prev != NULL)
		return;
	i->prev = ring->prev;
	i->next = ring;
	i->prev->next = i;
	ring->prev = i;
}

void
turn_cancel(struct turn_item *i)
{
	if (i->prev == NULL)
		return;
	i->prev->next = i->next;
	i->next->prev = i->prev;
	i->next = i->prev = NULL;
}

void
turn_end(struct turn *t, struct turn_item *i)
{
	insert(&t->end, i);
}

void
turn_next(struct turn *t, struct turn_item *i)
{
	insert(&t->next, i);
}

/* Call everything that is in the ring now; what is added comes next time. */
static void
call_all(struct turn_item *ring)
{
	struct turn_item now;

	if (is_empty(ring))
		return;
	now = *ring;
	now.next->prev = now.prev->next = &now;
	ring->next = ring->prev = ring;
	while (!is_empty(&now)) {
		struct turn_item *i = now.next;

		turn_cancel(i);
		i->fn(i->arg);
	}
}

static void
settle(struct turn *t)
{
	while (!is_empty(&t->end))
		call_all(&t->end);
}

void
turn_free(struct turn *t)
{
	if (t == NULL)
		return;
	settle(t);
	free(t->scratch);
	free(t);
}

int
turn_once(struct turn *t)
{
	int flags = EVLOOP_ONCE;

	/* What was asked for outside of a turn is done before we wait. */
	settle(t);
	if (!is_empty(&t->next))
		flags |= EVLOOP_NONBLOCK;
	t->now = 0;
	if (event_base_loop(t->base, flags) == -1)
		return -1;
	call_all(&t->next);
	settle(t);
	return 0;
}

int
turn_run(struct turn *t)
{
	while (!t->stop) {
		if (turn_once(t) == -1)
			return -1;
	}
	return 0;
}

void
turn_stop(struct turn *t)
{
	t->stop = true;
}

uint64_t
turn_now(struct turn *t)
{
	if (t->now == 0)
		t->now = clock_us();
	return t->now;
}

uint8_t *
turn_scratch(struct turn *t)
{
	return t->scratch;
}

struct event_base *
turn_base(struct turn *t)
{
	return t->base;
}
