/* Roles http and sni: the process, its channel, and what it holds. */
#include "worker/edge/edge.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/sys/fds.h"
#include "worker/edge/answer.h"
#include "worker/edge/visitor.h"

#define OWN_FDS 16 /* of this process itself, amply */

/* Until EDGE_CONF comes. */
#define HEAD_MAX_DEFAULT 16384
#define WAIT_DEFAULT_MS 10000
#define CONNS_DEFAULT 65536

#define FOR_EVER (UINT64_MAX / 4)

/* FULL when the reserve is reached; ROOM when twice as much is free. */
static void
tell_room(struct edge *e)
{
	size_t used = e->held + OWN_FDS;
	bool full = fds_full(used, e->nofile, e->full);

	if (full == e->full)
		return;
	e->full = full;
	serve_send(&e->serve, full ? MSG_FULL : MSG_ROOM, 0, NULL, 0);
}

static void
check_drained(struct edge *e)
{
	if (!e->draining || e->held > 0)
		return;
	serve_send(&e->serve, MSG_DRAINED, 0, NULL, 0);
	event_base_loopbreak(e->serve.base);
}

struct edge_conn *
edge_hold(struct edge *e, uint32_t id, int fd, struct deadlines *queue,
    event_callback_fn fn)
{
	static const struct timeval tick = { 0, EDGE_TICK_MS * 1000 };
	struct edge_conn *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->edge = e;
	c->id = id;
	c->fd = fd;
	if (event_assign(&c->event, e->serve.base, fd,
		EV_READ | EV_CLOSED | EV_ET | EV_PERSIST, fn, c) == -1 ||
	    event_add(&c->event, NULL) == -1) {
		free(c);
		return NULL;
	}
	deadline_set(queue, &c->deadline, clock_us());
	if (e->held++ == 0)
		event_add(&e->tick, &tick);
	tell_room(e);
	return c;
}

int
edge_release(struct edge_conn *c)
{
	struct edge *e = c->edge;
	int fd = c->fd;

	event_del(&c->event);
	deadline_drop(&c->deadline);
	free(c);
	if (--e->held == 0)
		event_del(&e->tick);
	/* Not here: the last word on this connection comes first. */
	if (e->held == 0 && e->draining)
		event_active(&e->tick, EV_TIMEOUT, 0);
	tell_room(e);
	return fd;
}

bool
edge_is_over(int fd)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
	socklen_t n = sizeof(peer);
	struct pollfd pfd = { .fd = fd };

	if (getpeername(fd, (struct sockaddr *)&peer, &n) == -1)
		return errno == ENOTCONN;
	/* A converter's: it knows its peer for ever. */
	return peer.ss_family == AF_UNIX && poll(&pfd, 1, 0) == 1 &&
	    (pfd.revents & POLLHUP) != 0;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct edge *e = arg;
	uint64_t now = clock_us();
	struct deadline *d;

	(void)fd;
	(void)what;
	while ((d = deadlines_due(&e->waiting, now)) != NULL)
		visitor_expired((struct edge_conn *)d);
	while ((d = deadlines_due(&e->closing, now)) != NULL)
		answer_expired((struct edge_conn *)d);
	check_drained(e);
}

/* Drop what is held, saying nothing. */
static void
drop_all(struct deadlines *queue)
{
	struct deadline *d;

	while ((d = deadlines_due(queue, UINT64_MAX)) != NULL)
		close(edge_release((struct edge_conn *)d));
}

void
edge_init(struct edge *e, enum role role, size_t nofile)
{
	e->nofile = nofile;
	e->rules.sni = role == ROLE_SNI;
	e->max = CONNS_DEFAULT;
	e->rules.head_max = HEAD_MAX_DEFAULT;
	e->rules.mux_header = e->mux_header;
	strcpy(e->mux_header, "Host");
	deadlines_init(&e->waiting, WAIT_DEFAULT_MS * UINT64_C(1000));
	deadlines_init(&e->closing, ANSWER_LINGER_MS * UINT64_C(1000));
	event_assign(
	    &e->tick, e->serve.base, -1, EV_TIMEOUT | EV_PERSIST, on_tick, e);
}

