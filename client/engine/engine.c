/* The engine's own life: what has ended, the tick, the end of it all. */
#include "client/engine/engine.h"

#include <event2/event.h>
#include <sodium.h>
#include <stdlib.h>

#include "client/engine/local.h"
#include "client/engine/pool.h"
#include "client/engine/rules.h"
#include "common/crypto/record.h"
#include "common/ipc/loop.h"

#define SHUT_WAIT 3 /* ticks: the server has not closed; we go without it */

void
engine_bury(struct engine *e, struct grave *g, void (*fn)(void *), void *dead)
{
	g->fn = fn;
	g->dead = dead;
	g->next = e->graves;
	e->graves = g;
	turn_end(e->turn, &e->bury);
}

static void
bury(void *arg)
{
	struct engine *e = arg;

	while (e->graves != NULL) {
		struct grave *g = e->graves;

		e->graves = g->next;
		g->fn(g->dead);
	}
}

void
engine_settle(struct engine *e)
{
	if (e->stopping)
		turn_end(e->turn, &e->settle);
}

static void
leave(struct engine *e)
{
	chan_send(e->chan, MSG_DRAINED, 0, NULL, 0, -1);
	chan_flush(e->chan);
	turn_stop(e->turn);
}

/* Stopping: whatever has no stream left is ended in order. */
static void
settle(void *arg)
{
	struct engine *e = arg;

	for (struct pool *p = e->pools, *next; p != NULL; p = next) {
		next = p->next;
		pool_settle(p);
	}
	if (e->pools == NULL && LIST_EMPTY(&e->locals))
		leave(e);
}

void
engine_tick(struct engine *e)
{
	local_tick(e);
	for (struct pool *p = e->pools, *next; p != NULL; p = next) {
		next = p->next;
		pool_tick(p);
	}
	if (!e->stopping || !LIST_EMPTY(&e->locals))
		return;
	engine_settle(e);
	if (++e->waited >= SHUT_WAIT)
		leave(e);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	engine_tick(arg);
}

int
engine_prepare(struct engine *e)
{
	if (sodium_init() == -1 || record_init() == -1 ||
	    (e->base = loop_new()) == NULL ||
	    (e->turn = turn_new(e->base)) == NULL ||
	    (e->tick = event_new(e->base, -1, EV_PERSIST, on_tick, e)) == NULL)
		return -1;
	event_add(e->tick, &(struct timeval){ 1, 0 });
	LIST_INIT(&e->locals);
	LIST_INIT(&e->doubts);
	LIST_INIT(&e->flows);
	deadlines_init(&e->connecting, ENGINE_CONNECT_US);
	deadlines_init(&e->flow_waits, ENGINE_CONNECT_US);
	turn_item_init(&e->settle, settle, e);
	turn_item_init(&e->bury, bury, e);
	e->conf = (struct engine_pool){ 1, 1, 45000 };
	return 0;
}

static void
on_ended(void *arg, const char *why)
{
	struct engine *e = arg;

	(void)why;
	turn_stop(e->turn);
}

const struct chan_ops engine_ops = {
	.handlers = engine_handlers,
	.ended = on_ended,
};
