/* The rules on names. */
#include "master/claims.h"

#include <stdio.h>
#include <string.h>

#include "common/base/service_name.h"

/* The address of a label: under the domain, or the label itself. */
static enum grant
set_label(struct claim *c, const struct claim_rules *r, const char *label)
{
	int n;

	c->kind = ROUTE_LABEL;
	strcpy(c->name, label);
	if (r->domain == NULL)
		n = snprintf(c->host, sizeof(c->host), "%s", label);
	else
		n = snprintf(
		    c->host, sizeof(c->host), "%s.%s", label, r->domain);
	return n < (int)sizeof(c->host) ? GRANT_OK : GRANT_RULE;
}

/* A prefix, whose label is `label` (with the id, if that is the rule). */
static enum grant
judge_label(struct claim *c, const struct claim_rules *r, const char *prefix,
    const char *label)
{
	if (!limits_allow_prefix(r->limits, prefix))
		return GRANT_RULE;
	if (server_conf_name_taken(
		r->id, label, r->limits->hosts_with_id, r->is_id, r->arg))
		return GRANT_RESERVED;
	return set_label(c, r, label);
}

static enum grant
judge_prefix(struct claim *c, const struct claim_rules *r, const char *prefix)
{
	char label[2 * TEXT_LABEL_MAX + 2];

	if (strcmp(prefix, r->id) == 0) {
		c->own = true;
		return set_label(c, r, prefix);
	}
	if (!r->limits->hosts_with_id)
		return judge_label(c, r, prefix, prefix);
	snprintf(label, sizeof(label), "%s-%s", r->id, prefix);
	if (strlen(label) > TEXT_LABEL_MAX)
		return GRANT_RULE;
	return judge_label(c, r, prefix, label);
}

/*
 * LABEL.domain is the address of the label, so it is judged as what would
 * have given it: with_id, only labels that begin with "id-" are to be had.
 */
static enum grant
judge_under(struct claim *c, const struct claim_rules *r, const char *name)
{
	char label[TEXT_LABEL_MAX + 1];
	size_t idlen = strlen(r->id);

	routes_first_label(label, name);
	if (strcmp(label, r->id) == 0)
		return judge_prefix(c, r, label);
	if (!r->limits->hosts_with_id)
		return judge_label(c, r, label, label);
	if (r->is_id(r->arg, label))
		return GRANT_RESERVED;
	if (strncmp(label, r->id, idlen) != 0 || label[idlen] != '-')
		return GRANT_RULE;
	return judge_label(c, r, label + idlen + 1, label);
}

/* Whether a name may be taken for one of another id: its first label is. */
static bool
is_anothers(const struct claim_rules *r, const char *name)
{
	char label[TEXT_LABEL_MAX + 1];

	return routes_in_domain(name, r->domain) &&
	    server_conf_name_taken(r->id, routes_first_label(label, name),
		r->limits->hosts_with_id, r->is_id, r->arg);
}

static enum grant
set_whole(struct claim *c, enum route_kind kind, const char *name)
{
	c->kind = kind;
	strcpy(c->name, name);
	strcpy(c->host, name);
	return GRANT_OK;
}

static enum grant
judge_full(struct claim *c, const struct claim_rules *r, const char *name)
{
	if (routes_at_domain(name, r->domain))
		return judge_under(c, r, name);
	if (is_anothers(r, name))
		return GRANT_RESERVED;
	return set_whole(c, ROUTE_FULL, name);
}

/* Whether the wildcard catches LABEL.domain. */
static bool
covers_domain(const char *wildcard, const char *domain)
{
	const char *below = wildcard + 2;

	return domain != NULL &&
	    (strcmp(below, domain) == 0 || routes_in_domain(domain, below));
}

/*
 * All prefixes at once are no way around rules on prefixes; and what is below
 * another's name is not to be had either.
 */
static enum grant
judge_wildcard(struct claim *c, const struct claim_rules *r, const char *name)
{
	const struct limits *l = r->limits;

	if (covers_domain(name, r->domain) &&
	    (l->hosts_with_id || l->hosts_number != 0 || l->hosts_regex.n > 0))
		return GRANT_RULE;
	if (is_anothers(r, name + 2))
		return GRANT_RESERVED;
	return set_whole(c, ROUTE_WILDCARD, name);
}

enum grant
claim_judge(
    struct claim *claim, const struct claim_rules *rules, const char *asked)
{
	char name[TEXT_NAME_MAX + 1];

	memset(claim, 0, sizeof(*claim));
	if (asked[0] == '\0')
		asked = rules->id;
	switch (service_name_parse(name, asked, strlen(asked))) {
	case SERVICE_NAME_LABEL:
		return judge_prefix(claim, rules, name);
	case SERVICE_NAME_FULL:
		return judge_full(claim, rules, name);
	case SERVICE_NAME_WILDCARD:
		return judge_wildcard(claim, rules, name);
	case SERVICE_NAME_ADDRESS:
		return set_whole(claim, ROUTE_ADDRESS, name);
	default:
		return GRANT_RULE;
	}
}
