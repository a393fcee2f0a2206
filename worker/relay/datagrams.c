/* Services with UDP ports. */
#include "worker/relay/datagrams.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/ipc/access.h"
#include "common/net/flowpipe.h"
#include "common/tunnel/late.h"
#include "worker/relay/gate.h"
#include "worker/relay/journal.h"
#include "worker/relay/offer.h"
#include "worker/relay/session.h"
#include "worker/relay/upstream.h"

#define US_PER_S 1000000
#define US_PER_MS 1000

_Static_assert(FLOWPIPE_SCRATCH <= TURN_SCRATCH, "one scratch for both");

struct flow {
	struct pipe *pipe;
	struct stream *stream; /* NULL: no tunnel would take it so far */
	struct offer *own;     /* limits of the service, while it has one */
	uint32_t id;
	struct addr peer, local;
	uint64_t up, down, dropped;
	uint64_t since; /* turn_now() */
	bool denied;	/* its source may not use the service */
	bool served;	/* it has had a stream */
	unsigned late;	/* datagrams of it that wait for one */
};

/* The flows of one service. */
struct pipe {
	struct pipe *next; /* of the session */
	struct session *session;
	struct relay *relay;
	uint16_t service;
	struct flowpipe *line;
	struct idmap flows;
	struct event *ev;
	struct turn_item flush, again, room;
	struct late late; /* of flows without a stream, so far */
	struct grave grave;
	bool broken; /* ends with this turn */
	bool dead;   /* buried */
};

static void
count(struct pipe *p, enum counter what, uint64_t n)
{
	struct counters *c = p->relay->counters;

	counter_add(&c->all[what], n);
	counter_add(&c->clients[p->session->client][what], n);
}

/* It is no user any more. */
static void
leave(struct flow *f)
{
	f->stream = NULL;
	f->pipe->session->users--;
	offer_give(f->own);
	f->own = NULL;
	count(f->pipe, COUNTER_CLOSED, 1);
}

/* Its line in the access log. */
static void
record(const struct flow *f)
{
	struct relay *r = f->pipe->relay;
	uint64_t took = (turn_now(r->turn) - f->since) / US_PER_MS;
	struct access a = { .scheme = SCHEME_UDP,
		.took = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took,
		.up = f->up,
		.down = f->down,
		.peer = f->peer };

	strcpy(a.client, f->pipe->session->id);
	addr_format(a.name, &f->local);
	journal_flow(r, &a);
}

/* Its stream is gone or was never there. */
static void
flow_free(struct flow *f)
{
	if (f->served)
		record(f);
	idmap_take(&f->pipe->flows, f->id);
	free(f);
}

static void
flow_close(struct flow *f)
{
	struct stream *s = f->stream;

	if (s == NULL)
		return;
	leave(f);
	stream_end(s, RESET_TIMEOUT);
}

/* The pipe is over: all its flows end, and the other side sees the end. */
static void
pipe_end(struct pipe *p)
{
	struct pipe **at = &p->session->pipes;
	struct flow *f;
	size_t slot = 0;

	if (p->dead)
		return;
	p->dead = true;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	while ((f = idmap_next(&p->flows, &slot)) != NULL) {
		flow_close(f);
		flow_free(f);
	}
	idmap_free(&p->flows);
	turn_cancel(&p->flush);
	turn_cancel(&p->again);
	turn_cancel(&p->room);
	late_free(&p->late, &p->session->quota->budget);
	event_free(p->ev);
	flowpipe_free(p->line);
	p->line = NULL;
	p->relay->pairs--;
	relay_bury(p->relay, &p->grave, p);
}

static void
on_flush(void *arg)
{
	struct pipe *p = arg;

	if (p->broken || flowpipe_flush(p->line) == -1)
		pipe_end(p);
}

/* Tell the other side that a flow is over. */
static void
say_end(struct pipe *p, uint32_t flow)
{
	if (flowpipe_end(p->line, flow) == -1)
		p->broken = true;
	turn_end(p->relay->turn, &p->flush);
}

/* ---- from users ---- */

static bool
is_denied(const struct pipe *p, const struct addr *peer)
{
	const struct service *sv = session_service(p->session, p->service);

	return sv == NULL || !gate_stream(sv, peer);
}

static int
flow_open(struct pipe *p, const struct flow_frame *in)
{
	struct flow *f;

	if (idmap_get(&p->flows, in->flow) != NULL || in->flow == 0)
		return -1;
	if (p->flows.count >= DATAGRAMS_FLOWS_MAX)
		return -1;
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return 0;
	f->pipe = p;
	f->id = in->flow;
	f->peer = in->peer;
	f->local = in->local;
	f->since = turn_now(p->relay->turn);
	f->denied = is_denied(p, &f->peer);
	if (idmap_put(&p->flows, f->id, f) == -1)
		free(f);
	return 0;
}

