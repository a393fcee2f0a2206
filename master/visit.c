/* Users' connections. */
#include "master/visit_impl.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/http/host.h"
#include "master/access.h"
#include "master/hold.h"
#include "master/limits.h"
#include "master/naming.h"
#include "master/routes.h"
#include "master/tunnels.h"
#include "master/workers.h"

struct visits {
	struct master *master;
	struct waits *waiting;
	size_t parked;
	uint64_t log_second; /* in which log_lines were written */
	unsigned log_lines;
};

bool
visit_may_log(struct visits *v)
{
	uint64_t second = clock_ms() / 1000;

	if (v->log_second != second) {
		if (v->log_lines > VISIT_LOG_RATE)
			log_info("%u more users were not served",
			    v->log_lines - VISIT_LOG_RATE);
		v->log_second = second;
		v->log_lines = 0;
	}
	return ++v->log_lines <= VISIT_LOG_RATE;
}

static void
on_waited(void *arg, void *owner)
{
	struct visits *v = arg;
	struct conn *c = owner;

	visit_unpark(v->master, c);
	visit_refuse(v->master, c, 503);
}

struct visits *
visits_new(struct master *m)
{
	struct visits *v;

	if ((v = calloc(1, sizeof(*v))) == NULL)
		return NULL;
	v->master = m;
	if ((v->waiting = waits_new(m->base, on_waited, v)) == NULL) {
		free(v);
		return NULL;
	}
	return v;
}

void
visits_free(struct visits *v)
{
	if (v == NULL)
		return;
	waits_free(v->waiting);
	free(v);
}

size_t
visits_parked(const struct visits *v)
{
	return v->parked;
}

/* It has logged in, and will say in a moment what it serves. */
static bool
is_coming(const struct client *client)
{
	const struct session *s;

	LIST_FOREACH(s, &client->sessions, of)
	{
		if (!s->told &&
		    (s->state == SESSION_OPENING || s->state == SESSION_LIVE))
			return true;
	}
	return false;
}

/* A name of this client, that nobody serves now. */
static void
find_away(struct visit_finding *f, struct client *client)
{
	if (client != NULL && is_coming(client))
		f->park = client;
	else
		f->status = 503;
}

/* No route: an id that is known, or nothing. */
static void
find_nobody(
    struct master *m, struct visit_finding *f, const char *name, bool labels)
{
	char label[TEXT_LABEL_MAX + 1];
	struct client *client;

	f->status = 404;
	if (strchr(name, ':') != NULL || (strchr(name, '.') == NULL && !labels))
		return;
	routes_first_label(label, name);
	client = clients_find(m->clients, label);
	if (client == NULL && server_conf_user(&m->conf, label) == NULL)
		return;
	f->status = 0;
	find_away(f, client);
}

enum route_table
visit_table(const struct conn *c)
{
	return c->who.scheme == SCHEME_SNI ? ROUTES_SNI : ROUTES_HTTP;
}

void
visit_find(struct master *m, struct visit_finding *f, enum route_table table,
    const char *name)
{
	bool by_id =
	    table == ROUTES_HTTP && strcasecmp(m->conf.mux_header, "Host") != 0;
	struct routes_scope scope = { .domain = m->conf.domain,
		.labels = m->conf.domain == NULL || by_id,
		.is_id = naming_is_id,
		.arg = m };
	struct route *r = routes_find(m->routes, table, name, &scope);

	memset(f, 0, sizeof(*f));
	if (m->stop != NULL) {
		f->status = 503; /* nobody comes back to us */
	} else if (r == NULL) {
		find_nobody(m, f, name, scope.labels);
	} else if (r->session == NULL) {
		find_away(f, r->client);
	} else if (tunnels_serves(r->session)) {
		f->session = r->session;
		f->service = r->service;
	} else {
		f->park = r->client;
	}
}

/* Pass it to the session's relay. */
static void
pass(struct master *m, struct conn *c, const struct visit_finding *f)
{
	struct session *s = f->session;
	uint8_t payload[64 + 256];
	struct buf b;

	if (!limits_admit(m, c, s->client) || s->relay->full) {
		visit_refuse(m, c, 503);
		return;
	}
	buf_write(&b, payload, sizeof(payload));
	msg_put_conn(&b, &c->who);
	buf_put_u64(&b, s->generation);
	buf_put_u16(&b, f->service);
	buf_put_u8(&b, c->rerouted);
	buf_put_u16(&b, c->skip);
	if (buf_put_cstr8(&b, c->name != NULL ? c->name : "") == -1) {
		hold_drop(m, c);
		return;
	}
	c->state = CONN_USER;
	c->service = f->service;
	c->client = s->client;
	c->client->users++;
	c->client->total++;
	hold_session(c, s);
	hold_by(c, s->relay);
	worker_send_fd(
	    s->relay, MSG_USER, c->id, payload, buf_used(&b), conn_take_fd(c));
	/* The relay knows it now; very many of these are idle. */
	free(c->name);
	c->name = NULL;
}