void
edge_clear(struct edge *e)
{
	/* Their closing ends in a channel that may be gone: be silent. */
	e->full = true;
	e->nofile = 0;
	drop_all(&e->waiting);
	drop_all(&e->closing);
}

static int
on_conf(void *arg, const struct msg *m)
{
	uint32_t head_max, wait_ms, max;
	struct edge *e = arg;
	struct buf b;

	buf_read(&b, m->p, m->n);
	buf_get_u32(&b, &head_max);
	buf_get_u32(&b, &wait_ms);
	buf_get_cstr8(&b, e->mux_header, sizeof(e->mux_header));
	if (buf_get_u32(&b, &max) == -1 || !buf_done(&b) || head_max == 0 ||
	    head_max > HEAD_MAX || max == 0)
		return -1;
	e->rules.head_max = head_max;
	/* Who waits already keeps the deadline that it has. */
	e->waiting.wait = wait_ms == 0 ? FOR_EVER : wait_ms * UINT64_C(1000);
	e->max = max;
	return 0;
}

static int
on_conn(void *arg, const struct msg *m)
{
	const uint8_t lost[] = { VERDICT_DROP, END_NOFILE };
	struct edge_arrival a = { .id = m->id, .fd = m->fd };
	struct edge *e = arg;
	struct msg_conn conn;
	struct buf b;

	if (m->fd != -1) {
		buf_read(&b, m->p, m->n);
		if (msg_get_conn(&b, &conn) == -1 ||
		    buf_get_u8(&b, &a.flags) == -1)
			return -1;
		a.peer = conn.peer;
		visitor_new(e, &a);
		return 0;
	}
	/* Exhausted in spite of the reserve: others hold descriptors too. */
	serve_send(&e->serve, MSG_VERDICT, m->id, lost, sizeof(lost));
	return 0;
}

static int
on_noroute(void *arg, const struct msg *m)
{
	struct answer a = { .text = NULL };
	uint8_t lost[17] = { END_NOFILE };
	struct edge *e = arg;
	struct buf b;

	buf_read(&b, m->p, m->n);
	buf_get_u16(&b, &a.status);
	buf_get_u16(&b, &a.skip);
	buf_get_u16(&b, &a.https);
	if (addr_get(&b, &a.peer) == -1)
		return -1;
	if (e->rules.sni)
		a.alert = answer_alert(a.status);
	if (m->fd != -1)
		answer_begin(e, m->id, m->fd, &a);
	else
		serve_send(&e->serve, MSG_CLOSED, m->id, lost, sizeof(lost));
	return 0;
}

static int
on_drain(void *arg, const struct msg *m)
{
	struct edge *e = arg;

	(void)m;
	e->draining = true;
	check_drained(e);
	return 0;
}

const chan_handler edge_handlers[MSG_TYPES] = {
	[MSG_PING] = serve_ping,
	[MSG_LEVEL] = serve_level,
	[MSG_EXIT] = serve_exit,
	[MSG_DRAIN] = on_drain,
	[MSG_EDGE_CONF] = on_conf,
	[MSG_CONN] = on_conn,
	[MSG_NOROUTE] = on_noroute,
};

int
edge_main(const struct msg_boot *boot)
{
	struct rlimit limit = { 0 };
	struct edge *e;
	int status;

	if ((e = calloc(1, sizeof(*e))) == NULL ||
	    getrlimit(RLIMIT_NOFILE, &limit) == -1 ||
	    serve_init(&e->serve) == -1)
		return 2;
	if (boot->nofile != 0 && boot->nofile < limit.rlim_cur)
		limit.rlim_cur = boot->nofile;
	edge_init(e, boot->role, limit.rlim_cur);
	status = serve_run(&e->serve, boot, edge_handlers);
	/* What is held is reset by our end. */
	return status;
}
