/* Who gets which name. */
#include "master/naming.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "master/asks.h"
#include "master/claims.h"
#include "master/holdings.h"
#include "master/listeners.h"
#include "master/port_grants.h"
#include "master/port_rivals.h"
#include "master/tunnels.h"
#include "master/visit.h"
#include "master/waits.h"
#include "master/worker.h"

/* A GRANTED frame's payload with its generation in front. */
#define ANSWER_MAX (8 + 16360)
#define HTTP_PORT 80 /* left out of a URL, */
#define HTTPS_PORT 443

/* One round over a session's list. */
struct round {
	struct master *m;
	struct session *s;
	struct claim_rules rules;
	struct limits limits;
	uint16_t http,
	    sni;	/* ports for users of this table; 0: nobody listens */
	uint64_t names; /* beside the id, of all sessions of the client */
	uint16_t rows;	/* of the answer */
	bool conflict;	/* another client has one of the names or ports */
	struct buf out;
	bool urls; /* there is room for them */
	void (*rival)(void *arg, struct session *rival);
	void *arg;
	struct session *robbed; /* of a name that is its owner's id */
	bool disallowed; /* the external check has not allowed some name */
};

bool
naming_is_id(void *master, const char *label)
{
	struct master *m = master;
	struct client *c;

	if (server_conf_user(&m->conf, label) != NULL)
		return true;
	c = clients_find(m->clients, label);
	return c != NULL && (c->held || c->vouched);
}

static void
begin_round(struct round *r, struct master *m, struct session *s)
{
	memset(r, 0, sizeof(*r));
	r->m = m;
	r->s = s;
	r->http = listeners_port(m->listeners, ROLE_HTTP);
	if (r->http == 0)
		r->http = listeners_port(m->listeners, ROLE_TLS);
	r->sni = listeners_port(m->listeners, ROLE_SNI);
	r->limits = server_conf_limits(
	    &m->conf, server_conf_user(&m->conf, s->client->id));
	r->rules.id = s->client->id;
	r->rules.limits = &r->limits;
	r->rules.domain = m->conf.domain;
	r->rules.is_id = naming_is_id;
	r->rules.arg = m;
}

static void
each_ask(struct round *r, ask_fn fn)
{
	asks_each(&r->s->offer, r->http != 0, r->sni != 0, fn, r);
}

static struct route *
route_of(const struct round *r, const struct ask *a, const struct claim *claim)
{
	return routes_get(r->m->routes, a->table, claim->kind, claim->name);
}

/*
 * Whether a name that nobody holds is its client's all the same: that was lost
 * with it, has not come back without it, and may still have it.
 */
static bool
is_kept(const struct round *r, const struct route *at)
{
	const char *id = at->client->id, *asked = at->name;
	struct limits limits =
	    server_conf_limits(&r->m->conf, server_conf_user(&r->m->conf, id));
	struct claim_rules rules = r->rules;
	struct claim claim;
	size_t n = strlen(id);

	if (!at->kept)
		return false;
	if (at->kind == ROUTE_LABEL && limits.hosts_with_id &&
	    strncmp(asked, id, n) == 0 && asked[n] == '-')
		asked += n + 1;
	rules.id = id;
	rules.limits = &limits;
	return claim_judge(&claim, &rules, asked) == GRANT_OK &&
	    strcmp(claim.name, at->name) == 0;
}

/*
 * Who stands in the way of a claim: NULL, nobody. Of the same client, a
 * session that is lost, or that leaves, does not.
 */
static struct route *
find_holder(
    const struct round *r, const struct ask *a, const struct claim *claim)
{
	struct route *at = route_of(r, a, claim);

	if (at == NULL || at->session == r->s)
		return NULL;
	if (at->client != r->s->client)
		return !claim->own && (at->session != NULL || is_kept(r, at))
		    ? at
		    : NULL;
	if (at->session == NULL)
		return NULL;
	return tunnels_serves(at->session) ? at : NULL;
}

