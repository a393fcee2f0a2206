/* Supervision: posts, and the workers that fill them. */
#include "master/workers_impl.h"

#include <sys/wait.h>

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/sys/proc.h"
#include "master/master.h"

/* Free those that nobody waits for any more. */
static void
on_bury(evutil_socket_t fd, short what, void *arg)
{
	struct workers *ws = arg;
	struct worker *w, *next;

	(void)fd;
	(void)what;
	for (w = TAILQ_FIRST(&ws->all); w != NULL; w = next) {
		next = TAILQ_NEXT(w, link);
		if (!w->mourned || !w->reaped)
			continue;
		TAILQ_REMOVE(&ws->all, w, link);
		worker_free(w);
	}
}

/* Fill a post at once if its last worker lived long, else after a while. */
static void
schedule(struct post *p, bool fresh)
{
	unsigned delay = fresh ? 0 : p->delay;
	struct timeval tv = { (time_t)(delay / 1000),
		(suseconds_t)(delay % 1000 * 1000) };

	p->delay = delay == 0 ? WORKERS_BACKOFF_MS : delay * 2;
	if (p->delay > WORKERS_BACKOFF_MAX)
		p->delay = WORKERS_BACKOFF_MAX;
	evtimer_add(p->timer, &tv);
}

/* A worker's channel has closed. */
static void
on_gone(struct worker *w)
{
	struct workers *ws = w->master->workers;
	struct post *p = w->post;

	w->post = NULL;
	if (p != NULL) {
		p->worker = NULL;
		if (!ws->retired) {
			ws->restarts++;
			schedule(
			    p, clock_ms() - w->started >= WORKERS_FRESH_MS);
		}
	}
	ws->ops->worker.gone(w);
	event_active(ws->bury, EV_TIMEOUT, 0);
}

struct workers *
workers_new(struct master *m, const struct workers_ops *ops)
{
	struct workers *ws;

	if ((ws = calloc(1, sizeof(*ws))) == NULL)
		return NULL;
	ws->master = m;
	ws->ops = ops;
	ws->worker_ops = ops->worker;
	ws->worker_ops.gone = on_gone;
	TAILQ_INIT(&ws->posts);
	TAILQ_INIT(&ws->all);
	if ((ws->bury = event_new(m->base, -1, 0, on_bury, ws)) == NULL) {
		free(ws);
		return NULL;
	}
	return ws;
}

static const struct {
	enum role role;
	const char *name;
} programs[] = { { ROLE_HTTP, "ptpd-worker" }, { ROLE_UDP, "ptpd-worker" },
	{ ROLE_SNI, "ptpd-worker" }, { ROLE_KEYS, "ptpd-worker" },
	{ ROLE_AUTH, "ptpd-worker" }, { ROLE_RELAY, "ptpd-relay" },
	{ ROLE_TLS, "ptpd-tls" }, { ROLE_SIGN, "ptpd-sign" },
	{ ROLE_FETCH, "ptpd-fetch" }, { ROLE_REPORT, "ptpd-worker" },
	{ ROLE_API, "ptpd-worker" } };

#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

int
workers_find(struct workers *ws, char why[WORKERS_WHY])
{
	char found[PATH_MAX], *path;
	int ret = 0;

	for (size_t i = 0; i < PROGRAMS; i++) {
		path = ws == NULL ? found : ws->path[programs[i].role];
		if (proc_libexec(programs[i].name, path, PATH_MAX) == 0)
			continue;
		snprintf(why, WORKERS_WHY,
		    "cannot find %s, neither beside ptpd nor in %s",
		    programs[i].name, PTP_LIBEXECDIR);
		ret = -1;
	}
	return ret;
}

/* It was not there when an image went on that could not be replaced. */
static bool
is_found(struct workers *ws, enum role role)
{
	char *path = ws->path[role];

	for (size_t i = 0; path[0] == '\0' && i < PROGRAMS; i++) {
		if (programs[i].role == role &&
		    proc_libexec(programs[i].name, path, PATH_MAX) == -1)
			log_error("cannot find %s", programs[i].name);
	}
	return path[0] != '\0';
}

