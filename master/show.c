/* `ptpctl show` and `status`: the master's tables as rows. */
#include "master/show.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "master/access.h"
#include "master/api.h"
#include "master/check.h"
#include "master/conns.h"
#include "master/listeners.h"
#include "master/sessions.h"
#include "master/show_limits.h"
#include "master/show_ports.h"
#include "master/show_relays.h"
#include "master/show_users.h"
#include "master/workers.h"

/* What goes through a table with each of its members. */
struct walk {
	struct master *m;
	struct ctl_call *call;
};

static uint64_t
seconds_since(uint64_t when)
{
	return (clock_ms() - when) / 1000;
}

/* ---- clients ---- */

struct figures {
	uint32_t number;
	uint64_t v[COUNTERS];
};

static void
add_figures(void *arg, struct worker *w)
{
	struct figures *f = arg;

	if (w->counters == NULL)
		return;
	for (size_t i = 0; i < COUNTERS; i++)
		f->v[i] += counter_read(f->number == 0
			? &w->counters->all[i]
			: &w->counters->clients[f->number][i]);
}

/* Relays go on while they are read, so that more may seem closed. */
static uint64_t
open_users(const struct figures *f)
{
	uint64_t opened = f->v[COUNTER_OPENED], closed = f->v[COUNTER_CLOSED];

	return opened > closed ? opened - closed : 0;
}

uint64_t
show_flows_of(const struct master *m, const struct client *client)
{
	struct figures f = { .number = client->number };

	if (f.number != 0)
		workers_each(m->workers, add_figures, &f);
	return open_users(&f);
}

static void
client_row(void *arg, void *value)
{
	struct walk *walk = arg;
	const struct client *client = value;
	const struct session *s = LIST_FIRST(&client->sessions);
	struct figures f = { .number = client->number };
	struct ctl_row row;

	if (f.number != 0)
		workers_each(walk->m->workers, add_figures, &f);
	ctl_row_begin(&row);
	ctl_row_str(&row, "id", client->id);
	ctl_row_str(&row, "state", sessions_state(client));
	ctl_row_num(&row, "sessions", client->nsessions);
	ctl_row_num(&row, "tunnels", client->tunnels);
	/* Relays count users of UDP ports by client, and no others. */
	ctl_row_num(&row, "users", client->users + open_users(&f));
	ctl_row_num(&row, "users_total", client->total + f.v[COUNTER_OPENED]);
	ctl_row_num(&row, "parked", client->nparked);
	ctl_row_num(&row, "ports", show_ports_of(client));
	ctl_row_num(&row, "requests", f.v[COUNTER_REQUESTS]);
	ctl_row_num(&row, "up", f.v[COUNTER_UP]);
	ctl_row_num(&row, "down", f.v[COUNTER_DOWN]);
	ctl_row_num(&row, "speed", limits_of(walk->m, client).speed);
	if (s != NULL)
		ctl_row_num(&row, "seconds", seconds_since(s->since));
	else
		ctl_row_str(&row, "seconds", NULL);
	ctl_row(walk->call, &row);
}

static void
show_clients(struct walk *walk)
{
	clients_each(walk->m->clients, client_row, walk);
}

/* ---- routes ---- */

/* What its service demands of users; NULL: nothing, or nobody serves it. */
static const char *
gates_of(char dst[SERVICE_GATES_TEXT], const struct route *r)
{
	const struct service *v = NULL;

	if (r->session != NULL)
		v = services_find(&r->session->offer, r->service);
	return v != NULL ? service_gates_text(dst, v) : NULL;
}

static void
route_row(void *arg, void *value)
{
	struct walk *walk = arg;
	const char *domain = walk->m->conf.domain;
	const struct route *r = value;
	char host[2 * TEXT_NAME_MAX + 2], gates[SERVICE_GATES_TEXT];
	struct ctl_row row;

	/* It comes and goes, and nobody else's user can mean it. */
	if (check_is_id(walk->m->check, r->client->id))
		return;
	/* A label under the domain has that address. */
	if (r->kind == ROUTE_LABEL && domain != NULL)
		snprintf(host, sizeof(host), "%s.%s", r->name, domain);
	else
		snprintf(host, sizeof(host), "%s", r->name);
	ctl_row_begin(&row);
	ctl_row_str(&row, "name", r->name);
	ctl_row_str(&row, "host", host);
	ctl_row_str(&row, "table", route_table_name(r->table));
	ctl_row_str(&row, "kind", route_kind_name(r->kind));
	ctl_row_str(&row, "client", r->client->id);
	ctl_row_num(&row, "service", r->service);
	ctl_row_str(&row, "state",
	    r->session == NULL			    ? "away"
		: r->session->state == SESSION_LIVE ? "here"
						    : "lost");
	ctl_row_str(&row, "gates", gates_of(gates, r));
	ctl_row_num(&row, "seconds", seconds_since(r->since));
	ctl_row(walk->call, &row);
}

