/* A service with UDP ports. */
#include "worker/udp/service.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/net/datagram.h"
#include "common/net/flowpipe.h"
#include "worker/udp/batch.h"

#define ROUNDS 4 /* batches from one port in a turn */
#define US_PER_MS 1000
#define COMPLAIN_US 1000000 /* between two lines on refused users */

_Static_assert(FLOWPIPE_SCRATCH <= TURN_SCRATCH, "one scratch for both");

struct port {
	struct service *service;
	struct event *ev;
	int fd;
	struct addr local; /* as bound */
	uint32_t dropped;  /* by the kernel, as far as counted */
	bool six;
};

struct service {
	struct udp *udp;
	uint32_t number;
	struct flow_group group;
	struct flowpipe *pipe; /* NULL: its relay is gone, or is to come */
	struct event *readable, *writable;
	struct turn_item flush;
	struct idmap ports;   /* by number */
	uint64_t drops, told; /* datagrams; as the master knows */
};

static void
service_tell(struct udp *u, const struct service *s, uint8_t type)
{
	serve_send(&u->serve, type, s->number, NULL, 0);
}

/* Its flows end with it. */
static void
drop_pipe(struct service *s)
{
	flows_clear(s->udp->flows, &s->group);
	if (s->pipe == NULL)
		return;
	s->drops += flowpipe_drops(s->pipe);
	turn_cancel(&s->flush);
	event_free(s->readable);
	event_free(s->writable);
	flowpipe_free(s->pipe);
	s->readable = s->writable = NULL;
	s->pipe = NULL;
}

/* The relay is gone, or mad. Another will come. */
static void
lose_pipe(struct service *s)
{
	drop_pipe(s);
	service_tell(s->udp, s, MSG_UDP_LOST);
}

static void
on_flush(void *arg)
{
	struct service *s = arg;

	if (flowpipe_flush(s->pipe) == -1)
		lose_pipe(s);
	else if (flowpipe_waits(s->pipe))
		event_add(s->writable, NULL);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	on_flush(arg);
}

/* ---- from users ---- */

static void
complain(struct udp *u, const struct addr *peer, uint64_t now)
{
	char text[ADDR_TEXT];

	if (u->complained != 0 && now < u->complained + COMPLAIN_US)
		return;
	u->complained = now;
	log_info("%s is refused at UDP ports: as many flows as a source may "
		 "have (limits.sources)",
	    addr_format(text, peer));
}

/* Its source has as many as it may; who brings many users is not counted. */
static bool
is_refused(struct udp *u, const struct addr *peer, uint64_t now)
{
	if (u->source_max == 0 ||
	    flows_of_source(u->flows, peer) < u->source_max ||
	    addr_blocks_have(u->trusted, u->ntrusted, peer))
		return false;
	complain(u, peer, now);
	return true;
}

static struct flow *
new_flow(struct service *s, const struct addr *peer, const struct addr *local,
    uint64_t now)
{
	struct udp *u = s->udp;
	struct flow *f;

	if (is_refused(u, peer, now))
		return NULL;
	if ((f = flows_add(u->flows, &s->group, peer, local, now)) == NULL)
		return NULL;
	if (flowpipe_open(s->pipe, f->id, peer, local) == 0)
		return f;
	flows_drop(u->flows, f);
	return NULL;
}

static void
from_user(void *arg, const struct addr *peer, const struct addr *local,
    const uint8_t *p, size_t n, size_t size)
{
	struct service *s = arg;
	struct udp *u = s->udp;
	uint64_t now = turn_now(u->turn);
	struct flow *f;
	size_t len;

	/* Port 0 cannot be answered. */
	if (s->pipe == NULL || peer->port == 0 ||
	    ((f = flows_find(u->flows, peer, local)) == NULL &&
		(f = new_flow(s, peer, local, now)) == NULL)) {
		s->drops += size == 0 ? 1 : (n + size - 1) / size;
		return;
	}
	flows_heard(f, now);
	do {
		len = n < size ? n : size;
		flowpipe_dgram(s->pipe, f->id, p, len);
		p += len;
		n -= len;
	} while (n > 0);
}

static void
on_port(evutil_socket_t fd, short what, void *arg)
{
	struct port *p = arg;
	struct service *s = p->service;

	(void)what;
	for (int i = 0; i < ROUNDS; i++) {
		if (batch_receive(
			s->udp->batch, fd, p->local.port, from_user, s) == 0)
			break;
	}
	if (s->pipe != NULL)
		turn_end(s->udp->turn, &s->flush);
}

/* ---- from the relay ---- */

static void
to_user(struct service *s, struct flow *f, const struct flow_frame *in)
{
	const struct port *p = idmap_get(&s->ports, f->local.port);

	if (p == NULL)
		return;
	flows_said(f, turn_now(s->udp->turn));
	s->drops += batch_add(
	    s->udp->batch, p->fd, p->six, &f->peer, &f->local, in->p, in->n);
}

static int
from_relay(void *arg, const struct flow_frame *in)
{
	struct service *s = arg;
	struct flow *f = flows_get(s->udp->flows, in->flow);

	/* It may have ended here meanwhile; others' are none of its. */
	if (f == NULL || f->group != &s->group)
		return 0;
	if (in->type == FLOW_DGRAM) {
		to_user(s, f, in);
		return 0;
	}
	flows_drop(s->udp->flows, f);
	return 0;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct service *s = arg;
	ssize_t n;

	(void)fd;
	(void)what;
	n = flowpipe_read(
	    s->pipe, turn_scratch(s->udp->turn), false, from_relay, s);
	s->drops += batch_send(s->udp->batch);
	if (n == -1)
		lose_pipe(s);
}