/* The client, or this service, has as many users as it may. */
static bool
is_full(const struct pipe *p)
{
	const struct session *s = p->session;

	return (s->streams_max > 0 && s->users >= s->streams_max) ||
	    offer_is_full(s, p->service);
}

/* Open its stream, if a tunnel takes one now. */
static bool
flow_stream(struct flow *f)
{
	struct session *s = f->pipe->session;
	struct tunnel_open o = { .service = f->pipe->service,
		.scheme = SCHEME_UDP,
		.peer = f->peer,
		.local = f->local };
	struct tunnel *t;

	if (f->stream != NULL)
		return true;
	if (f->denied || f->pipe->relay->draining || session_is_gone(s) ||
	    is_full(f->pipe) || (t = session_tunnel(s)) == NULL ||
	    (f->stream = tunnel_open(t, &o, f)) == NULL)
		return false;
	f->served = true;
	f->own = offer_take(s, f->pipe->service);
	s->users++;
	count(f->pipe, COUNTER_OPENED, 1);
	return true;
}

/* Whether so many bytes may go that way now. They do not wait. */
static bool
may_pass(struct flow *f, enum quota_way way, size_t n)
{
	return (f->own == NULL || meter_pass(&f->own->meter[way], n)) &&
	    meter_pass(&f->pipe->session->quota->way[way].meter, n);
}

static void
count_lost(struct flow *f)
{
	f->dropped++;
	count(f->pipe, COUNTER_DROPPED, 1);
}

static void
flow_send(struct flow *f, const void *bytes, size_t n)
{
	if (flow_stream(f) && may_pass(f, QUOTA_UP, n) &&
	    stream_dgram(f->stream, bytes, n) == 0) {
		f->up += n;
		count(f->pipe, COUNTER_UP, n);
		return;
	}
	count_lost(f);
}

/* The client has as many streams to answer as it may have. */
static bool
must_wait(const struct flow *f)
{
	struct session *s = f->pipe->session;

	return f->stream == NULL && !f->denied && !f->pipe->relay->draining &&
	    !session_is_gone(s) && !is_full(f->pipe) &&
	    session_tunnel(s) == NULL;
}

/* It waits no more. Returns its flow, if that is still there. */
static struct flow *
take_late(struct pipe *p, const struct late_item *i)
{
	struct flow *f = idmap_get(&p->flows, i->id);

	late_take(&p->late, &p->session->quota->budget, i);
	if (f != NULL)
		f->late--;
	return f;
}

/* It waits; for it the oldest go, where there is a bound. */
static void
wait_for_stream(struct flow *f, const struct flow_frame *in)
{
	struct pipe *p = f->pipe;
	struct late_item first;
	struct flow *loser;

	while (late_put(&p->late, &p->session->quota->budget, f->id, in->p,
		   in->n, DATAGRAMS_LATE) == -1) {
		if (!late_first(&p->late, &first)) {
			count_lost(f);
			return;
		}
		if ((loser = take_late(p, &first)) != NULL)
			count_lost(loser);
	}
	f->late++;
}

/* A stream was answered: those who waited may have one. */
static void
on_room(void *arg)
{
	struct pipe *p = arg;
	struct late_item i;
	struct flow *f;

	while (late_first(&p->late, &i)) {
		f = idmap_get(&p->flows, i.id);
		if (f != NULL && must_wait(f))
			return;
		if (f != NULL)
			flow_send(f, i.p, i.n);
		else
			count(p, COUNTER_DROPPED, 1);
		take_late(p, &i);
	}
	late_free(&p->late, &p->session->quota->budget);
}

static void
offer_room(struct session *s)
{
	upstream_wake(s, 2);
	for (struct pipe *p = s->pipes; p != NULL; p = p->next) {
		if (p->late.ring.used > 0)
			turn_end(p->relay->turn, &p->room);
	}
}

static int
on_frame(void *arg, const struct flow_frame *in)
{
	struct pipe *p = arg;
	struct flow *f;

	if (in->type == FLOW_OPEN)
		return flow_open(p, in);
	/* It may have ended on this side meanwhile. */
	if ((f = idmap_get(&p->flows, in->flow)) == NULL)
		return 0;
	if (in->type == FLOW_DGRAM) {
		if (f->late > 0 || must_wait(f))
			wait_for_stream(f, in);
		else
			flow_send(f, in->p, in->n);
		return 0;
	}
	flow_close(f);
	flow_free(f);
	return 0;
}

