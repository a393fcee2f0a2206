/* Which public ports a client may open. */
#include "master/port_rules.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/addr.h"
#include "common/conf/schema.h"

#define DIGITS 5 /* of a port */

/* n digits at s. */
static int
parse_port(uint64_t *port, const char *s, size_t n)
{
	char text[DIGITS + 1];
	uint16_t v;

	if (n > DIGITS)
		return -1;
	snprintf(text, sizeof(text), "%.*s", (int)n, s);
	if (addr_parse_port(&v, text) == -1 || v == 0)
		return -1;
	*port = v;
	return 0;
}

void
port_rules_finish(void *rule, const struct schema_place *at)
{
	struct port_rule *r = rule;
	const char *s = r->range, *dash;
	size_t n;

	if (s == NULL) {
		schema_fault(at, "range", "expected a range as \"1024-65535\"");
		return;
	}
	dash = strchr(s, '-');
	n = dash == NULL ? strlen(s) : (size_t)(dash - s);
	if (parse_port(&r->first, s, n) == -1 ||
	    (dash != NULL &&
		parse_port(&r->last, dash + 1, strlen(dash + 1)) == -1))
		r->first = r->last = 0;
	else if (dash == NULL)
		r->last = r->first;
	if (r->first == 0 || r->first > r->last)
		schema_fault(at, "range",
		    "expected a port or a range as \"1024-65535\"");
}

static bool
has_room(const struct port_rule_list *l, const struct port_use *use, size_t i)
{
	return l->v[i].number == 0 || use->n[i] < l->v[i].number;
}

static bool
has(const struct port_rule *r, uint16_t port)
{
	return r->first <= port && port <= r->last;
}

enum grant
port_rules_take(
    const struct port_rule_list *l, struct port_use *use, uint16_t port)
{
	enum grant code = GRANT_PORT_RULE;
	size_t best = PORT_RULES_MAX;

	for (size_t i = 0; i < l->n && i < PORT_RULES_MAX; i++) {
		const struct port_rule *r = &l->v[i];

		if (!has(r, port))
			continue;
		code = GRANT_PORT_NUMBER;
		if (has_room(l, use, i) &&
		    (best == PORT_RULES_MAX ||
			r->last - r->first <
			    l->v[best].last - l->v[best].first))
			best = i;
	}
	if (best == PORT_RULES_MAX || use->all >= PORT_RULES_CLIENT_MAX)
		return code;
	use->n[best]++;
	use->all++;
	return GRANT_OK;
}

uint16_t
port_rules_next(
    const struct port_rule_list *l, const struct port_use *use, uint16_t from)
{
	uint64_t best = 0;

	for (size_t i = 0; i < l->n && i < PORT_RULES_MAX; i++) {
		const struct port_rule *r = &l->v[i];
		uint64_t port = r->first > from ? r->first : from;

		if (has_room(l, use, i) && use->all < PORT_RULES_CLIENT_MAX &&
		    port <= r->last && (best == 0 || port < best))
			best = port;
	}
	return (uint16_t)best;
}

const char *
port_rules_text(char dst[PORT_RULES_TEXT], const struct port_rule_list *l)
{
	char rule[64];
	size_t n = 0;

	if (l->n == 0)
		return strcpy(dst, "none");
	for (size_t i = 0; i < l->n; i++) {
		const struct port_rule *r = &l->v[i];

		snprintf(rule, sizeof(rule), "%s%s number %" PRIu64,
		    i > 0 ? ", " : "", r->range, r->number);
		if (n + strlen(rule) + sizeof(", ...") > PORT_RULES_TEXT) {
			strcpy(dst + n, ", ...");
			break;
		}
		strcpy(dst + n, rule);
		n += strlen(rule);
	}
	return dst;
}
