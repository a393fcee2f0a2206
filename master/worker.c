/* One worker process. */
#include "master/worker.h"

#include <sys/wait.h>

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/sys/proc.h"
#include "master/master.h"

/* Why a channel ends for what came through it, as chan.c says it. */
#define CHAN_BROKEN "broken frame"

/* What the channel calls, and the owner's share behind it. */
struct handle {
	struct worker w; /* first: the handle is the worker */
	const struct worker_ops *ops;
};

static const struct worker_ops *
ops_of(const struct worker *w)
{
	return ((const struct handle *)w)->ops;
}

static void
set_timer(struct event *ev, unsigned ms)
{
	struct timeval tv = { (time_t)(ms / 1000),
		(suseconds_t)(ms % 1000 * 1000) };

	evtimer_add(ev, &tv);
}

/* Whatever it does, not any more. */
static void
end_process(const struct worker *w)
{
	if (!w->reaped && w->pid > 0) /* others would be whole groups */
		kill(w->pid, SIGKILL);
}

/*
 * The channel is closed, by whomever: the process has nothing to do any more,
 * and what it held is lost.
 */
static void
bereave(struct worker *w)
{
	w->state = WORKER_DEAD;
	event_del(w->timer);
	/* Whoever sends a frame must not find its tables changed by that. */
	event_active(w->timer, EV_TIMEOUT, 0);
}

/* One that closed its channel is about to exit, and should say how. */
static void
mourn(struct worker *w)
{
	if (w->mourned) {
		end_process(w);
		return;
	}
	w->mourned = true;
	if (!w->reaped)
		set_timer(w->timer, WORKER_EXIT_MS);
	ops_of(w)->gone(w);
}

void
worker_kill(struct worker *w, const char *why)
{
	if (w->state == WORKER_DEAD)
		return;
	snprintf(w->why, sizeof(w->why), "%s", why);
	chan_close(w->chan);
	end_process(w);
	bereave(w);
}

static void
on_ended(void *arg, const char *why)
{
	struct worker *w = arg;

	if (w->state == WORKER_DEAD)
		return;
	/* Every other end is better told by its exit status. */
	if (strcmp(why, CHAN_BROKEN) == 0) {
		worker_kill(w, why);
		return;
	}
	bereave(w);
}

static void
on_drained(void *arg)
{
	struct worker *w = arg;

	ops_of(w)->drained(w);
}

/* It died; or READY did not come in time; or the heartbeat. */
static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;

	(void)fd;
	(void)what;
	if (w->state == WORKER_DEAD) {
		mourn(w);
		return;
	}
	if (w->state == WORKER_BOOTING) {
		worker_kill(w, "not ready in time");
		return;
	}
	if (w->until != 0 && clock_ms() >= w->until) {
		worker_kill(w, "timeouts.drain is over");
		return;
	}
	if (w->pinged != 0 && clock_ms() - w->pinged >= WORKER_PONG_MS) {
		worker_kill(w, "does not answer");
		return;
	}
	set_timer(w->timer, WORKER_PING_MS);
	if (w->pinged == 0 && !w->inherited) {
		w->pinged = clock_ms();
		worker_send(w, MSG_PING, 0, NULL, 0);
	}
}

/* A worker without process yet. Takes fd. */
static struct worker *
make_worker(struct master *m, const struct worker_ops *ops, enum role role,
    unsigned index, int fd)
{
	struct handle *h;
	struct worker *w;

	if ((h = calloc(1, sizeof(*h))) == NULL)
		goto err0;
	h->ops = ops;
	w = &h->w;
	w->master = m;
	w->role = role;
	w->index = index;
	w->pid = -1;
	w->counters_fd = -1;
	w->started = clock_ms();
	w->chan_ops.handlers = ops->handlers(role);
	w->chan_ops.ended = on_ended;
	w->chan_ops.drained = on_drained;
	if ((w->timer = evtimer_new(m->base, on_timer, w)) == NULL)
		goto err1;
	w->chan = chan_new(m->base, fd, role, true, &w->chan_ops, w);
	if (w->chan == NULL)
		goto err2;
	return w;

err2:
	event_free(w->timer);
err1:
	free(h);
err0:
	close(fd);
	return NULL;
}