/* Read as much as a turn allows. */
static void
pull(struct pipe *p)
{
	size_t sum = 0;
	ssize_t n;

	do {
		n = flowpipe_read(
		    p->line, turn_scratch(p->relay->turn), true, on_frame, p);
		sum += n > 0 ? (size_t)n : 0;
	} while (n > 0 && sum < TURN_READ);
	if (n == -1) {
		if (errno != EPIPE)
			log_warn("%s: its UDP ports", p->session->id);
		pipe_end(p);
	} else if (n > 0) {
		turn_next(p->relay->turn, &p->again);
	}
}

static void
on_again(void *arg)
{
	pull(arg);
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct pipe *p = arg;

	(void)fd;
	if ((what & EV_WRITE) && flowpipe_waits(p->line))
		turn_end(p->relay->turn, &p->flush);
	if (what & (EV_READ | EV_CLOSED))
		pull(p);
}

/* ---- from the service ---- */

void
datagrams_take(void *flow, const struct iovec *iov, int n)
{
	struct flow *f = flow;
	struct pipe *p = f->pipe;
	uint64_t sum = 0;

	for (int i = 0; i < n; i++) {
		if (!may_pass(f, QUOTA_DOWN, iov[i].iov_len)) {
			count_lost(f);
			continue;
		}
		flowpipe_dgram(p->line, f->id, iov[i].iov_base, iov[i].iov_len);
		sum += iov[i].iov_len;
	}
	f->down += sum;
	count(p, COUNTER_DOWN, sum);
	turn_end(p->relay->turn, &p->flush);
}

void
datagrams_ended(void *flow, enum reset reason)
{
	struct flow *f = flow;
	struct pipe *p = f->pipe;

	(void)reason;
	leave(f);
	say_end(p, f->id);
	flow_free(f);
	offer_room(p->session);
}

void
datagrams_opened(void *flow)
{
	const struct flow *f = flow;

	offer_room(f->pipe->session);
}

void
datagrams_lost(void *flow)
{
	count_lost(flow);
}

/* ---- the rest ---- */

void
datagrams_serve(struct relay *r, struct session *s, uint16_t service, int fd)
{
	struct pipe *p, *old;

	for (old = s->pipes; old != NULL && old->service != service;)
		old = old->next;
	if (old != NULL)
		pipe_end(old);
	if ((p = calloc(1, sizeof(*p))) == NULL)
		goto err0;
	p->relay = r;
	p->session = s;
	p->service = service;
	turn_item_init(&p->flush, on_flush, p);
	turn_item_init(&p->again, on_again, p);
	turn_item_init(&p->room, on_room, p);
	p->ev = event_new(r->base, fd,
	    EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, on_event, p);
	if (p->ev == NULL || (p->line = flowpipe_new(fd)) == NULL)
		goto err1;
	event_add(p->ev, NULL);
	p->next = s->pipes;
	s->pipes = p;
	r->pairs++;
	relay_room(r);
	return;

err1:
	if (p->ev != NULL)
		event_free(p->ev);
	free(p);
err0:
	close(fd);
	log_warnx("%s: no memory for its UDP ports", s->id);
}

void
datagrams_release(struct session *s)
{
	struct flow *f;
	size_t at;

	for (struct pipe *p = s->pipes; p != NULL; p = p->next) {
		for (at = 0; (f = idmap_next(&p->flows, &at)) != NULL;) {
			if (f->stream != NULL &&
			    session_leaves(s, stream_tunnel(f->stream)))
				flow_close(f);
		}
	}
}

void
datagrams_review(struct session *s)
{
	struct flow *f;
	size_t at;

	for (struct pipe *p = s->pipes; p != NULL; p = p->next) {
		for (at = 0; (f = idmap_next(&p->flows, &at)) != NULL;) {
			f->denied = is_denied(p, &f->peer);
			if (f->denied)
				flow_close(f);
		}
	}
}

void
datagrams_forget_session(struct session *s)
{
	while (s->pipes != NULL)
		pipe_end(s->pipes);
}

void
datagrams_each(struct relay *r, datagrams_fn *fn, void *arg)
{
	for (struct session *s = r->sessions; s != NULL; s = s->next) {
		for (struct pipe *p = s->pipes; p != NULL; p = p->next) {
			struct flow *f;
			size_t at = 0;

			while ((f = idmap_next(&p->flows, &at)) != NULL) {
				struct datagrams_info i = { .session = s,
					.peer = f->peer,
					.local = f->local,
					.up = f->up,
					.down = f->down,
					.dropped = f->dropped,
					.seconds =
					    (turn_now(r->turn) - f->since) /
					    US_PER_S };

				fn(arg, &i);
			}
		}
	}
}
