/* Clients' public ports as rows. */
#include "master/show_ports.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "master/ports.h"
#include "master/sessions.h"
#include "master/udp_ports.h"

struct walk {
	struct master *m;
	struct ctl_call *call;
};

static const char *
way_name(uint8_t way)
{
	return way == GRANT_WAY_UDP ? "udp" : "tcp";
}

static void
route_row(void *arg, void *value)
{
	struct walk *walk = arg;
	const struct port *p = value;
	const struct service *v = services_find(&p->session->offer, p->service);
	char name[8], gates[SERVICE_GATES_TEXT];
	struct ctl_row row;

	snprintf(name, sizeof(name), ":%u", p->number);
	ctl_row_begin(&row);
	ctl_row_str(&row, "name", name);
	ctl_row_str(&row, "host", walk->m->conf.domain);
	ctl_row_str(&row, "table", NULL);
	ctl_row_str(&row, "kind", way_name(p->way));
	ctl_row_str(&row, "client", p->session->client->id);
	ctl_row_num(&row, "service", p->service);
	ctl_row_str(
	    &row, "state", p->session->state == SESSION_LIVE ? "here" : "lost");
	ctl_row_str(
	    &row, "gates", v != NULL ? service_gates_text(gates, v) : NULL);
	ctl_row_num(&row, "seconds", (clock_ms() - p->since) / 1000);
	ctl_row(walk->call, &row);
}

void
show_ports_routes(struct master *m, struct ctl_call *call)
{
	struct walk walk = { m, call };

	ports_each(m->ports, route_row, &walk);
}

static void
listener_row(void *arg, void *value)
{
	struct walk *walk = arg;
	const struct port *p = value;
	const struct service *v = services_find(&p->session->offer, p->service);
	struct addr any = { .family = ADDR_ANY, .port = p->number };
	char addr[ADDR_TEXT];
	struct ctl_row row;

	ctl_row_begin(&row);
	ctl_row_str(&row, "listener", way_name(p->way));
	ctl_row_str(&row, "address", addr_format(addr, &any));
	ctl_row_num(&row, "port", p->number);
	ctl_row_bool(
	    &row, "tls", v != NULL && (v->flags & SERVICE_ENDS_TLS) != 0);
	ctl_row_str(&row, "access", NULL);
	ctl_row_num(&row, "dropped", udp_ports_dropped(p));
	ctl_row(walk->call, &row);
}

void
show_ports_listeners(struct master *m, struct ctl_call *call)
{
	struct walk walk = { m, call };

	ports_each(m->ports, listener_row, &walk);
}

uint64_t
show_ports_of(const struct client *client)
{
	const struct session *s;
	const struct port *p;
	uint64_t n = 0;

	LIST_FOREACH(s, &client->sessions, of)
	{
		LIST_FOREACH(p, &s->ports, of)
		n++;
	}
	return n;
}