struct worker *
worker_start(struct master *m, const struct worker_ops *ops, const char *path,
    enum role role, unsigned index)
{
	struct worker *w;
	char title[32];
	int fds[2];

	if (chan_pair(fds) == -1) {
		log_warn("cannot start %s", path);
		return NULL;
	}
	if ((w = make_worker(m, ops, role, index, fds[0])) == NULL) {
		log_warn("cannot start %s", path);
		close(fds[1]);
		return NULL;
	}
	chan_refuse_fds(fds[0]);
	snprintf(title, sizeof(title), "ptpd: %s %u", role_name(role), index);
	w->pid = proc_spawn(path, title, fds[1]);
	close(fds[1]);
	if (w->pid == -1) {
		log_warn("cannot start %s", path);
		w->state = WORKER_DEAD;
		worker_free(w);
		return NULL;
	}
	set_timer(w->timer, WORKER_READY_MS);
	return w;
}

struct worker *
worker_adopt(struct master *m, const struct worker_ops *ops, enum role role,
    unsigned index, pid_t pid, int fd)
{
	struct worker *w;

	if ((w = make_worker(m, ops, role, index, fd)) == NULL)
		return NULL;
	w->pid = pid;
	worker_set_ready(w);
	return w;
}

void
worker_inherit(struct worker *w, uint64_t ms)
{
	w->inherited = true;
	if (ms != 0)
		w->until = clock_ms() + ms;
	worker_drain(w);
}

void
worker_set_ready(struct worker *w)
{
	w->state = WORKER_READY;
	chan_set_ready(w->chan);
	set_timer(w->timer, WORKER_PING_MS);
}

void
worker_send(
    struct worker *w, uint8_t type, uint32_t id, const void *p, size_t n)
{
	worker_send_fd(w, type, id, p, n, -1);
}

void
worker_send_fd(struct worker *w, uint8_t type, uint32_t id, const void *p,
    size_t n, int fd)
{
	if (chan_send(w->chan, type, id, p, n, fd) == -1 && errno == ENOBUFS)
		worker_kill(w, "does not read");
}

int
worker_send_copy(struct worker *w, uint8_t type, uint32_t id, const void *p,
    size_t n, int fd)
{
	if (chan_send_keep(w->chan, type, id, p, n, fd) == 0)
		return 0;
	if (errno == ENOBUFS)
		worker_kill(w, "does not read");
	return -1;
}

void
worker_drain(struct worker *w)
{
	if (w->state == WORKER_DEAD || w->state == WORKER_DRAINING)
		return;
	w->wanted = true;
	if (w->state == WORKER_BOOTING) {
		worker_kill(w, "not needed any more");
		return;
	}
	w->state = WORKER_DRAINING;
	worker_send(w, MSG_DRAIN, 0, NULL, 0);
}

void
worker_exhausted(struct worker *w)
{
	uint64_t now = clock_ms();

	if (w->complained != 0 && now - w->complained < WORKER_COMPLAIN_MS)
		return;
	w->complained = now;
	log_warnx("%s %u (pid %d) has no descriptors left", role_name(w->role),
	    w->index, (int)w->pid);
}

void
worker_reaped(struct worker *w, int status)
{
	bool fine = w->wanted && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	char text[96];

	w->reaped = true;
	if (w->mourned)
		event_del(w->timer);
	if (w->why[0] != '\0')
		log_error("%s %u (pid %d) was ended: %s", role_name(w->role),
		    w->index, (int)w->pid, w->why);
	else
		log_at(fine ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR,
		    "%s %u (pid %d) %s", role_name(w->role), w->index,
		    (int)w->pid, proc_status_text(text, sizeof(text), status));
}

void
worker_free(struct worker *w)
{
	chan_free(w->chan);
	event_free(w->timer);
	counters_free(w->counters);
	if (w->counters_fd != -1)
		close(w->counters_fd);
	free(w);
}

const char *
worker_state_name(const struct worker *w)
{
	static const char *const names[] = { "booting", "ready", "draining",
		"dead" };

	return names[w->state];
}