static void
on_fill(evutil_socket_t fd, short what, void *arg)
{
	struct post *p = arg;
	struct workers *ws = p->workers;
	struct worker *w;

	(void)fd;
	(void)what;
	if (p->worker != NULL || ws->retired)
		return;
	w = is_found(ws, p->role) ? worker_start(ws->master, &ws->worker_ops,
					ws->path[p->role], p->role, p->index)
				  : NULL;
	if (w == NULL) {
		schedule(p, false);
		return;
	}
	TAILQ_INSERT_TAIL(&ws->all, w, link);
	p->worker = w;
	w->post = p;
	if (ws->ops->boot(w) == -1)
		worker_kill(w, "could not be set up");
}

static struct post *
new_post(struct workers *ws, enum role role, unsigned index)
{
	struct post *p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->timer = evtimer_new(ws->master->base, on_fill, p);
	if (p->timer == NULL) {
		free(p);
		return NULL;
	}
	p->workers = ws;
	p->role = role;
	p->index = index;
	TAILQ_INSERT_TAIL(&ws->posts, p, link);
	return p;
}

static void
add_post(struct workers *ws, enum role role, unsigned index)
{
	struct post *p;

	if ((p = new_post(ws, role, index)) == NULL)
		log_warn("cannot start %s %u", role_name(role), index);
	else
		on_fill(-1, 0, p);
}

/* Its worker has no post any more, and ends when it has nothing left. */
static void
vacate(struct post *p)
{
	struct worker *w = p->worker;

	if (w == NULL)
		return;
	p->worker = NULL;
	w->post = NULL;
	worker_drain(w);
}

static void
drop_post(struct workers *ws, struct post *p)
{
	TAILQ_REMOVE(&ws->posts, p, link);
	vacate(p);
	event_free(p->timer);
	free(p);
}

void
workers_want(struct workers *ws, enum role role, unsigned n)
{
	struct post *p, *next;
	unsigned have = 0;

	for (p = TAILQ_FIRST(&ws->posts); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->role != role)
			continue;
		if (p->index >= n)
			drop_post(ws, p);
		else
			have++;
	}
	for (; have < n; have++)
		add_post(ws, role, have);
}

void
workers_renew(struct workers *ws, enum role role)
{
	struct post *p;

	TAILQ_FOREACH(p, &ws->posts, link)
	{
		if (p->role != role)
			continue;
		vacate(p);
		on_fill(-1, 0, p);
	}
}

void
workers_retire(struct workers *ws)
{
	struct post *p;

	ws->retired = true;
	TAILQ_FOREACH(p, &ws->posts, link)
	event_del(p->timer);
}

void
workers_free(struct workers *ws)
{
	struct worker *w;
	struct post *p;

	if (ws == NULL)
		return;
	TAILQ_FOREACH(w, &ws->all, link)
	{
		if (!w->reaped && w->pid > 0) {
			kill(w->pid, SIGKILL);
			waitpid(w->pid, NULL, 0);
		}
		chan_close(w->chan);
		w->reaped = w->mourned = true;
		w->state = WORKER_DEAD;
	}
	on_bury(-1, 0, ws);
	while ((p = TAILQ_FIRST(&ws->posts)) != NULL) {
		p->worker = NULL;
		drop_post(ws, p);
	}
	event_free(ws->bury);
	free(ws);
}

void
workers_reap(struct workers *ws)
{
	struct worker *w;
	int status;

	TAILQ_FOREACH(w, &ws->all, link)
	{
		if (!w->reaped && w->pid > 0 &&
		    waitpid(w->pid, &status, WNOHANG) == w->pid)
			worker_reaped(w, status);
	}
	event_active(ws->bury, EV_TIMEOUT, 0);
}

int
workers_add(struct workers *ws, struct worker *w, bool posted)
{
	struct post *p;

	TAILQ_INSERT_TAIL(&ws->all, w, link);
	if (!posted)
		return 0;
	if ((p = new_post(ws, w->role, w->index)) == NULL)
		return -1;
	p->worker = w;
	w->post = p;
	return 0;
}

const struct worker_ops *
workers_worker_ops(const struct workers *ws)
{
	return &ws->worker_ops;
}

unsigned
workers_restarts(const struct workers *ws)
{
	return ws->restarts;
}
