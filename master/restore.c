/* A state file, as the master's tables again. */
#include "master/restore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "master/edge.h"
#include "master/handshake.h"
#include "master/hold.h"
#include "master/limits.h"
#include "master/listeners.h"
#include "master/ports.h"
#include "master/sessions.h"
#include "master/sources.h"
#include "master/tls.h"
#include "master/tunnels.h"
#include "master/visit.h"
#include "master/workers.h"

struct restore {
	struct master *m;
	enum restore_mode mode;
	struct worker **workers; /* by number; NULL: it could not be adopted */
	size_t nworkers;
};

int
restore_listeners(struct master *m, struct state_reader *r)
{
	struct state_listener l;
	struct buf b;
	int type;

	state_rewind(r);
	while ((type = state_next(r, &b)) > 0) {
		if (type != STATE_LISTENER)
			continue;
		if (state_get_listener(&l, &b) == -1 ||
		    listeners_adopt(m->listeners, (enum listener_kind)l.kind,
			&l.asked, l.number, l.fd) == -1)
			return -1;
	}
	return type;
}

int
restore_conf(struct master *m, struct state_reader *r)
{
	struct server_conf_decoder *d;
	int type, got = 0;
	struct buf b;

	if ((d = server_conf_decoder_new(&m->conf)) == NULL)
		return -1;
	state_rewind(r);
	while (got == 0 && (type = state_next(r, &b)) > 0) {
		if (type == STATE_CONF)
			got = server_conf_decode(d, b.p, buf_left(&b));
	}
	server_conf_decoder_free(d);
	return got == 1 ? 0 : -1;
}

/* Of an older version: it may finish what it has. */
static void
succeed(struct restore *x, struct worker *w)
{
	/* log has the records of old relays to write. */
	if (w->role == ROLE_RELAY || edge_has(w->role) ||
	    w->role == ROLE_REPORT || w->role == ROLE_TLS ||
	    w->role == ROLE_SIGN) {
		worker_inherit(w, x->m->conf.timeouts.drain);
		return;
	}
	/* Handshakes are begun again, with the new ones. */
	w->wanted = true;
	w->inherited = true;
	worker_send(w, MSG_EXIT, 0, NULL, 0);
}

static int
add_worker(struct restore *x, const struct state_worker *r)
{
	struct worker **grown, *w;

	grown = realloc(x->workers, (x->nworkers + 1) * sizeof(*grown));
	if (grown == NULL)
		return -1;
	x->workers = grown;
	w = worker_adopt(x->m, workers_worker_ops(x->m->workers),
	    (enum role)r->role, r->index, (pid_t)r->pid, r->fd);
	x->workers[x->nworkers++] = w;
	if (w == NULL)
		return -1;
	w->full = r->full;
	w->started = r->started;
	if (workers_add(
		x->m->workers, w, x->mode == RESTORE_RESUME && r->posted) == -1)
		return -1;
	if (r->state == WORKER_BOOTING)
		worker_kill(w, "was starting during a restart");
	else if (x->mode == RESTORE_TAKEOVER)
		succeed(x, w);
	else if (!r->posted)
		worker_inherit(w, x->m->conf.timeouts.drain);
	return 0;
}

static struct worker *
worker_of(const struct restore *x, uint32_t number)
{
	return number == 0 || number > x->nworkers ? NULL
						   : x->workers[number - 1];
}

static int
add_client(struct restore *x, const struct state_client *r)
{
	struct client *c = clients_get(x->m->clients, r->id);

	if (c == NULL)
		return -1;
	clients_restore_number(x->m->clients, c, r->number);
	if (r->held && !c->held)
		clients_restore_held(x->m->clients, c, &r->held_from);
	c->unproven = c->held && x->mode == RESTORE_TAKEOVER;
	c->vouched = r->vouched;
	c->total = r->total;
	c->up = r->up;
	c->down = r->down;
	return 0;
}

static void
add_tickets(struct restore *x, struct session *s, const struct state_session *r)
{
	for (size_t i = 0; i < STATE_TICKETS; i++) {
		if (r->tickets[i].issued == 0)
			continue;
		sessions_put_ticket(x->m->sessions, s, r->tickets[i].id);
		for (size_t j = 0; j < TICKETS_MAX; j++) {
			if (memcmp(s->tickets[j].id, r->tickets[i].id,
				TICKET_ID) == 0)
				s->tickets[j].issued = r->tickets[i].issued;
		}
	}
}

static int
add_session(struct restore *x, const struct state_session *r)
{
	struct client *c = clients_find(x->m->clients, r->id);
	struct session *s;
	struct buf b;

	if (c == NULL ||
	    (s = sessions_restore(x->m->sessions, c, r->generation)) == NULL)
		return -1;
	memcpy(s->instance, r->instance, sizeof(s->instance));
	s->since = r->since;
	s->port = r->port;
	s->told = r->told;
	buf_read(&b, r->offer, r->offer_len);
	if (r->offer_len > 0 && services_get(&s->offer, &b) == -1)
		memset(&s->offer, 0, sizeof(s->offer));
	if (r->restricted && sessions_restrict(s, &r->allowed) == -1)
		return -1;
	add_tickets(x, s, r);
	s->state = r->state == SESSION_OPENING ? SESSION_OPENING : SESSION_LIVE;
	s->relay = worker_of(x, r->relay);
	if (s->relay != NULL)
		s->relay->clients++;
	else /* it was lost before */
		tunnels_lost(x->m, s);
	return 0;
}