/* A name that is in the way, if it is another live session's of the client. */
static void
look_at_holder(void *arg, const struct ask *a)
{
	struct round *r = arg;
	struct route *holder;
	struct claim claim;

	if (claim_judge(&claim, &r->rules, a->name) == GRANT_OK &&
	    (holder = find_holder(r, a, &claim)) != NULL &&
	    holder->client == r->s->client)
		r->rival(r->arg, holder->session);
}

void
naming_rivals(struct master *m, struct session *s,
    void (*fn)(void *arg, struct session *rival), void *arg)
{
	struct round r;

	begin_round(&r, m, s);
	r.rival = fn;
	r.arg = arg;
	each_ask(&r, look_at_holder);
	port_rivals_each(m, s, fn, arg);
}

/* Count the rows, and see whether there is a conflict with others. */
static void
look_ahead(void *arg, const struct ask *a)
{
	struct round *r = arg;
	struct route *holder;
	struct claim claim;

	r->rows++;
	if (a->served && claim_judge(&claim, &r->rules, a->name) == GRANT_OK &&
	    (holder = find_holder(r, a, &claim)) != NULL)
		r->conflict |= holder->client != r->s->client;
}

/* Beside its id, a session may have what the external check allowed it. */
static void
check_allowed(void *arg, const struct ask *a)
{
	struct round *r = arg;
	const struct names *allowed = r->s->allowed;

	if (allowed == NULL || a->name[0] == '\0' ||
	    strcmp(a->name, r->s->client->id) == 0 ||
	    names_have(allowed, a->name))
		return;
	r->disallowed = true;
	log_info("client %s asks for %s, which auth.url does not allow",
	    r->s->client->id, a->name);
}

/* Take the route, in place of whoever had it. */
static enum grant
take_route(struct round *r, const struct ask *a, const struct claim *claim)
{
	struct route *at = route_of(r, a, claim);

	if (at == NULL) {
		at = routes_add(r->m->routes, a->table, claim->kind,
		    claim->name, r->s->client);
		if (at == NULL)
			return GRANT_LIMIT;
		/* As if remembered, so that taking it is one case. */
		LIST_INSERT_HEAD(&r->s->client->away, at, of);
		r->s->client->naway++;
	} else if (at->session != NULL && at->client != r->s->client) {
		r->robbed = at->session;
	}
	sessions_take_route(r->s, at, a->sv->index);
	return GRANT_OK;
}

/*
 * What becomes of a row. While another client has one of the names nothing is
 * granted that was not before: a list holds as a whole.
 */
static enum grant
decide(struct round *r, const struct ask *a, struct granted *g)
{
	const struct route *at;
	struct claim claim;
	enum grant code;

	if (!a->served)
		return GRANT_UNSUPPORTED;
	if (r->disallowed)
		return GRANT_RULE;
	if ((code = claim_judge(&claim, &r->rules, a->name)) != GRANT_OK)
		return code;
	if ((at = find_holder(r, a, &claim)) != NULL) {
		g->since = at->session == NULL
		    ? GRANT_SINCE_AWAY
		    : (uint32_t)((clock_ms() - at->since) / 1000);
		return GRANT_TAKEN;
	}
	at = route_of(r, a, &claim);
	if (r->conflict && (at == NULL || at->session != r->s))
		return GRANT_ROLLED_BACK;
	if (!claim.own && a->first && r->limits.hosts_number != 0 &&
	    r->names >= r->limits.hosts_number)
		return GRANT_LIMIT;
	if ((code = take_route(r, a, &claim)) != GRANT_OK)
		return code;
	r->names += !claim.own && a->first;
	strcpy(g->host, claim.host);
	return GRANT_OK;
}

