/* Who gets which name. */
#include "master/naming.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "master/claims.h"
#include "master/clock.h"
#include "master/tunnels.h"
#include "master/visit.h"
#include "master/waits.h"
#include "master/worker.h"

/* A GRANTED frame's payload with its generation in front. */
#define ANSWER_MAX (8 + 16360)

/* One round over a session's list. */
struct round {
	struct master *m;
	struct session *s;
	struct claim_rules rules;
	struct limits limits;
	uint64_t names; /* beside the id, of all sessions of the client */
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
	r->limits = server_conf_limits(
	    &m->conf, server_conf_user(&m->conf, s->client->id));
	r->rules.id = s->client->id;
	r->rules.limits = &r->limits;
	r->rules.domain = m->conf.domain;
	r->rules.is_id = naming_is_id;
	r->rules.arg = m;
}

/*
 * Who stands in the way of a claim: GRANT_OK nobody, GRANT_TAKEN *holder. A
 * session that is lost, or that leaves, does not.
 */
static enum grant
find_holder(
    const struct round *r, const struct claim *claim, struct route **holder)
{
	struct route *at = routes_get(r->m->routes, claim->kind, claim->name);

	*holder = at;
	if (at == NULL || at->session == NULL || at->session == r->s)
		return GRANT_OK;
	if (at->client != r->s->client)
		return claim->own ? GRANT_OK : GRANT_TAKEN;
	return tunnels_serves(at->session) ? GRANT_TAKEN : GRANT_OK;
}

/* Call fn for every name of the list; a service without names has one, "". */
static void
each_name(struct round *r,
    void (*fn)(struct round *r, const struct service *sv, const char *name))
{
	const struct services *list = &r->s->offer;

	for (size_t i = 0; i < list->count; i++) {
		const struct service *sv = &list->list[i];

		if (sv->nnames == 0)
			fn(r, sv, "");
		for (size_t j = 0; j < sv->nnames; j++)
			fn(r, sv, sv->names[j]);
	}
}

/* A name that is in the way, if it is another live session's of the client. */
static void
look_at_holder(struct round *r, const struct service *sv, const char *name)
{
	struct claim claim;
	struct route *holder;

	(void)sv;
	if (claim_judge(&claim, &r->rules, name) == GRANT_OK &&
	    find_holder(r, &claim, &holder) == GRANT_TAKEN &&
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
	each_name(&r, look_at_holder);
}

/* Beside its id, a session may have what the external check allowed it. */
static void
check_allowed(struct round *r, const struct service *sv, const char *name)
{
	const struct names *allowed = r->s->allowed;

	(void)sv;
	if (allowed == NULL || name[0] == '\0' ||
	    strcmp(name, r->s->client->id) == 0 || names_have(allowed, name))
		return;
	r->disallowed = true;
	log_info("client %s asks for %s, which auth.url does not allow",
	    r->s->client->id, name);
}

/* Take the route, in place of whoever had it. */
static enum grant
take_route(struct round *r, const struct service *sv, const struct claim *claim)
{
	struct route *at = routes_get(r->m->routes, claim->kind, claim->name);

	if (at == NULL) {
		at = routes_add(
		    r->m->routes, claim->kind, claim->name, r->s->client);
		if (at == NULL)
			return GRANT_LIMIT;
		/* As if remembered, so that taking it is one case. */
		LIST_INSERT_HEAD(&r->s->client->away, at, of);
		r->s->client->naway++;
	} else if (at->session != NULL && at->client != r->s->client) {
		r->robbed = at->session;
	}
	sessions_take_route(r->s, at, sv->index);
	return GRANT_OK;
}

static enum grant
decide(struct round *r, const struct service *sv, const char *name,
    struct granted *g)
{
	struct claim claim;
	struct route *holder;
	enum grant code;

	if (r->disallowed)
		return GRANT_RULE;
	if ((code = claim_judge(&claim, &r->rules, name)) != GRANT_OK)
		return code;
	if (find_holder(r, &claim, &holder) == GRANT_TAKEN) {
		g->since = (uint32_t)((clock_ms() - holder->since) / 1000);
		return GRANT_TAKEN;
	}
	if (!claim.own && r->limits.hosts_number != 0 &&
	    r->names >= r->limits.hosts_number)
		return GRANT_LIMIT;
	if ((code = take_route(r, sv, &claim)) != GRANT_OK)
		return code;
	r->names += !claim.own;
	strcpy(g->host, claim.host);
	return GRANT_OK;
}

/* The whole address, where we know it: the client knows the host it dialled. */
static void
make_url(const struct round *r, struct granted *g)
{
	if (!r->urls || strchr(g->host, '.') == NULL)
		return;
	if (r->s->port == 80)
		snprintf(g->url, sizeof(g->url), "http://%s", g->host);
	else
		snprintf(g->url, sizeof(g->url), "http://%s:%u", g->host,
		    r->s->port);
}

static void
log_decision(const struct round *r, const struct granted *g)
{
	const char *name = g->name[0] != '\0' ? g->name : r->s->client->id;

	if (g->code == GRANT_OK)
		log_info("client %s serves %s", r->s->client->id, g->host);
	else
		log_info("client %s is refused %s: %s", r->s->client->id, name,
		    grant_text(g->code));
}

static void
grant_name(struct round *r, const struct service *sv, const char *name)
{
	struct granted g = { .index = sv->index, .way = GRANT_WAY_HTTP };

	strcpy(g.name, name);
	g.code = (uint8_t)decide(r, sv, name, &g);
	if (g.code == GRANT_OK)
		make_url(r, &g);
	log_decision(r, &g);
	granted_put(&r->out, &g);
}

static void
count_name(struct round *r, const struct service *sv, const char *name)
{
	(void)sv;
	(void)name;
	r->names++;
}

/* Names beside the id that other live sessions of this client have. */
static uint64_t
names_elsewhere(const struct session *s)
{
	const struct session *other;
	const struct route *r;
	uint64_t n = 0;

	LIST_FOREACH(other, &s->client->sessions, of)
	{
		/* Those of the dead are free to be taken over. */
		if (other == s || !tunnels_serves(other))
			continue;
		LIST_FOREACH(r, &other->routes, of)
		n += strcmp(r->name, s->client->id) != 0;
	}
	return n;
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

/* Decide on the whole list and write the answer. -1: it does not fit. */
static int
answer(struct round *r, uint8_t *space, bool urls)
{
	uint16_t count;
	struct route *at;

	r->names = 0;
	each_name(r, count_name);
	count = (uint16_t)r->names;
	r->names = names_elsewhere(r->s);
	r->urls = urls;
	LIST_FOREACH(at, &r->s->routes, of)
	at->stale = true;
	buf_write(&r->out, space, ANSWER_MAX);
	buf_put_u64(&r->out, r->s->generation);
	granted_put_head(&r->out, r->s->offer.serial, count);
	each_name(r, grant_name);
	drop_stale(r->m, r->s);
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
	each_name(&r, check_allowed);
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
