/* Clients' UDP ports. */
#include "master/udp_ports.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "master/ports.h"
#include "master/sessions.h"
#include "master/tunnels.h"
#include "master/workers.h"

#define PAIR_BUFFER (4096 * 1024) /* bytes to a relay, and back */

/* One service with UDP ports. It lives as long as it has one. */
struct udp_line {
	LIST_ENTRY(udp_line) link;
	struct udp_ports *table;
	struct session *session;
	uint32_t number; /* as role `udp` knows it; never used again */
	uint16_t service;
	uint32_t idle_ms;
	unsigned ports;
	bool open; /* there is a socketpair */
	uint64_t drops;
};

struct udp_ports {
	struct master *master;
	LIST_HEAD(, udp_line) lines;
	uint32_t number; /* the last one given */
	struct event *retry;
};

static void on_retry(evutil_socket_t fd, short what, void *arg);

struct udp_ports *
udp_ports_new(struct master *m)
{
	struct udp_ports *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->master = m;
	LIST_INIT(&t->lines);
	if ((t->retry = evtimer_new(m->base, on_retry, t)) == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

void
udp_ports_free(struct udp_ports *t)
{
	struct udp_line *l;

	if (t == NULL)
		return;
	while ((l = LIST_FIRST(&t->lines)) != NULL) {
		LIST_REMOVE(l, link);
		free(l);
	}
	event_free(t->retry);
	free(t);
}

bool
udp_ports_wanted(const struct master *m)
{
	if (m->conf.limits.udp.n > 0)
		return true;
	for (size_t i = 0; i < m->conf.users.n; i++) {
		if (m->conf.users.v[i].limits.udp.n > 0)
			return true;
	}
	return false;
}

static struct worker *
worker_of(const struct udp_ports *t)
{
	return t->master->workers == NULL
	    ? NULL
	    : workers_only(t->master->workers, ROLE_UDP);
}

static void
retry_later(struct udp_ports *t)
{
	struct timeval tv = { UDP_PORTS_RETRY_MS / 1000,
		UDP_PORTS_RETRY_MS % 1000 * 1000 };

	if (!evtimer_pending(t->retry, NULL))
		evtimer_add(t->retry, &tv);
}

/* A pair for datagrams, of which only the first may be sent descriptors. */
static int
make_pair(int fds[2])
{
	int size = PAIR_BUFFER;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		fds) == -1)
		return -1;
	/* What root may not set is as the system has it. */
	for (int i = 0; i < 2; i++) {
		if (setsockopt(fds[i], SOL_SOCKET, SO_SNDBUFFORCE, &size,
			sizeof(size)) == -1)
			setsockopt(
			    fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		chan_refuse_fds(fds[i]);
	}
	return 0;
}

/* Connect role `udp` and the relay for this service. */
static void
open_line(struct udp_line *l)
{
	struct worker *udp = worker_of(l->table);
	uint8_t payload[16];
	struct buf b;
	int fds[2];

	if (udp == NULL || !tunnels_serves(l->session))
		return;
	if (make_pair(fds) == -1) {
		log_warn("no socketpair for UDP ports of %s",
		    l->session->client->id);
		retry_later(l->table);
		return;
	}
	l->open = true;
	buf_write(&b, payload, sizeof(payload));
	buf_put_u32(&b, l->idle_ms);
	worker_send_fd(
	    udp, MSG_UDP_SERVICE, l->number, payload, buf_used(&b), fds[0]);
	buf_write(&b, payload, sizeof(payload));
	buf_put_u64(&b, l->session->generation);
	buf_put_u16(&b, l->service);
	worker_send_fd(l->session->relay, MSG_UDP_FLOWS, l->number, payload,
	    buf_used(&b), fds[1]);
}

/* What broke is made anew, where there is still somebody to serve. */
static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct udp_ports *t = arg;
	struct udp_line *l;

	(void)fd;
	(void)what;
	LIST_FOREACH(l, &t->lines, link)
	{
		if (!l->open)
			open_line(l);
	}
}

static void
send_gone(const struct udp_line *l, uint16_t port)
{
	struct worker *udp = worker_of(l->table);
	uint8_t payload[2];
	struct buf b;

	if (udp == NULL)
		return;
	buf_write(&b, payload, sizeof(payload));
	buf_put_u16(&b, port);
	worker_send(udp, MSG_UDP_GONE, l->number, payload, sizeof(payload));
}

