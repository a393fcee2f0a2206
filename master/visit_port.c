/* Users who come by a client's port. */
#include "master/visit_impl.h"

#include <string.h>

#include "common/base/log.h"
#include "common/net/listen.h"
#include "master/edge.h"
#include "master/hold.h"
#include "master/tls.h"
#include "master/tunnels.h"

bool
visit_at_port(const struct conn *c)
{
	return c->who.scheme == SCHEME_TCP || c->who.scheme == SCHEME_TLS;
}

static void
find_port(const struct master *m, struct visit_finding *f, const struct conn *c)
{
	const struct port *p =
	    ports_find(m->ports, GRANT_WAY_TCP, c->who.local.port);

	memset(f, 0, sizeof(*f));
	if (p == NULL) {
		f->status = 404; /* it was closed meanwhile */
	} else if (tunnels_serves(p->session)) {
		f->session = p->session;
		f->service = p->service;
	} else {
		f->park = p->session->client;
	}
}

void
visit_find_for(struct master *m, struct visit_finding *f, const struct conn *c)
{
	if (visit_at_port(c))
		find_port(m, f, c);
	else
		visit_find(m, f, visit_table(c), c->name);
}

/* Nobody knows what they speak: all that they can be told is a reset. */
static void
reset(struct master *m, struct conn *c, uint16_t status)
{
	char peer[ADDR_TEXT];

	if (visit_may_log(m->visits))
		log_info("%s: reset at port %u: %s",
		    addr_format(peer, &c->who.peer), c->who.local.port,
		    status == 404 ? "nobody has it"
				  : "its client is away, or at a limit");
	hold_drop(m, c);
}

void
visit_refuse(struct master *m, struct conn *c, uint16_t status)
{
	if (visit_at_port(c))
		reset(m, c, status);
	else
		edge_answer(m, c, status);
}

/* Whether its users speak TLS, and its service does not. */
static bool
ends_tls(const struct port *p)
{
	const struct service *v = services_find(&p->session->offer, p->service);

	return v != NULL && (v->flags & SERVICE_ENDS_TLS) != 0;
}

void
visit_plain(struct master *m, struct conn *c)
{
	struct visit_finding f;

	find_port(m, &f, c);
	visit_act(m, c, &f);
}

void
visit_port(
    struct master *m, const struct port *p, int fd, const struct addr *peer)
{
	struct msg_conn who = {
		.listener = PORTS_LISTENER, .scheme = SCHEME_TCP, .peer = *peer
	};
	struct conn *c;

	if (ends_tls(p))
		who.scheme = SCHEME_TLS;
	/* On all addresses: which of them was it? */
	if (listen_local(fd, &who.local) == -1)
		who.local.port = p->number;
	if ((c = conns_add(m->conns, fd, &who)) == NULL)
		return;
	if (who.scheme == SCHEME_TLS)
		tls_place(m, c);
	else
		visit_plain(m, c);
}