static int
add_route(struct restore *x, const struct state_route *r)
{
	struct client *c = clients_find(x->m->clients, r->id);
	struct session *s = sessions_find(x->m->sessions, r->generation);
	enum route_table table = (enum route_table)r->table;
	enum route_kind kind = (enum route_kind)r->kind;
	struct route *route;

	if (c == NULL || !route_known(r->table, r->kind) ||
	    routes_get(x->m->routes, table, kind, r->name) != NULL)
		return -1;
	route = routes_add(x->m->routes, table, kind, r->name, c);
	if (route == NULL)
		return -1;
	LIST_INSERT_HEAD(&c->away, route, of);
	c->naway++;
	if (s != NULL)
		sessions_take_route(s, route, r->service);
	route->since = r->since;
	route->kept = r->kept;
	return 0;
}

/* Whoever it was for is gone: it closes. */
static int
add_port(struct restore *x, const struct state_port *r)
{
	struct session *s = sessions_find(x->m->sessions, r->generation);
	struct port *p;

	if (s == NULL) {
		if (r->fd != -1)
			close(r->fd);
		return -1;
	}
	p = ports_adopt(x->m->ports, (enum grant_way)r->way, r->number, r->fd);
	if (p == NULL)
		return -1;
	p->since = r->since;
	ports_give(p, s, r->asked, r->service);
	return 0;
}

/* A login under way: the same image goes on, another begins again. */
static void
go_on_or_fail(struct restore *x, struct conn *c, uint8_t progress)
{
	uint8_t code = LOGIN_BUSY;

	if (x->mode == RESTORE_RESUME &&
	    handshake_restore(x->m, c, progress) == 0)
		return;
	c->state = CONN_ENDING;
	worker_send(c->worker, MSG_HS_FAIL, c->id, &code, 1);
}

/* Count it where it belongs. -1: whoever it belonged to is gone. */
static int
attach(struct restore *x, struct conn *c, const struct state_conn *r)
{
	struct client *client = clients_find(x->m->clients, r->client);
	struct session *s = sessions_find(x->m->sessions, r->generation);

	hold_by(c, worker_of(x, r->worker));
	switch (c->state) {
	case CONN_PEEK:
	case CONN_UNPLACED:
		edge_restore(x->m, c);
		return 0;
	case CONN_TLS:
		if (c->worker == NULL && c->fd == -1)
			return -1;
		if (c->worker == NULL)
			tls_restore(x->m, c);
		return 0;
	case CONN_CONVERTED:
		return c->worker == NULL ? -1 : 0;
	case CONN_PARKED:
		if (client == NULL ||
		    (c->name == NULL && msg_scheme_is_http(c->who.scheme)))
			return -1;
		visit_restore(x->m, c, client);
		return 0;
	case CONN_USER:
		if (client == NULL || c->worker == NULL)
			return -1;
		c->client = client;
		client->users++;
		limits_restore(x->m, c);
		hold_session(c, s);
		return 0;
	default:
		break;
	}
	if (c->worker == NULL)
		return -1;
	if (s != NULL) {
		tunnel_count(c, s);
		s->live += c->state == CONN_TUNNEL;
	}
	if (c->state == CONN_HANDSHAKE)
		go_on_or_fail(x, c, r->handshake);
	return 0;
}

static int
add_conn(struct restore *x, const struct state_conn *r)
{
	struct conn *c;

	if (r->state > CONN_ENDING ||
	    (c = conns_restore(x->m->conns, r->id, r->fd, &r->who)) == NULL)
		return -1;
	c->state = r->state;
	c->tries = (unsigned)r->tries & 0xfu;
	c->rerouted = r->rerouted;
	c->kind = r->kind;
	c->proxied = r->proxied;
	c->parent = r->parent;
	c->reroutes = (uint8_t)r->reroutes;
	c->service = r->service;
	c->skip = r->skip;
	c->since = r->since;
	if ((r->name[0] != '\0' && conn_set_name(c, r->name) == -1) ||
	    attach(x, c, r) == -1)
		hold_drop(x->m, c);
	return 0;
}

static int
add_record(struct restore *x, int type, struct buf *b)
{
	struct state_worker worker;
	struct state_client client;
	struct state_session session;
	struct state_route route;
	struct state_port port;
	struct state_conn conn;
	struct state_source source;

	switch (type) {
	case STATE_WORKER:
		return state_get_worker(&worker, b) == -1
		    ? -1
		    : add_worker(x, &worker);
	case STATE_CLIENT:
		return state_get_client(&client, b) == -1
		    ? -1
		    : add_client(x, &client);
	case STATE_SESSION:
		return state_get_session(&session, b) == -1
		    ? -1
		    : add_session(x, &session);
	case STATE_ROUTE:
		return state_get_route(&route, b) == -1 ? -1
							: add_route(x, &route);
	case STATE_PORT:
		return state_get_port(&port, b) == -1 ? -1 : add_port(x, &port);
	case STATE_CONN:
		return state_get_conn(&conn, b) == -1 ? -1 : add_conn(x, &conn);
	case STATE_SOURCE:
		return state_get_source(&source, b) == -1
		    ? -1
		    : sources_restore(x->m->sources, &source.block,
			  source.failures, source.failed);
	default:
		return 0;
	}
}

static void
review(void *arg, void *client)
{
	visit_review(arg, client);
}

int
restore_tables(struct master *m, struct state_reader *r, enum restore_mode mode)
{
	struct restore x = { .m = m, .mode = mode };
	int type, ret = 0;
	struct buf b;

	state_rewind(r);
	while ((type = state_next(r, &b)) > 0) {
		if (add_record(&x, type, &b) == -1)
			ret = -1;
	}
	conns_restored(m->conns);
	free(x.workers);
	clients_each(m->clients, review, m);
	edge_place_waiting(m);
	tls_takes(m);
	return type == 0 ? ret : -1;
}
