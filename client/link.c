/* Connections to servers. */
#include "client/link.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "client/child.h"
#include "client/parent.h"
#include "client/reach.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/net/sockopt.h"

static void
on_reached(void *arg, int fd, const struct addr *to, const char *why)
{
	struct link *l = arg;
	const char *wanted = l->source->conf.congestion;

	l->reach = NULL;
	l->to = *to;
	if (fd != -1 && wanted != NULL && sockopt_congestion(fd, wanted) == -1)
		log_debug(
		    "%s: no %s here: %s", l->name, wanted, strerror(errno));
	l->ops->reached(l->arg, l, fd, why);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;

	(void)fd;
	(void)what;
	l->ops->deadline(l->arg, l);
}

struct link *
link_new(struct links *ls, struct parent *p, size_t server,
    const struct addr *to, const struct link_ops *ops, void *arg)
{
	const struct server_addr *s = &p->conf->servers[server];
	uint64_t ms = p->conf->timeout;
	struct timeval tv = { (time_t)(ms / 1000),
		(suseconds_t)(ms % 1000 * 1000) };
	struct link *l;

	if (ls->map.count >= LINKS_MAX || (l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	l->parent = p;
	l->source = source_use(p->source);
	l->server = server;
	l->ticket = to != NULL;
	l->ops = ops;
	l->arg = arg;
	server_addr_hostport(l->name, s);
	do
		l->conn = ++ls->last;
	while (l->conn == 0 || idmap_get(&ls->map, l->conn) != NULL);
	l->timer = evtimer_new(p->base, on_timer, l);
	l->reach = to != NULL
	    ? reach_start_list(p, to, 1, ms, on_reached, l)
	    : reach_start(p, s->host, s->port, ms, on_reached, l);
	if (l->timer != NULL && l->reach != NULL &&
	    evtimer_add(l->timer, &tv) == 0 &&
	    idmap_put(&ls->map, l->conn, l) == 0)
		return l;
	link_free(ls, l);
	return NULL;
}

void
link_free(struct links *ls, struct link *l)
{
	idmap_take(&ls->map, l->conn);
	reach_cancel(l->reach);
	if (l->timer != NULL)
		event_free(l->timer);
	source_drop(l->source);
	free(l);
}

void
link_free_all(struct links *ls)
{
	struct link *l;
	size_t at = 0;

	while ((l = idmap_next(&ls->map, &at)) != NULL) {
		link_free(ls, l);
		at = 0;
	}
	idmap_free(&ls->map);
	memset(&ls->map, 0, sizeof(ls->map));
}

struct link *
link_find(const struct links *ls, uint32_t conn)
{
	return idmap_get(&ls->map, conn);
}

void
link_pass(struct link *l, enum preface_kind kind, int fd)
{
	uint8_t byte = (uint8_t)kind;

	/* The engine is trusted with the rest of this connection's life. */
	child_send_fd(l->parent->engine, MSG_LINK, l->conn, &byte, 1, fd);
	if (kind == PREFACE_TICKET)
		evtimer_del(l->timer);
}

void
link_up(struct link *l)
{
	l->state = LINK_UP;
	l->up_at = clock_ms();
	evtimer_del(l->timer);
}
