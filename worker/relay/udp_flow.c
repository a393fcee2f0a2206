/* Users of UDP ports. */
#include "worker/relay/udp_flow.h"

#include <stdlib.h>
#include <string.h>

#include "common/ipc/access.h"
#include "worker/relay/gate.h"
#include "worker/relay/journal.h"
#include "worker/relay/offer.h"
#include "worker/relay/quota.h"
#include "worker/relay/session.h"
#include "worker/relay/upstream.h"

#define US_PER_MS 1000

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
void
udp_flow_free(struct flow *f)
{
	if (f->served)
		record(f);
	idmap_take(&f->pipe->flows, f->id);
	free(f);
}

void
udp_flow_close(struct flow *f)
{
	struct stream *s = f->stream;

	if (s == NULL)
		return;
	leave(f);
	stream_end(s, RESET_TIMEOUT);
}

/* ---- from users ---- */

bool
udp_flow_is_denied(const struct pipe *p, const struct addr *peer)
{
	const struct service *sv = session_service(p->session, p->service);

	return sv == NULL || !gate_stream(sv, peer);
}

static int
open_flow(struct pipe *p, const struct flow_frame *in)
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
	f->denied = udp_flow_is_denied(p, &f->peer);
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
		   in->n, UDP_FLOW_LATE) == -1) {
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
void
udp_flow_room(void *arg)
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

int
udp_flow_take(void *arg, const struct flow_frame *in)
{
	struct pipe *p = arg;
	struct flow *f;

	if (in->type == FLOW_OPEN)
		return open_flow(p, in);
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
	udp_flow_close(f);
	udp_flow_free(f);
	return 0;
}

/* ---- from the service ---- */

/* Tell the other side that a flow is over. */
static void
say_end(struct pipe *p, uint32_t flow)
{
	if (flowpipe_end(p->line, flow) == -1)
		p->broken = true;
	turn_end(p->relay->turn, &p->flush);
}

void
udp_flow_dgrams(void *flow, const struct iovec *iov, int n)
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
udp_flow_ended(void *flow, enum reset reason)
{
	struct flow *f = flow;
	struct pipe *p = f->pipe;

	(void)reason;
	leave(f);
	say_end(p, f->id);
	udp_flow_free(f);
	offer_room(p->session);
}

void
udp_flow_opened(void *flow)
{
	const struct flow *f = flow;

	offer_room(f->pipe->session);
}

void
udp_flow_lost(void *flow)
{
	count_lost(flow);
}
