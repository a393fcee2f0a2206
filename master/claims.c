/* The rules on names. */
#include "master/claims.h"

#include <stdio.h>
#include <string.h>

/* Whether name is LABEL.domain; the label's length in *n. */
static bool
directly_under(const char *name, const char *domain, size_t *n)
{
	*n = strcspn(name, ".");
	return domain != NULL && name[*n] == '.' &&
	    strcmp(name + *n + 1, domain) == 0;
}

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
	if (strlen(prefix) > TEXT_LABEL_MAX)
		return GRANT_RULE;
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
judge_under(
    struct claim *c, const struct claim_rules *r, const char *name, size_t n)
{
	char label[TEXT_LABEL_MAX + 1];
	size_t idlen = strlen(r->id);

	if (n > TEXT_LABEL_MAX)
		return GRANT_RULE;
	memcpy(label, name, n);
	label[n] = '\0';
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

/* A full name elsewhere: anybody's, but for others' ids in first place. */
static enum grant
judge_full(struct claim *c, const struct claim_rules *r, const char *name)
{
	char label[TEXT_LABEL_MAX + 1];
	size_t nd = r->domain != NULL ? strlen(r->domain) : 0;
	size_t n = strlen(name);

	/* Without a domain any name may be under the host users dial. */
	if (r->domain == NULL ||
	    (n > nd && name[n - nd - 1] == '.' &&
		strcmp(name + n - nd, r->domain) == 0)) {
		if (server_conf_name_taken(r->id,
			routes_first_label(label, name),
			r->limits->hosts_with_id, r->is_id, r->arg))
			return GRANT_RESERVED;
	}
	c->kind = ROUTE_FULL;
	strcpy(c->name, name);
	strcpy(c->host, name);
	return GRANT_OK;
}

enum grant
claim_judge(
    struct claim *claim, const struct claim_rules *rules, const char *asked)
{
	size_t n;

	memset(claim, 0, sizeof(*claim));
	if (asked[0] == '\0')
		asked = rules->id;
	if (strlen(asked) > TEXT_NAME_MAX)
		return GRANT_RULE;
	if (strchr(asked, '.') == NULL)
		return judge_prefix(claim, rules, asked);
	if (directly_under(asked, rules->domain, &n))
		return judge_under(claim, rules, asked, n);
	return judge_full(claim, rules, asked);
}