/* The whole address, where we know it: the client knows the host it dialled. */
static void
make_url(const struct round *r, struct granted *g)
{
	bool sni = g->way == GRANT_WAY_SNI;
	uint16_t tls = sni ? r->sni : listeners_port(r->m->listeners, ROLE_TLS);
	/* It may have come to a port where HTTP is not spoken. */
	uint16_t plain = r->s->port != 0 ? r->s->port : r->http;
	uint16_t port = tls != 0 ? tls : plain;
	const char *scheme = tls != 0 ? "https" : "http";

	if (sni || plain != r->s->port) /* not what the client dialled */
		g->opened = sni ? tls : plain;
	if (!r->urls || strchr(g->host, '.') == NULL ||
	    strchr(g->host, ':') != NULL)
		return;
	if (port == (tls != 0 ? HTTPS_PORT : HTTP_PORT))
		snprintf(g->url, sizeof(g->url), "%s://%s", scheme, g->host);
	else
		snprintf(g->url, sizeof(g->url), "%s://%s:%u", scheme, g->host,
		    port);
}

static void
log_decision(const struct round *r, const struct granted *g)
{
	const char *name = g->name[0] != '\0' ? g->name : r->s->client->id;
	const char *way = g->way == GRANT_WAY_SNI ? " by server name" : "";

	if (g->code == GRANT_OK)
		log_info(
		    "client %s serves %s%s", r->s->client->id, g->host, way);
	else
		log_info("client %s is refused %s%s: %s", r->s->client->id,
		    name, way, granted_text(g));
}

static void
grant_name(void *arg, const struct ask *a)
{
	struct round *r = arg;
	struct granted g = { .index = a->sv->index,
		.way =
		    a->table == ROUTES_SNI ? GRANT_WAY_SNI : GRANT_WAY_HTTP };

	strcpy(g.name, a->name);
	g.code = (uint8_t)decide(r, a, &g);
	if (g.code == GRANT_OK)
		make_url(r, &g);
	log_decision(r, &g);
	granted_put(&r->out, &g);
}

static void
drop_stale(struct master *m, struct session *s)
{
	struct route *r, *next;

	for (r = LIST_FIRST(&s->routes); r != NULL; r = next) {
		next = LIST_NEXT(r, of);
		if (!r->stale)
			continue;
		/* Given up, not away: nobody has to remember it. */
		LIST_REMOVE(r, of);
		routes_remove(m->routes, r);
	}
}

/* It is back: what it does not ask for any more is free. */
static void
release_kept(struct client *client)
{
	struct route *r;

	LIST_FOREACH(r, &client->away, of)
	r->kept = false;
}

/* Decide on the whole list and write the answer. -1: it does not fit. */
static int
answer(struct round *r, uint8_t *space, bool urls)
{
	struct route *at;

	r->rows = port_grants_count(r->s);
	r->conflict = port_rivals_conflict(r->m, r->s);
	each_ask(r, look_ahead);
	r->names = holdings_names(r->m, r->s->client, r->s);
	r->urls = urls;
	LIST_FOREACH(at, &r->s->routes, of)
	at->stale = true;
	buf_write(&r->out, space, ANSWER_MAX);
	buf_put_u64(&r->out, r->s->generation);
	granted_put_head(&r->out, r->s->offer.serial, r->rows);
	each_ask(r, grant_name);
	port_grants_make(r->m, r->s,
	    r->disallowed     ? GRANT_RULE
		: r->conflict ? GRANT_ROLLED_BACK
			      : GRANT_OK,
	    &r->out);
	drop_stale(r->m, r->s);
	if (!r->conflict && !r->disallowed)
		release_kept(r->s->client);
	return buf_ok(&r->out) ? 0 : -1;
}

void
naming_grant(struct master *m, struct session *s)
{
	uint8_t space[ANSWER_MAX];
	struct session *robbed;
	struct round r;

	s->offered = false;
	waits_remove(&s->wait);
	begin_round(&r, m, s);
	each_ask(&r, check_allowed);
	if (answer(&r, space, true) == -1 && answer(&r, space, false) == -1) {
		/* Names are at most 15 KiB, but all granted come twice. */
		log_info("client %s asks for too many names", s->client->id);
		tunnels_goaway(s, GOAWAY_ABUSE, "too many names");
		return;
	}
	s->told = true;
	worker_send(s->relay, MSG_GRANTED, 0, space, buf_used(&r.out));
	visit_review(m, s->client);
	if ((robbed = r.robbed) != NULL && tunnels_serves(robbed))
		naming_grant(m, robbed);
}
