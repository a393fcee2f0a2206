/* A child process. */
#include "client/child.h"

#include <sys/wait.h>

#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/parent.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/sys/proc.h"

#define BACKOFF_MS 250
#define BACKOFF_MAX 30000
#define FRESH_MS 10000	 /* who lived so long starts afresh */
#define TRIES_AT_START 3 /* without ever getting READY */

struct child {
	struct parent *parent;
	enum role role;
	const struct child_ops *ops;
	struct chan_ops chan_ops;
	char path[PATH_MAX];
	pid_t pid;		 /* 0: there is none, or it is reaped */
	struct chan *chan, *old; /* old: ended, to be freed from the loop */
	bool alive, ready, ever_ready, retired;
	unsigned delay, tries;
	uint64_t started, pinged;
	const char *why;     /* it was killed; NULL: by itself */
	struct event *timer; /* READY, the heartbeat, the next start */
	struct event *bury;
};

static void
set_timer(struct child *c, unsigned ms)
{
	struct timeval tv = { (time_t)(ms / 1000),
		(suseconds_t)(ms % 1000 * 1000) };

	evtimer_add(c->timer, &tv);
}

/* Its channel has ended: it will be reaped, then started again. */
static void
lose(struct child *c)
{
	if (!c->alive)
		return;
	c->alive = c->ready = false;
	evtimer_del(c->timer);
	c->old = c->chan;
	c->chan = NULL;
	event_active(c->bury, EV_TIMEOUT, 0);
	if (c->pid != 0)
		kill(c->pid, SIGKILL);
	c->ops->gone(c);
}

static void
on_bury(evutil_socket_t fd, short what, void *arg)
{
	struct child *c = arg;

	(void)fd;
	(void)what;
	chan_free(c->old);
	c->old = NULL;
}

void
child_end(struct child *c, const char *why)
{
	if (!c->alive)
		return;
	c->why = why;
	chan_close(c->chan);
	lose(c);
}

static void
on_ended(void *arg, const char *why)
{
	struct child *c = arg;

	/* An end of its own accord is told by its exit status. */
	if (strcmp(why, "broken frame") == 0)
		c->why = "it sent a broken frame";
	lose(c);
}

static void
send_boot(struct child *c)
{
	const struct parent *p = c->parent;
	bool proof = c->role == ROLE_PROOF;
	struct msg_boot m = {
		.role = c->role,
		.log_level = (uint8_t)log_get_level(),
		.privileged = p->privileged,
		.uid = proof ? p->uids.proof : p->uids.network,
		.gid = proof ? p->uids.proof_gid : p->uids.network_gid,
	};
	uint8_t payload[MSG_PAYLOAD_MAX];
	struct buf b;

	/* The resolver reads files; Landlock says which. */
	if (c->role != ROLE_RESOLVE)
		snprintf(m.chroot, sizeof(m.chroot), "%s", p->jail);
	buf_write(&b, payload, sizeof(payload));
	msg_put_boot(&b, &m);
	child_send(c, MSG_BOOT, 0, payload, buf_used(&b));
}

/* One attempt to start it. 0, or -1 after a log line. */
static int
start(struct child *c)
{
	char title[32];
	int fds[2];

	if (chan_pair(fds) == -1) {
		log_warn("cannot start %s", c->path);
		return -1;
	}
	c->chan =
	    chan_new(c->parent->base, fds[0], c->role, true, &c->chan_ops, c);
	if (c->chan == NULL) {
		log_warn("cannot start %s", c->path);
		close(fds[0]);
		close(fds[1]);
		return -1;
	}
	snprintf(title, sizeof(title), "ptp: %s", role_name(c->role));
	c->pid = proc_spawn(c->path, title, fds[1]);
	close(fds[1]);
	if (c->pid == -1) {
		log_warn("cannot start %s", c->path);
		c->pid = 0;
		chan_free(c->chan);
		c->chan = NULL;
		return -1;
	}
	c->alive = true;
	c->pinged = 0;
	c->why = NULL;
	c->started = clock_ms();
	set_timer(c, CHILD_READY_MS);
	send_boot(c);
	c->ops->boot(c);
	return 0;
}

/* Start it at once if it has lived long, else after a while. */
static void
schedule(struct child *c)
{
	if (c->retired)
		return;
	if (!c->ever_ready && ++c->tries >= TRIES_AT_START) {
		log_error("%s does not start", c->path);
		parent_exit(c->parent, 2);
		return;
	}
	if (clock_ms() - c->started >= FRESH_MS)
		c->delay = 0;
	set_timer(c, c->delay);
	c->delay = c->delay == 0 ? BACKOFF_MS : c->delay * 2;
	if (c->delay > BACKOFF_MAX)
		c->delay = BACKOFF_MAX;
}

