/* What is bounded, and how much of it is in use. */
#include "master/show_limits.h"

#include "master/clients.h"
#include "master/conns.h"
#include "master/handshake.h"
#include "master/holdings.h"
#include "master/show.h"
#include "master/sources.h"
#include "master/tunnels.h"
#include "master/visit.h"

struct walk {
	struct master *m;
	struct ctl_call *call;
};

/* client: NULL: the server's. most: 0: no bound, where none can be set. */
static void
limit_row(struct walk *walk, const char *client, const char *name,
    uint64_t used, uint64_t most)
{
	struct ctl_row row;

	ctl_row_begin(&row);
	ctl_row_str(&row, "limit", name);
	ctl_row_str(&row, "client", client);
	ctl_row_num(&row, "used", used);
	ctl_row_num(&row, "most", most);
	ctl_row(walk->call, &row);
}

/* Nobody here knows how fast it is just now. */
static void
speed_row(struct walk *walk, const char *client, uint64_t most)
{
	struct ctl_row row;

	ctl_row_begin(&row);
	ctl_row_str(&row, "limit", "speed");
	ctl_row_str(&row, "client", client);
	ctl_row_str(&row, "used", NULL);
	ctl_row_num(&row, "most", most);
	ctl_row(walk->call, &row);
}

static void
client_rows(void *arg, void *value)
{
	struct walk *walk = arg;
	const struct client *client = value;
	struct limits l = limits_of(walk->m, client);

	limit_row(walk, client->id, "tunnels", tunnels_of(client), l.tunnels);
	limit_row(walk, client->id, "streams",
	    client->users + show_flows_of(walk->m, client), l.streams);
	limit_row(
	    walk, client->id, "parked", client->nparked, VISIT_PARKED_CLIENT);
	limit_row(walk, client->id, "names",
	    holdings_names(walk->m, client, NULL), l.hosts_number);
	speed_row(walk, client->id, l.speed);
}

void
show_limits(struct master *m, struct ctl_call *call)
{
	const struct lockout lockout = { m->conf.lockout.tries,
		m->conf.lockout.time };
	struct walk walk = { m, call };

	limit_row(&walk, NULL, "connections", conns_count(m->conns), CONNS_MAX);
	limit_row(&walk, NULL, "handshakes", handshakes_count(m->handshakes),
	    HANDSHAKES_MAX);
	limit_row(&walk, NULL, "parked", visits_parked(m->visits),
	    m->nofile / VISIT_PARKED_SHARE);
	limit_row(&walk, NULL, "held ids", clients_held(m->clients), HELD_MAX);
	/* Of the source that has most. */
	limit_row(&walk, NULL, "sources", sources_most_users(m->sources),
	    m->conf.sources);
	limit_row(&walk, NULL, "locked out",
	    sources_locked_out(m->sources, &lockout), SOURCES_MAX);
	clients_each(m->clients, client_rows, &walk);
}
