/* Who among the workers takes what, and what they are all like. */
#include "master/workers_impl.h"

bool
workers_inherited(const struct workers *ws)
{
	struct worker *w;

	TAILQ_FOREACH(w, &ws->all, link)
	{
		if (w->inherited && w->state != WORKER_DEAD)
			return true;
	}
	return false;
}

bool
workers_congested(const struct workers *ws)
{
	bool congested = false;
	struct worker *w;

	TAILQ_FOREACH(w, &ws->all, link)
	{
		if (w->state == WORKER_DEAD)
			continue;
		chan_flush(w->chan);
		congested |= chan_queued(w->chan) > 0;
	}
	return congested;
}

struct worker *
workers_least(struct workers *ws, enum role role)
{
	struct worker *best = NULL;
	struct post *p;

	TAILQ_FOREACH(p, &ws->posts, link)
	{
		struct worker *w = p->worker;

		if (p->role != role || w == NULL || w->state != WORKER_READY ||
		    w->full || chan_congested(w->chan))
			continue;
		if (best == NULL || w->conns < best->conns)
			best = w;
	}
	return best;
}

struct worker *
workers_relay(struct workers *ws)
{
	struct worker *best = NULL;
	unsigned least = 0, far = 0;
	struct post *p;

	TAILQ_FOREACH(p, &ws->posts, link)
	{
		struct worker *w = p->worker;
		unsigned distance;

		if (p->role != ROLE_RELAY || w == NULL ||
		    w->state != WORKER_READY || w->full)
			continue;
		/* From the one whose turn it is, in a circle. */
		distance = (p->index + WORKERS_RELAY_MAX - ws->turn) %
		    WORKERS_RELAY_MAX;
		if (best == NULL || w->clients < least ||
		    (w->clients == least && distance < far)) {
			best = w;
			least = w->clients;
			far = distance;
		}
	}
	if (best != NULL)
		ws->turn = (best->index + 1) % WORKERS_RELAY_MAX;
	return best;
}

struct worker *
workers_at(struct workers *ws, enum role role, unsigned index)
{
	struct post *p;

	TAILQ_FOREACH(p, &ws->posts, link)
	{
		if (p->role == role && p->index == index && p->worker != NULL &&
		    p->worker->state == WORKER_READY)
			return p->worker;
	}
	return NULL;
}

struct worker *
workers_only(struct workers *ws, enum role role)
{
	struct post *p;

	TAILQ_FOREACH(p, &ws->posts, link)
	{
		if (p->role == role && p->worker != NULL &&
		    p->worker->state == WORKER_READY)
			return p->worker;
	}
	return NULL;
}

bool
workers_all_ready(const struct workers *ws)
{
	struct post *p;

	TAILQ_FOREACH(p, &ws->posts, link)
	{
		if (p->worker == NULL || p->worker->state != WORKER_READY)
			return false;
	}
	return true;
}

void
workers_each(
    struct workers *ws, void (*fn)(void *arg, struct worker *w), void *arg)
{
	struct worker *w;

	/* The dead stay in the list until the loop buries them. */
	TAILQ_FOREACH(w, &ws->all, link)
	{
		if (w->state != WORKER_DEAD)
			fn(arg, w);
	}
}

unsigned
workers_count(const struct workers *ws)
{
	struct worker *w;
	unsigned n = 0;

	TAILQ_FOREACH(w, &ws->all, link)
	n += w->state != WORKER_DEAD;
	return n;
}
