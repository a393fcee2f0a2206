/* The end. */
#include "master/stop.h"

#include <event2/event.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/sys/daemon.h"
#include "master/edge.h"
#include "master/listeners.h"
#include "master/ports.h"
#include "master/reload.h"
#include "master/restart.h"
#include "master/sessions.h"
#include "master/visit.h"
#include "master/workers.h"

#define STOP_CALLS 4 /* controllers that are told when it is over */

struct stop {
	struct ctl_call *calls[STOP_CALLS];
	size_t ncalls;
	struct event *timer;
	bool now;
};

/* Have call answered when we end. */
static void
note(struct stop *s, struct ctl_call *call)
{
	if (call == NULL)
		return;
	if (s->ncalls == STOP_CALLS)
		ctl_ok(call);
	else
		s->calls[s->ncalls++] = call;
}

static void
finish(struct master *m)
{
	struct stop *s = m->stop;

	for (size_t i = 0; i < s->ncalls; i++)
		ctl_ok(s->calls[i]);
	s->ncalls = 0;
	log_info("stopped");
	master_quit(m, 0);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	log_info("timeouts.drain is over: what is left is reset");
	finish(arg);
}

static void
drain_mover(void *arg, struct worker *w)
{
	(void)arg;
	if (w->role == ROLE_RELAY || edge_has(w->role))
		worker_drain(w);
}

static void
review(void *arg, void *client)
{
	visit_review(arg, client);
}

static struct stop *
new_stop(struct master *m)
{
	struct stop *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	if ((s->timer = evtimer_new(m->base, on_deadline, m)) == NULL) {
		free(s);
		return NULL;
	}
	return s;
}

static void
drain(struct master *m)
{
	uint64_t ms = m->conf.timeouts.drain;
	struct timeval tv = { (time_t)(ms / 1000),
		(suseconds_t)(ms % 1000 * 1000) };

	log_info("stopping: no new connections, busy ones may end");
	listeners_close(m->listeners);
	ports_close_all(m->ports);
	clients_each(m->clients, review, m);
	workers_each(m->workers, drain_mover, NULL);
	if (ms != 0)
		evtimer_add(m->stop->timer, &tv);
	stop_worker_gone(m);
}

void
stop_begin(struct master *m, struct ctl_call *call)
{
	if (m->stop != NULL || !m->ready) {
		stop_now(m, call);
		return;
	}
	if ((m->stop = new_stop(m)) == NULL) {
		if (call != NULL)
			ctl_ok(call);
		master_quit(m, 0);
		return;
	}
	(void)daemon_notify("STOPPING=1");
	note(m->stop, call);
	reload_cancel(m);
	restart_cancel(m);
	workers_retire(m->workers);
	drain(m);
}

void
stop_now(struct master *m, struct ctl_call *call)
{
	if (m->stop == NULL && (m->stop = new_stop(m)) == NULL) {
		master_quit(m, 0);
		return;
	}
	note(m->stop, call);
	if (m->workers != NULL)
		workers_retire(m->workers);
	finish(m);
}

static void
count_mover(void *arg, struct worker *w)
{
	*(unsigned *)arg += w->role == ROLE_RELAY || edge_has(w->role);
}

void
stop_worker_gone(struct master *m)
{
	unsigned left = 0;

	if (m->stop == NULL)
		return;
	workers_each(m->workers, count_mover, &left);
	if (left == 0)
		finish(m);
}

void
stop_free(struct master *m)
{
	if (m->stop == NULL)
		return;
	event_free(m->stop->timer);
	free(m->stop);
	m->stop = NULL;
}
