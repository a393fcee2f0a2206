/* What workers.c and workers_pick.c share, and nobody else. */
#ifndef WORKERS_IMPL_H
#define WORKERS_IMPL_H

#include <limits.h>

#include "master/workers.h"

struct event;

struct post {
	struct workers *workers;
	enum role role;
	unsigned index;
	struct worker *worker; /* NULL: to be filled when timer fires */
	unsigned delay;	       /* ms before the next start */
	struct event *timer;
	TAILQ_ENTRY(post) link;
};

struct workers {
	struct master *master;
	const struct workers_ops *ops;
	struct worker_ops worker_ops; /* ours, in front of ops->worker */
	TAILQ_HEAD(, post) posts;
	TAILQ_HEAD(, worker) all;
	struct event *bury;
	char path[ROLE_COUNT][PATH_MAX];
	bool retired;
	unsigned restarts;
	unsigned turn; /* of the relays, among equals */
};

#endif
