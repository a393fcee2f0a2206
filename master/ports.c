/* Public ports of clients. */
#include "master/ports.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/net/accept.h"
#include "common/net/datagram.h"
#include "common/net/listen.h"
#include "master/map.h"
#include "master/sessions.h"
#include "master/udp_ports.h"
#include "master/visit.h"
#include "master/worker.h"

#define COMPLAIN_MS 60000 /* between two lines on the same trouble */

struct ports {
	struct master *master;
	struct map *map;      /* key: way, number */
	struct event *resume; /* after a pause for want of descriptors */
	uint64_t complained;
};

struct key {
	uint16_t way, number;
};

static void
listen_again(void *arg, void *value)
{
	struct port *p = value;

	(void)arg;
	if (p->session != NULL && p->readable != NULL)
		event_add(p->readable, NULL);
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct ports *t = arg;

	(void)fd;
	(void)what;
	map_each(t->map, listen_again, NULL);
}

struct ports *
ports_new(struct master *m)
{
	struct ports *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->master = m;
	if ((t->map = map_new()) == NULL)
		goto err0;
	if ((t->resume = evtimer_new(m->base, on_resume, t)) == NULL)
		goto err1;
	return t;

err1:
	map_free(t->map);
err0:
	free(t);
	return NULL;
}

static void
close_each(void *arg, void *value)
{
	(void)arg;
	ports_close(value);
}

void
ports_close_all(struct ports *t)
{
	map_each(t->map, close_each, NULL);
}

void
ports_free(struct ports *t)
{
	if (t == NULL)
		return;
	ports_close_all(t);
	map_free(t->map);
	event_free(t->resume);
	free(t);
}

size_t
ports_count(const struct ports *t)
{
	return map_count(t->map);
}

struct port *
ports_find(const struct ports *t, enum grant_way way, uint16_t number)
{
	struct key key = { (uint16_t)way, number };

	return map_get(t->map, &key, sizeof(key));
}

/*
 * Out of descriptors: one visitor is told, then this port is not looked at
 * for a while, or it would keep the loop busy with nothing.
 */
static void
exhausted(struct port *p)
{
	struct timeval tv = { PORTS_PAUSE_MS / 1000, 0 };
	struct ports *t = p->ports;
	uint64_t now = clock_ms();

	fds_refuse(&t->master->fds, p->fd);
	if (t->complained == 0 || now - t->complained > COMPLAIN_MS) {
		t->complained = now;
		log_warnx("no descriptors left: users of ports have to wait");
	}
	event_del(p->readable);
	evtimer_add(t->resume, &tv);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct accepted batch[PORTS_BATCH];
	struct port *p = arg;
	struct worker *relay = p->session->relay;
	enum accept_end end;
	size_t n;

	(void)what;
	/* The rest waits in the kernel until ports_resume(). */
	if (relay != NULL && chan_congested(relay->chan)) {
		event_del(p->readable);
		return;
	}
	n = accept_batch(fd, batch, PORTS_BATCH, &end);
	for (size_t i = 0; i < n; i++)
		visit_port(p->ports->master, p, batch[i].fd, &batch[i].peer);
	if (end == ACCEPT_EXHAUSTED) {
		exhausted(p);
	} else if (end == ACCEPT_BROKEN) {
		log_warn("tcp port %u has failed", p->number);
		event_del(p->readable);
	}
}

struct port *
ports_adopt(struct ports *t, enum grant_way way, uint16_t number, int fd)
{
	struct key key = { (uint16_t)way, number };
	struct port *p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		goto err0;
	p->ports = t;
	p->way = (uint8_t)way;
	p->number = number;
	p->fd = fd;
	p->since = clock_ms();
	/* Of datagrams no byte is read here. */
	if (way == GRANT_WAY_TCP &&
	    (p->readable = event_new(t->master->base, fd, EV_READ | EV_PERSIST,
		 on_readable, p)) == NULL)
		goto err1;
	if (map_put(t->map, &key, sizeof(key), p) == -1)
		goto err2;
	return p;

err2:
	if (p->readable != NULL)
		event_free(p->readable);
err1:
	free(p);
err0:
	close(fd);
	errno = ENOMEM;
	return NULL;
}

struct port *
ports_open(struct ports *t, enum grant_way way, uint16_t number)
{
	struct addr any = { .family = ADDR_ANY, .port = number };
	char why[LISTEN_WHY];
	int fd;

	if (map_count(t->map) >= t->master->nofile / PORTS_SHARE) {
		errno = ENOSPC;
		return NULL;
	}
	/* Not TCP_DEFER_ACCEPT: it may be the service that speaks first. */
	fd = way == GRANT_WAY_UDP ? datagram_open(&any)
				  : listen_open(&any, false, why);
	if (fd == -1)
		return NULL;
	return ports_adopt(t, way, number, fd);
}

void
ports_give(struct port *p, struct session *s, uint16_t asked, uint16_t service)
{
	if (p->session != NULL)
		LIST_REMOVE(p, of);
	LIST_INSERT_HEAD(&s->ports, p, of);
	p->session = s;
	p->asked = asked;
	p->service = service;
	p->stale = false;
	if (p->readable != NULL)
		event_add(p->readable, NULL);
}

void
ports_close(struct port *p)
{
	struct key key = { p->way, p->number };

	if (p->session != NULL)
		LIST_REMOVE(p, of);
	map_remove(p->ports->map, &key, sizeof(key));
	udp_ports_closing(p);
	if (p->readable != NULL)
		event_free(p->readable);
	close(p->fd);
	free(p);
}

void
ports_close_of(struct session *s)
{
	struct port *p;

	while ((p = LIST_FIRST(&s->ports)) != NULL)
		ports_close(p);
}

static void
listen_for(void *arg, void *value)
{
	struct port *p = value;

	if (p->session != NULL && p->session->relay == arg &&
	    p->readable != NULL)
		event_add(p->readable, NULL);
}

void
ports_resume(struct ports *t, const struct worker *relay)
{
	map_each(t->map, listen_for, (void *)(uintptr_t)relay);
}

void
ports_each(struct ports *t, void (*fn)(void *arg, void *port), void *arg)
{
	map_each(t->map, fn, arg);
}