/* ---- what the master says ---- */

static struct service *
get(struct udp *u, uint32_t number)
{
	struct service *s;

	if ((s = idmap_get(&u->services, number)) != NULL)
		return s;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->udp = u;
	s->number = number;
	turn_item_init(&s->flush, on_flush, s);
	flows_join(u->flows, &s->group, 0);
	if (idmap_put(&u->services, number, s) == 0)
		return s;
	flows_leave(u->flows, &s->group);
	free(s);
	return NULL;
}

void
service_set(struct udp *u, uint32_t number, int fd, uint32_t idle_ms)
{
	struct service *s = get(u, number);

	if (s == NULL) {
		close(fd);
		log_warnx("no memory for a service");
		return;
	}
	drop_pipe(s);
	flows_leave(u->flows, &s->group);
	flows_join(u->flows, &s->group, (uint64_t)idle_ms * US_PER_MS);
	s->readable =
	    event_new(u->serve.base, fd, EV_READ | EV_PERSIST, on_readable, s);
	s->writable = event_new(u->serve.base, fd, EV_WRITE, on_writable, s);
	s->pipe = flowpipe_new(fd);
	if (s->readable != NULL && s->writable != NULL && s->pipe != NULL &&
	    event_add(s->readable, NULL) == 0)
		return;
	log_warnx("no memory for a flowpipe");
	if (s->readable != NULL)
		event_free(s->readable);
	if (s->writable != NULL)
		event_free(s->writable);
	s->readable = s->writable = NULL;
	if (s->pipe != NULL)
		flowpipe_free(s->pipe);
	else
		close(fd);
	s->pipe = NULL;
	service_tell(u, s, MSG_UDP_LOST);
}

/* What the kernel had no room for is lost as well. */
static void
count_dropped(struct port *p)
{
	uint32_t n = datagram_dropped(p->fd);

	p->service->drops += n - p->dropped;
	p->dropped = n;
}

static void
port_free(struct port *p)
{
	count_dropped(p);
	event_free(p->ev);
	close(p->fd);
	free(p);
}

void
service_port(struct udp *u, uint32_t number, int fd, const struct addr *local)
{
	struct service *s = get(u, number);
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(ss);
	struct port *p;

	if (s == NULL || (p = calloc(1, sizeof(*p))) == NULL)
		goto err0;
	p->service = s;
	p->fd = fd;
	p->local = *local;
	p->dropped = datagram_dropped(fd); /* told by the worker before */
	p->six = getsockname(fd, (struct sockaddr *)&ss, &len) == 0 &&
	    ss.ss_family == AF_INET6;
	p->ev = event_new(u->serve.base, fd, EV_READ | EV_PERSIST, on_port, p);
	if (p->ev == NULL || idmap_get(&s->ports, local->port) != NULL ||
	    idmap_put(&s->ports, local->port, p) == -1)
		goto err1;
	event_add(p->ev, NULL);
	return;

err1:
	if (p->ev != NULL)
		event_free(p->ev);
	free(p);
err0:
	close(fd);
	log_warnx("no memory for a port");
}

static void
service_free(struct service *s)
{
	struct port *p;
	size_t at = 0;

	drop_pipe(s);
	flows_leave(s->udp->flows, &s->group);
	while ((p = idmap_next(&s->ports, &at)) != NULL)
		port_free(p);
	idmap_free(&s->ports);
	free(s);
}

void
service_gone(struct udp *u, uint32_t number, uint16_t port)
{
	struct service *s = idmap_get(&u->services, number);
	struct port *p;

	if (s == NULL)
		return;
	if (port == 0) {
		idmap_take(&u->services, number);
		service_free(s);
		return;
	}
	/* Its flows end by time: datagrams for them find no port. */
	if ((p = idmap_take(&s->ports, port)) != NULL)
		port_free(p);
}

void
service_end_all(struct udp *u)
{
	struct service *s;
	size_t at = 0;

	while ((s = idmap_next(&u->services, &at)) != NULL)
		service_free(s);
	idmap_free(&u->services);
}

void
service_flow_ended(void *arg, struct flow *f)
{
	struct service *s = (struct service *)((char *)f->group -
	    offsetof(struct service, group));

	(void)arg;
	/* If it does not get there, the relay ends it by time as well. */
	if (s->pipe == NULL)
		return;
	flowpipe_end(s->pipe, f->id);
	turn_end(s->udp->turn, &s->flush);
}

static void
tell_drops(struct service *s)
{
	uint64_t n = s->drops + (s->pipe != NULL ? flowpipe_drops(s->pipe) : 0);
	uint8_t payload[8];
	struct buf b;

	if (n == s->told)
		return;
	s->told = n;
	buf_write(&b, payload, sizeof(payload));
	buf_put_u64(&b, n);
	serve_send(
	    &s->udp->serve, MSG_UDP_DROPS, s->number, payload, sizeof(payload));
}

void
service_tick(struct udp *u)
{
	struct service *s;
	size_t at = 0, port;
	struct port *p;

	flows_expire(u->flows, turn_now(u->turn));
	while ((s = idmap_next(&u->services, &at)) != NULL) {
		for (port = 0; (p = idmap_next(&s->ports, &port)) != NULL;)
			count_dropped(p);
		tell_drops(s);
		if (s->pipe != NULL)
			flowpipe_rest(s->pipe);
	}
}
