/*
 * The posts and who fills them: started, drained, started again. A post is a
 * place that is to be filled (relay 1); a worker is the process that fills it,
 * or one that drains after another took its post.
 */
#ifndef WORKERS_H
#define WORKERS_H

#include <stdbool.h>

#include "master/worker.h"

struct workers;

#define WORKERS_RELAY_MAX 64
#define WORKERS_WHY 256		  /* bytes of a reason */
#define WORKERS_BACKOFF_MS 250	  /* the second restart waits so long, ... */
#define WORKERS_BACKOFF_MAX 30000 /* doubling up to this */
#define WORKERS_FRESH_MS 10000	  /* who lived so long starts afresh */

/* What the rest of the master does with them. */
struct workers_ops {
	struct worker_ops worker;
	/* Send BOOT and its configuration rows. -1: give it up. */
	int (*boot)(struct worker *w);
};

/* NULL: no memory. */
struct workers *workers_new(struct master *m, const struct workers_ops *ops);

/*
 * Find the executables; with ws NULL only look whether they are there. -1 and
 * why: one of them is not.
 */
int workers_find(struct workers *ws, char why[WORKERS_WHY]);

/* End all at once, reap, and free. NULL is allowed. */
void workers_free(struct workers *ws);

/*
 * Have n workers of a role: start what is missing, drain what is too many.
 */
void workers_want(struct workers *ws, enum role role, unsigned n);

/* Drain all of a role; others take their posts at once. */
void workers_renew(struct workers *ws, enum role role);

/* Start nothing any more, whoever dies (we stop). */
void workers_retire(struct workers *ws);

/* A child has died: find out which. For SIGCHLD. */
void workers_reap(struct workers *ws);

/*
 * Add a worker that was adopted: in a post of its role and index, or none.
 * -1: no memory; it is added all the same.
 */
int workers_add(struct workers *ws, struct worker *w, bool posted);

/* Whether there are workers of an earlier image that have not ended. */
bool workers_inherited(const struct workers *ws);

/* Send what waits to be sent. Whether some could not be. */
bool workers_congested(const struct workers *ws);

/* What an adopted worker calls. */
const struct worker_ops *workers_worker_ops(const struct workers *ws);

/*
 * The ready worker of a role with the fewest connections that may take one
 * more. NULL: none.
 */
struct worker *workers_least(struct workers *ws, enum role role);

/* The ready relay with the fewest clients, in turn among equals. */
struct worker *workers_relay(struct workers *ws);

/* The ready worker that fills a role's post of this number. NULL: none now. */
struct worker *workers_at(struct workers *ws, enum role role, unsigned index);

/* The ready worker of a role that exists once. NULL: none now. */
struct worker *workers_only(struct workers *ws, enum role role);

/* Every post has a ready worker. */
bool workers_all_ready(const struct workers *ws);

/* Call fn for every worker that is not dead. fn may kill any. */
void workers_each(
    struct workers *ws, void (*fn)(void *arg, struct worker *w), void *arg);

/* How many are not dead. */
unsigned workers_count(const struct workers *ws);

/* How often a worker was started anew after an end that nobody wanted. */
unsigned workers_restarts(const struct workers *ws);

#endif