/* The heartbeat. */
static void
beat(struct child *c)
{
	if (c->pinged != 0 && clock_ms() - c->pinged >= CHILD_PONG_MS) {
		child_end(c, "it does not answer");
		return;
	}
	set_timer(c, CHILD_PING_MS);
	if (c->pinged == 0) {
		c->pinged = clock_ms();
		child_send(c, MSG_PING, 0, NULL, 0);
	}
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct child *c = arg;

	(void)fd;
	(void)what;
	if (c->ready)
		beat(c);
	else if (c->alive)
		child_end(c, "it was not ready in time");
	else if (start(c) == -1)
		schedule(c);
}

struct child *
child_new(struct parent *p, enum role role, const char *program,
    const struct child_ops *ops)
{
	struct child *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->parent = p;
	c->role = role;
	c->ops = ops;
	c->chan_ops.handlers = ops->handlers;
	c->chan_ops.ended = on_ended;
	if (proc_libexec(program, c->path, sizeof(c->path)) == -1) {
		log_error("cannot find %s, neither beside ptp nor in %s",
		    program, PTP_LIBEXECDIR);
		free(c);
		return NULL;
	}
	c->timer = evtimer_new(p->base, on_timer, c);
	c->bury = event_new(p->base, -1, 0, on_bury, c);
	if (c->timer == NULL || c->bury == NULL) {
		child_free(c);
		return NULL;
	}
	if (start(c) == -1)
		schedule(c);
	return c;
}

void
child_free(struct child *c)
{
	if (c == NULL)
		return;
	if (c->timer != NULL)
		event_free(c->timer);
	if (c->bury != NULL)
		event_free(c->bury);
	chan_free(c->chan);
	chan_free(c->old);
	if (c->pid != 0) {
		kill(c->pid, SIGKILL);
		while (waitpid(c->pid, NULL, 0) == -1 && errno == EINTR)
			;
	}
	free(c);
}

struct parent *
child_parent(const struct child *c)
{
	return c->parent;
}

bool
child_is_ready(const struct child *c)
{
	return c != NULL && c->ready;
}

void
child_send(struct child *c, uint8_t type, uint32_t id, const void *p, size_t n)
{
	child_send_fd(c, type, id, p, n, -1);
}

int
child_send_fd(
    struct child *c, uint8_t type, uint32_t id, const void *p, size_t n, int fd)
{
	/* Before READY only what configures it may come. */
	if (c == NULL || !c->alive || (!c->ready && !msg_row(type)->booting)) {
		if (fd != -1)
			close(fd);
		return -1;
	}
	if (chan_send(c->chan, type, id, p, n, fd) == 0)
		return 0;
	if (errno == ENOBUFS)
		child_end(c, "it does not read");
	return -1;
}

int
child_on_ready(void *child, const struct msg *m)
{
	struct child *c = child;
	uint32_t missing = 0;
	struct buf b;

	if (c->ready)
		return -1;
	buf_read(&b, m->p, m->n);
	buf_get_u32(&b, &missing);
	c->parent->missing |= missing;
	c->ready = c->ever_ready = true;
	chan_set_ready(c->chan);
	set_timer(c, CHILD_PING_MS);
	log_debug("%s (pid %d) is ready", role_name(c->role), (int)c->pid);
	c->ops->ready(c);
	return 0;
}

int
child_on_log(void *child, const struct msg *m)
{
	const struct child *c = child;
	char text[TEXT_ESCAPED];

	if (m->p[0] > LOG_LEVEL_FATAL)
		return -1;
	log_from((enum log_level)m->p[0], role_name(c->role), -1, (long)c->pid,
	    text_escape(text, m->p + 1, m->n - 1));
	return 0;
}

int
child_on_pong(void *child, const struct msg *m)
{
	struct child *c = child;

	(void)m;
	c->pinged = 0;
	return 0;
}

void
child_reaped(struct child *c, int pid, int status)
{
	char text[96];
	bool fine;

	if (c == NULL || c->pid != pid)
		return;
	c->pid = 0;
	if (c->alive) {
		/* Its last frames may still lie in the channel. */
		chan_close(c->chan);
		lose(c);
	}
	fine = c->retired && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (c->why != NULL)
		log_error("%s (pid %d) was ended: %s", role_name(c->role), pid,
		    c->why);
	else
		log_at(fine ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR,
		    "%s (pid %d) %s", role_name(c->role), pid,
		    proc_status_text(text, sizeof(text), status));
	schedule(c);
}

void
child_retire(struct child *c)
{
	if (c != NULL)
		c->retired = true;
}
