/* Services with UDP ports. */
#include "worker/relay/datagrams.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/log.h"
#include "worker/relay/udp_flow.h"
#include "worker/relay/quota.h"
#include "worker/relay/session.h"

#define US_PER_S 1000000

_Static_assert(FLOWPIPE_SCRATCH <= TURN_SCRATCH, "one scratch for both");

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
		udp_flow_close(f);
		udp_flow_free(f);
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

/* Read as much as a turn allows. */
static void
pull(struct pipe *p)
{
	size_t sum = 0;
	ssize_t n;

	do {
		n = flowpipe_read(p->line, turn_scratch(p->relay->turn), true,
		    udp_flow_take, p);
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
	turn_item_init(&p->room, udp_flow_room, p);
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
				udp_flow_close(f);
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
			f->denied = udp_flow_is_denied(p, &f->peer);
			if (f->denied)
				udp_flow_close(f);
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
