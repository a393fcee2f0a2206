/* Which session gets which public ports. */
#include "master/port_grants.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "master/conf_tls.h"
#include "master/limits.h"
#include "master/port_ask.h"
#include "master/ports.h"
#include "master/tunnels.h"
#include "master/udp_ports.h"
#include "master/tls.h"

#define PRIVILEGED 1024 /* ports below it need root */

/* One round over a session's list. */
struct round {
	struct master *m;
	struct session *s;
	struct limits limits;
	struct port_use tcp, udp;
	enum grant rest; /* of what s does not have; GRANT_OK: judge it */
	unsigned tries;	 /* ports that were tried for random ones */
};

/* What one service asks for. */
struct ask {
	const struct service *sv;
	enum grant_way way;
	const struct port_rule_list *rules;
	struct port_use *use;
};

uint16_t
port_grants_count(const struct session *s)
{
	uint16_t n = 0;

	for (size_t i = 0; i < s->offer.count; i++)
		n = (uint16_t)(n + port_ask_any(&s->offer.list[i]));
	return n;
}

static bool
is_supported(const struct master *m, const struct service *sv)
{
	if ((sv->flags & SERVICE_ENDS_TLS) != 0)
		return sv->kind == SERVICE_TCP && conf_tls_wanted(&m->conf);
	return sv->kind == SERVICE_TCP || sv->kind == SERVICE_TLS ||
	    sv->kind == SERVICE_UDP;
}

static struct ask
ask_of(struct round *r, const struct service *sv)
{
	bool udp = port_ask_way(sv) == GRANT_WAY_UDP;
	struct ask a = { .sv = sv,
		.way = port_ask_way(sv),
		.rules = udp ? &r->limits.udp : &r->limits.tcp,
		.use = udp ? &r->udp : &r->tcp };

	return a;
}

/* Count what other live sessions of the client have. */
static void
begin(struct round *r, struct master *m, struct session *s)
{
	const struct session *other;
	const struct port *p;

	memset(r, 0, sizeof(*r));
	r->m = m;
	r->s = s;
	r->limits = limits_of(m, s->client);
	LIST_FOREACH(other, &s->client->sessions, of)
	{
		if (other == s || !tunnels_serves(other))
			continue;
		LIST_FOREACH(p, &other->ports, of)
		{
			if (p->way == GRANT_WAY_UDP)
				port_rules_take(
				    &r->limits.udp, &r->udp, p->number);
			else
				port_rules_take(
				    &r->limits.tcp, &r->tcp, p->number);
		}
	}
}

/*
 * Whether s may have an open port: it has it and no service before asks for
 * it, or it is of a session of the same client that is lost, or leaves.
 */
static bool
is_free_for(const struct session *s, const struct port *p)
{
	if (p->session == s)
		return p->stale;
	return p->session->client == s->client && !tunnels_serves(p->session);
}

/* Why a port cannot be opened. */
static enum grant
code_of(int err)
{
	switch (err) {
	case EADDRINUSE:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
		return GRANT_PORT_TAKEN; /* worth asking again */
	default:
		return GRANT_PORT_SYSTEM;
	}
}

static enum grant
open_port(
    struct round *r, const struct ask *a, uint16_t number, struct port **p)
{
	enum grant code;

	if ((*p = ports_open(r->m->ports, a->way, number)) != NULL)
		return GRANT_OK;
	code = code_of(errno);
	log_at(code == GRANT_PORT_SYSTEM ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
	    "port %u: %s", number,
	    errno == ENOSPC ? "too many ports are open" : strerror(errno));
	return code;
}

/* Give s this port, if the rules have it and nobody else. */
static enum grant
take(struct round *r, const struct ask *a, uint16_t number, uint32_t *since)
{
	struct port *p = ports_find(r->m->ports, a->way, number);
	struct port_use before = *a->use;
	enum grant code;

	if ((code = port_rules_take(a->rules, a->use, number)) != GRANT_OK)
		return code;
	if (p != NULL && !is_free_for(r->s, p)) {
		*since = (uint32_t)((clock_ms() - p->since) / 1000);
		code = GRANT_PORT_TAKEN;
	} else if (p == NULL) {
		code = open_port(r, a, number, &p);
	}
	if (code == GRANT_OK)
		ports_give(p, r->s, a->sv->port, a->sv->index);
	else
		*a->use = before;
	return code;
}