/* Whether there is still room for it among those that wait. */
static bool
may_park(
    const struct master *m, const struct client *client, const struct conn *c)
{
	struct addr source = addr_source(&c->who.peer), other;
	unsigned same = 0;
	struct conn *p;

	if (m->conf.timeouts.park == 0 ||
	    client->nparked >= VISIT_PARKED_CLIENT ||
	    m->visits->parked >= m->nofile / VISIT_PARKED_SHARE)
		return false;
	TAILQ_FOREACH(p, &client->parked, of)
	{
		other = addr_source(&p->who.peer);
		same += addr_equal(&source, &other);
	}
	/* While all attach anew after a restart, nobody is to blame. */
	return same < VISIT_PARKED_SOURCE || workers_inherited(m->workers);
}

void
visit_restore(struct master *m, struct conn *c, struct client *client)
{
	hold_by(c, NULL);
	c->state = CONN_PARKED;
	c->client = client;
	TAILQ_INSERT_TAIL(&client->parked, c, of);
	client->nparked++;
	m->visits->parked++;
	waits_add(m->visits->waiting, &c->wait, c, m->conf.timeouts.park);
}

static void
park(struct master *m, struct conn *c, struct client *client)
{
	if (may_park(m, client, c) && limits_admit(m, c, client))
		visit_restore(m, c, client);
	else
		visit_refuse(m, c, 503);
}

void
visit_unpark(struct master *m, struct conn *c)
{
	waits_remove(&c->wait);
	TAILQ_REMOVE(&c->client->parked, c, of);
	c->client->nparked--;
	c->client = NULL;
	m->visits->parked--;
}

void
visit_act(struct master *m, struct conn *c, const struct visit_finding *f)
{
	if (f->status != 0)
		visit_refuse(m, c, f->status);
	else if (f->session != NULL)
		pass(m, c, f);
	else
		park(m, c, f->park);
}

static void
log_unknown(
    const struct master *m, const struct conn *c, const char *name, size_t n)
{
	char text[TEXT_ESCAPED], peer[ADDR_TEXT];

	if (visit_may_log(m->visits))
		log_info("%s asks for %s, which nobody serves",
		    addr_format(peer, &c->who.peer),
		    text_escape(text, name, n));
}

/* One who came before the lists of its listener changed. */
static void
judge(void *arg, struct conn *c)
{
	struct master *m = arg;
	uint8_t barred;

	if (c->rerouted || c->kind == 0)
		return;
	barred = !access_allows(&m->conf, c->kind, &c->who.peer);
	if (c->state == CONN_PARKED && barred) {
		visit_unpark(m, c);
		visit_refuse(m, c, 403);
	} else if (c->state == CONN_USER && barred != c->barred &&
	    !c->worker->inherited) {
		c->barred = barred;
		worker_send(c->worker, MSG_BAR, c->id, &barred, sizeof(barred));
	}
}

void
visits_judge(struct master *m)
{
	conns_each(m->conns, judge, m);
}

int
visit_name(char canonical[TEXT_NAME_MAX + 1], const struct conn *c,
    const char *name, size_t n)
{
	uint16_t usual = msg_scheme_port(c->who.scheme);

	return host_called(canonical, usual, name, n);
}

void
visit_begin(struct master *m, struct conn *c, const char *name, size_t n)
{
	char canonical[TEXT_NAME_MAX + 1];
	struct visit_finding f;

	/* What cannot be a name is nobody's. */
	if (visit_name(canonical, c, name, n) == -1) {
		log_unknown(m, c, name, n);
		visit_refuse(m, c, 404);
		return;
	}
	if (conn_set_name(c, canonical) == -1) {
		hold_drop(m, c);
		return;
	}
	visit_find(m, &f, visit_table(c), canonical);
	if (f.status == 404)
		log_unknown(m, c, name, n);
	visit_act(m, c, &f);
}

void
visit_review(struct master *m, struct client *client)
{
	struct conn *c, *next;
	struct visit_finding f;

	for (c = TAILQ_FIRST(&client->parked); c != NULL; c = next) {
		next = TAILQ_NEXT(c, of);
		visit_find_for(m, &f, c);
		if (f.park == client)
			continue;
		visit_unpark(m, c);
		visit_act(m, c, &f);
	}
}

void
visit_end(struct master *m, struct conn *c, uint64_t up, uint64_t down)
{
	struct conn *parent = conns_find(m->conns, c->parent);
	struct client *client = c->client;

	client->users--;
	client->up += up;
	client->down += down;
	if (c->rerouted && parent != NULL && parent->reroutes > 0)
		parent->reroutes--;
	hold_drop(m, c);
	tunnels_forget(m, client);
}
