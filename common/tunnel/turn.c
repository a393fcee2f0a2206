/* Turns of the event loop. */
#include "common/tunnel/turn.h"

#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct turn {
	struct event_base *base;
	struct turn_item *end, *next; /* lists */
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
	return t;
}

void
turn_free(struct turn *t)
{
	if (t == NULL)
		return;
	free(t->scratch);
	free(t);
}

void
turn_item_init(struct turn_item *i, void (*fn)(void *), void *arg)
{
	*i = (struct turn_item){ .fn = fn, .arg = arg };
}

static void
insert(struct turn_item **list, struct turn_item *i)
{
	if (i->prev != NULL)
		return;
	i->next = *list;
	if (i->next != NULL)
		i->next->prev = &i->next;
	i->prev = list;
	*list = i;
}

void
turn_cancel(struct turn_item *i)
{
	if (i->prev == NULL)
		return;
	*i->prev = i->next;
	if (i->next != NULL)
		i->next->prev = i->prev;
	i->prev = NULL;
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

/* Call everything that is in the list now; what is added comes next time. */
static void
call_all(struct turn_item **list)
{
	struct turn_item *now = *list;

	*list = NULL;
	if (now != NULL)
		now->prev = &now;
	while (now != NULL) {
		struct turn_item *i = now;

		turn_cancel(i);
		i->fn(i->arg);
	}
}

int
turn_run(struct turn *t)
{
	while (!t->stop) {
		int flags = EVLOOP_ONCE;

		if (t->next != NULL)
			flags |= EVLOOP_NONBLOCK;
		t->now = 0;
		if (event_base_loop(t->base, flags) == -1)
			return -1;
		call_all(&t->next);
		while (t->end != NULL)
			call_all(&t->end);
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
	struct timespec ts;

	if (t->now == 0) {
		clock_gettime(CLOCK_MONOTONIC, &ts);
		t->now =
		    (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
	}
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