/* All ports that it names, or none of them. */
static enum grant
take_range(struct round *r, const struct ask *a, struct granted *g)
{
	struct port_use before = *a->use;
	uint32_t first = a->sv->port, port;
	enum grant code = GRANT_OK;

	for (port = first; port <= a->sv->port_last; port++) {
		code = take(r, a, (uint16_t)port, &g->since);
		if (code != GRANT_OK)
			break;
	}
	g->opened = a->sv->port;
	if (code == GRANT_OK)
		return GRANT_OK;
	*a->use = before;
	while (port-- > first)
		ports_find(r->m->ports, a->way, (uint16_t)port)->stale = true;
	return code;
}

/* Why it would not get the ports that it names, without taking any. */
static enum grant
foresee(const struct round *r, const struct ask *a, struct granted *g)
{
	struct port_use use = *a->use;

	for (uint32_t n = a->sv->port; n <= a->sv->port_last; n++) {
		const struct port *p =
		    ports_find(r->m->ports, a->way, (uint16_t)n);
		enum grant code = port_rules_take(a->rules, &use, (uint16_t)n);

		if (code != GRANT_OK)
			return code;
		if (p == NULL || is_free_for(r->s, p))
			continue;
		g->since = (uint32_t)((clock_ms() - p->since) / 1000);
		return GRANT_PORT_TAKEN;
	}
	return GRANT_OK;
}

/* The port that this service had, or has: it keeps it. */
static struct port *
find_own(const struct round *r, const struct ask *a)
{
	struct session *s;
	struct port *p;

	LIST_FOREACH(s, &r->s->client->sessions, of)
	{
		LIST_FOREACH(p, &s->ports, of)
		{
			if (p->way == a->way && p->service == a->sv->index &&
			    p->asked == a->sv->port && is_free_for(r->s, p))
				return p;
		}
	}
	return NULL;
}

/* The next port that a random one may be; 0: none. */
static uint16_t
next_after(const struct ask *a, uint16_t port, enum grant code)
{
	uint32_t from = port + 1u;

	if (code == GRANT_PORT_SYSTEM && from < PRIVILEGED)
		from = PRIVILEGED;
	return from > UINT16_MAX
	    ? 0
	    : port_rules_next(a->rules, a->use, (uint16_t)from);
}

/* The lowest port that is to be had. */
static enum grant
take_any(struct round *r, const struct ask *a, struct granted *g)
{
	uint16_t port = port_rules_next(a->rules, a->use, 1);
	enum grant code =
	    a->rules->n == 0 ? GRANT_PORT_RULE : GRANT_PORT_NUMBER;

	for (; port != 0 && r->tries < PORT_GRANTS_TRIES;
	    port = next_after(a, port, code)) {
		code = GRANT_PORT_TAKEN;
		/* One of our own may still be asked for by name. */
		if (ports_find(r->m->ports, a->way, port) != NULL)
			continue;
		r->tries++;
		if ((code = take(r, a, port, &g->since)) == GRANT_OK) {
			g->opened = port;
			return GRANT_OK;
		}
	}
	return code;
}

static enum grant
take_random(struct round *r, const struct ask *a, struct granted *g)
{
	const struct port *own = find_own(r, a);

	if (own != NULL && take(r, a, own->number, &g->since) == GRANT_OK) {
		g->opened = own->number;
		return GRANT_OK;
	}
	if (a->sv->port != 0 && take_range(r, a, g) == GRANT_OK)
		return GRANT_OK;
	return take_any(r, a, g);
}