static void
show_routes(struct walk *walk)
{
	routes_each(walk->m->routes, route_row, walk);
	show_ports_routes(walk->m, walk->call);
}

/* ---- workers, listeners, limits ---- */

static void
worker_row(void *arg, struct worker *w)
{
	struct walk *walk = arg;
	struct ctl_row row;

	ctl_row_begin(&row);
	ctl_row_str(&row, "role", role_name(w->role));
	ctl_row_num(&row, "index", w->index);
	ctl_row_num(&row, "pid", (uint64_t)w->pid);
	ctl_row_str(&row, "state", worker_state_name(w));
	ctl_row_num(&row, "connections", w->conns);
	ctl_row_num(&row, "clients", w->clients);
	ctl_row_bool(&row, "full", w->full);
	ctl_row_num(&row, "seconds", seconds_since(w->started));
	ctl_row(walk->call, &row);
}

static void
show_workers(struct walk *walk)
{
	workers_each(walk->m->workers, worker_row, walk);
}

static void
listener_row(void *arg, const struct listener *l)
{
	struct walk *walk = arg;
	char addr[ADDR_TEXT], access[ACCESS_TEXT];
	struct ctl_row row;

	ctl_row_begin(&row);
	ctl_row_str(&row, "listener", listener_kind_name(l->kind));
	ctl_row_str(&row, "address", addr_format(addr, &l->local));
	ctl_row_num(&row, "port", l->local.port);
	ctl_row_bool(&row, "tls",
	    l->kind == LISTENER_TLS || l->kind == LISTENER_SNI ||
		(l->kind == LISTENER_API && api_is_secure(walk->m)));
	ctl_row_str(
	    &row, "access", access_text(access, &walk->m->conf, l->kind));
	ctl_row_num(&row, "dropped", 0);
	ctl_row(walk->call, &row);
}

static void
show_listeners(struct walk *walk)
{
	listeners_each(walk->m->listeners, listener_row, walk);
	show_ports_listeners(walk->m, walk->call);
}

static void
show_bounds(struct walk *walk)
{
	show_limits(walk->m, walk->call);
}

/* ---- */

static void
view_users(struct walk *walk)
{
	show_users(walk->m, walk->call);
}

static void
show_streams(struct walk *walk)
{
	show_relays(walk->m, walk->call, SHOW_STREAMS);
}

static void
show_tunnels(struct walk *walk)
{
	show_relays(walk->m, walk->call, SHOW_TUNNELS);
}

static const struct view {
	const char *name;
	void (*fn)(struct walk *walk);
	bool later; /* fn ends the call itself */
} views[] = {
	{ "clients", show_clients, false },
	{ "tunnels", show_tunnels, true },
	{ "streams", show_streams, true },
	{ "routes", show_routes, false },
	{ "users", view_users, false },
	{ "workers", show_workers, false },
	{ "listeners", show_listeners, false },
	{ "limits", show_bounds, false },
};

int
show(struct master *m, struct ctl_call *call, const char *what)
{
	struct walk walk = { m, call };

	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		if (strcmp(views[i].name, what) != 0)
			continue;
		ctl_shape(call, CTL_LIST);
		views[i].fn(&walk);
		if (!views[i].later)
			ctl_ok(call);
		return 0;
	}
	return -1;
}

void
show_status(struct master *m, struct ctl_call *call)
{
	struct figures f = { .number = 0 };
	struct ctl_row row;

	if (m->workers != NULL)
		workers_each(m->workers, add_figures, &f);
	ctl_shape(call, CTL_OBJECT);
	ctl_row_begin(&row);
	ctl_row_str(&row, "version", PTP_VERSION);
	ctl_row_num(&row, "pid", (uint64_t)getpid());
	ctl_row_str(&row, "state",
	    m->stop != NULL ? "stopping"
		: m->ready  ? "serving"
			    : "starting");
	ctl_row_num(&row, "seconds", seconds_since(m->started));
	ctl_row_num(&row, "clients", sessions_count(m->sessions));
	ctl_row_num(&row, "connections", conns_count(m->conns));
	ctl_row_num(&row, "accepted", listeners_accepted(m->listeners));
	ctl_row_num(&row, "turned_away", listeners_refused(m->listeners));
	ctl_row_num(&row, "users", open_users(&f));
	ctl_row_num(&row, "users_total", f.v[COUNTER_OPENED]);
	ctl_row_num(&row, "requests", f.v[COUNTER_REQUESTS]);
	ctl_row_num(&row, "up", f.v[COUNTER_UP]);
	ctl_row_num(&row, "down", f.v[COUNTER_DOWN]);
	ctl_row_num(&row, "workers_restarted",
	    m->workers != NULL ? workers_restarts(m->workers) : 0);
	ctl_row(call, &row);
	ctl_ok(call);
}