static void
send_port(const struct port *p)
{
	struct worker *udp = worker_of(p->line->table);
	struct addr local = { .family = ADDR_ANY, .port = p->number };
	uint8_t payload[ADDR_WIRE];
	struct buf b;

	if (udp == NULL)
		return;
	buf_write(&b, payload, sizeof(payload));
	addr_put(&b, &local);
	worker_send_copy(
	    udp, MSG_UDP_PORT, p->line->number, payload, buf_used(&b), p->fd);
}

/* The port leaves its line; the last one takes it along. */
static void
leave(struct port *p)
{
	struct udp_line *l = p->line;

	if (l == NULL)
		return;
	p->line = NULL;
	if (--l->ports > 0) {
		send_gone(l, p->number);
		return;
	}
	send_gone(l, 0);
	LIST_REMOVE(l, link);
	free(l);
}

void
udp_ports_closing(struct port *p)
{
	leave(p);
}

static struct udp_line *
find(const struct udp_ports *t, const struct session *s, uint16_t service)
{
	struct udp_line *l;

	LIST_FOREACH(l, &t->lines, link)
	{
		if (l->session == s && l->service == service)
			return l;
	}
	return NULL;
}

static struct udp_line *
get(struct udp_ports *t, struct session *s, uint16_t service)
{
	struct udp_line *l;

	if ((l = find(t, s, service)) != NULL)
		return l;
	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	l->table = t;
	l->session = s;
	l->service = service;
	l->number = ++t->number;
	LIST_INSERT_HEAD(&t->lines, l, link);
	return l;
}

static uint32_t
idle_of(const struct session *s, uint16_t service)
{
	const struct service *v = services_find(&s->offer, service);

	return v != NULL ? v->idle_ms : UDP_PORTS_IDLE_MS;
}

static void
update_port(struct udp_ports *t, struct session *s, struct port *p)
{
	struct udp_line *l = get(t, s, p->service);
	uint32_t idle = idle_of(s, p->service);

	if (l == NULL) {
		log_warnx("no memory for UDP port %u", p->number);
		return;
	}
	l->ports++; /* so that it stays */
	if (l != p->line) {
		leave(p);
		p->line = l;
		l->ports++;
		send_port(p);
	}
	l->ports--;
	if (l->open && l->idle_ms == idle)
		return;
	l->idle_ms = idle;
	open_line(l);
}

void
udp_ports_update(struct master *m, struct session *s)
{
	struct port *p;

	LIST_FOREACH(p, &s->ports, of)
	{
		if (p->way == GRANT_WAY_UDP)
			update_port(m->udp_ports, s, p);
	}
}

/* Told of none of it so far. */
static void
tell(void *arg, void *value)
{
	struct port *p = value;

	(void)arg;
	if (p->line != NULL)
		send_port(p);
}

static void
update(void *arg, void *session)
{
	udp_ports_update(arg, session);
}

void
udp_ports_ready(struct master *m)
{
	struct udp_line *l;

	LIST_FOREACH(l, &m->udp_ports->lines, link)
	l->open = false;
	ports_each(m->ports, tell, NULL);
	sessions_each(m->sessions, update, m);
}

void
udp_ports_worker_gone(struct master *m)
{
	struct udp_line *l;

	LIST_FOREACH(l, &m->udp_ports->lines, link)
	l->open = false;
}

uint64_t
udp_ports_dropped(const struct port *p)
{
	return p->line == NULL ? 0 : p->line->drops;
}

static struct udp_line *
by_number(const struct udp_ports *t, uint32_t number)
{
	struct udp_line *l;

	LIST_FOREACH(l, &t->lines, link)
	{
		if (l->number == number)
			return l;
	}
	return NULL;
}

int
udp_ports_on_lost(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct udp_ports *t = w->master->udp_ports;
	struct udp_line *l = by_number(t, msg->id);

	if (l == NULL || w != worker_of(t)) /* it has ended meanwhile */
		return 0;
	l->open = false;
	retry_later(t);
	return 0;
}

int
udp_ports_on_drops(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct udp_line *l = by_number(w->master->udp_ports, msg->id);
	struct buf b;

	buf_read(&b, msg->p, msg->n);
	if (l != NULL)
		buf_get_u64(&b, &l->drops);
	return 0;
}