/* Whether it has already all that it asks for. */
static bool
has_all(const struct round *r, const struct ask *a)
{
	const struct port *p;

	if (port_ask_random(a->sv))
		return (p = find_own(r, a)) != NULL && p->session == r->s;
	for (uint32_t n = a->sv->port; n <= a->sv->port_last; n++) {
		p = ports_find(r->m->ports, a->way, (uint16_t)n);
		if (p == NULL || p->session != r->s ||
		    p->service != a->sv->index)
			return false;
	}
	return true;
}

static enum grant
judge(struct round *r, const struct ask *a, struct granted *g)
{
	enum grant code;

	if (!is_supported(r->m, a->sv))
		return GRANT_UNSUPPORTED;
	if (r->rest == GRANT_OK || has_all(r, a))
		return port_ask_random(a->sv) ? take_random(r, a, g)
					      : take_range(r, a, g);
	if (port_ask_random(a->sv))
		code = a->rules->n == 0 ? GRANT_PORT_RULE : GRANT_OK;
	else
		code = foresee(r, a, g);
	return code != GRANT_OK ? code : r->rest;
}

/* The rules that stand against it; what else may is said by its code. */
static void
log_refusal(const struct round *r, const struct granted *g, const char *what)
{
	bool udp = g->way == GRANT_WAY_UDP;
	const char *way = udp ? "udp" : "tcp", *id = r->s->client->id;
	const struct limits *all = &r->m->conf.limits;
	const struct port_rule_list *rules =
	    udp ? &r->limits.udp : &r->limits.tcp;
	bool own = rules->v != (udp ? all->udp.v : all->tcp.v);
	const char *why = grant_text((enum grant)g->code);
	char text[PORT_RULES_TEXT];

	if (g->code == GRANT_PORT_RULE || g->code == GRANT_PORT_NUMBER)
		log_info("client %s is refused %s port %s: %s (%s%s: %s)", id,
		    way, what, why, own ? "its own " : "limits.", way,
		    port_rules_text(text, rules));
	else
		log_info(
		    "client %s is refused %s port %s: %s", id, way, what, why);
}

static void
log_decision(const struct round *r, const struct granted *g, uint16_t last)
{
	const char *way = g->way == GRANT_WAY_UDP ? "udp" : "tcp";
	const char *id = r->s->client->id;
	char what[32];

	if (g->port == 0)
		snprintf(what, sizeof(what), "any");
	else if (last == g->port)
		snprintf(what, sizeof(what), "%u", g->port);
	else
		snprintf(what, sizeof(what), "%u-%u", g->port, last);
	if (g->code != GRANT_OK)
		log_refusal(r, g, what);
	else if (last == g->port)
		log_info("client %s serves %s port %u", id, way, g->opened);
	else
		log_info("client %s serves %s port %u-%u", id, way, g->opened,
		    g->opened + last - g->port);
}

static void
decide(struct round *r, const struct service *sv, struct buf *b)
{
	struct granted g = { .index = sv->index,
		.way = (uint8_t)port_ask_way(sv),
		.port = sv->port };
	struct ask a = ask_of(r, sv);

	g.code = (uint8_t)judge(r, &a, &g);
	if (g.code != GRANT_OK)
		g.opened = 0;
	else if (r->m->conf.domain != NULL)
		strcpy(g.host, r->m->conf.domain);
	log_decision(r, &g, sv->port_last);
	granted_put(b, &g);
}

static void
close_stale(struct session *s)
{
	struct port *p, *next;

	for (p = LIST_FIRST(&s->ports); p != NULL; p = next) {
		next = LIST_NEXT(p, of);
		if (p->stale)
			ports_close(p);
	}
}

void
port_grants_make(
    struct master *m, struct session *s, enum grant rest, struct buf *b)
{
	struct round r;
	struct port *p;

	begin(&r, m, s);
	r.rest = rest;
	LIST_FOREACH(p, &s->ports, of)
	p->stale = true;
	for (size_t i = 0; i < s->offer.count; i++) {
		if (port_ask_any(&s->offer.list[i]))
			decide(&r, &s->offer.list[i], b);
	}
	close_stale(s);
	udp_ports_update(m, s);
}
