/* Queues of equal deadlines. */
#include "master/waits.h"

#include <event2/event.h>
#include <stdlib.h>

#include "common/base/clock.h"

struct waits {
	TAILQ_HEAD(, wait) queue;
	struct event *timer;
	waits_fn fn;
	void *arg;
};

/* Wake up at the end of the first. */
static void
arm(struct waits *q)
{
	struct wait *first = TAILQ_FIRST(&q->queue);
	uint64_t now = clock_ms(), ms;
	struct timeval tv;

	if (first == NULL)
		return;
	ms = first->at > now ? first->at - now : 0;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	evtimer_add(q->timer, &tv);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct waits *q = arg;
	struct wait *w;

	(void)fd;
	(void)what;
	while ((w = TAILQ_FIRST(&q->queue)) != NULL && w->at <= clock_ms()) {
		waits_remove(w);
		q->fn(q->arg, w->owner);
	}
	arm(q);
}

struct waits *
waits_new(struct event_base *base, waits_fn fn, void *arg)
{
	struct waits *q;

	if ((q = calloc(1, sizeof(*q))) == NULL)
		return NULL;
	TAILQ_INIT(&q->queue);
	q->fn = fn;
	q->arg = arg;
	if ((q->timer = evtimer_new(base, on_timer, q)) == NULL) {
		free(q);
		return NULL;
	}
	return q;
}

void
waits_free(struct waits *q)
{
	struct wait *w;

	if (q == NULL)
		return;
	while ((w = TAILQ_FIRST(&q->queue)) != NULL)
		waits_remove(w);
	event_free(q->timer);
	free(q);
}

void
waits_add(struct waits *q, struct wait *w, void *owner, uint64_t ms)
{
	bool idle = TAILQ_EMPTY(&q->queue);

	waits_remove(w);
	w->at = clock_ms() + ms;
	w->in = q;
	w->owner = owner;
	TAILQ_INSERT_TAIL(&q->queue, w, link);
	/* A timer that runs for one that has left is harmless: it re-arms. */
	if (idle && !evtimer_pending(q->timer, NULL))
		arm(q);
}

void
waits_remove(struct wait *w)
{
	if (w->in == NULL)
		return;
	TAILQ_REMOVE(&w->in->queue, w, link);
	w->in = NULL;
}

bool
waits_on(const struct wait *w)
{
	return w->in != NULL;
}
