/* Who has the public ports that a session asks for by number. */
#include "master/port_rivals.h"

#include "master/limits.h"
#include "master/port_ask.h"
#include "master/ports.h"
#include "master/tunnels.h"

/* Call fn for each open port that s asks for by number. */
static void
each_wanted(const struct master *m, const struct session *s,
    void (*fn)(void *arg, const struct port *p), void *arg)
{
	for (size_t i = 0; i < s->offer.count; i++) {
		const struct service *sv = &s->offer.list[i];

		if (port_ask_random(sv))
			continue;
		for (uint32_t n = sv->port; n != 0 && n <= sv->port_last; n++) {
			const struct port *p =
			    ports_find(m->ports, port_ask_way(sv), (uint16_t)n);

			if (p != NULL)
				fn(arg, p);
		}
	}
}

struct conflict {
	const struct session *s;
	struct limits limits;
	bool found;
};

static void
look_for_conflict(void *arg, const struct port *p)
{
	struct conflict *c = arg;
	struct port_use none = { .all = 0 };
	const struct port_rule_list *rules =
	    p->way == GRANT_WAY_UDP ? &c->limits.udp : &c->limits.tcp;

	/* What it may not have anyway is no conflict. */
	c->found |= p->session->client != c->s->client &&
	    port_rules_take(rules, &none, p->number) == GRANT_OK;
}

bool
port_rivals_conflict(const struct master *m, const struct session *s)
{
	struct conflict c = { s, limits_of(m, s->client), false };

	each_wanted(m, s, look_for_conflict, &c);
	return c.found;
}

struct rivals {
	const struct session *s;
	void (*fn)(void *arg, struct session *rival);
	void *arg;
};

static void
look_for_rival(void *arg, const struct port *p)
{
	const struct rivals *r = arg;

	if (p->session != r->s && p->session->client == r->s->client &&
	    tunnels_serves(p->session))
		r->fn(r->arg, p->session);
}

void
port_rivals_each(struct master *m, struct session *s,
    void (*fn)(void *arg, struct session *rival), void *arg)
{
	struct rivals r = { s, fn, arg };

	each_wanted(m, s, look_for_rival, &r);
}
