/* The gates of a service: who may use it. */
#include "client/gates.h"

#include <string.h>

#include "client/conf_ports.h"
#include "common/conf/secret.h"
#include "common/crypto/gate.h"
#include "common/tunnel/services.h"

/* Whether every byte is visible ASCII: it comes bare in a header field. */
static bool
is_token(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s <= ' ' || *s >= 0x7f)
			return false;
	}
	return true;
}

/* "user:password", neither of them empty. */
static bool
is_basic(const char *s)
{
	const char *colon = strchr(s, ':');

	for (const char *p = s; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	}
	return colon != NULL && colon > s && colon[1] != '\0';
}

static void
finish_token(struct client_service *s, const struct schema_place *at)
{
	char why[SECRET_WHY];

	if (s->token == NULL) {
		if (s->private)
			schema_fault(at, "token",
			    "expected a token: the service is private");
		return;
	}
	if (secret_resolve(&s->token, why) == -1)
		schema_fault(at, "token", "%s", why);
	else if (!is_token(s->token))
		schema_fault(at, "token",
		    "expected letters, digits and signs without blanks");
	if (!s->private)
		schema_fault(
		    at, "private", "expected true: the service has a token");
	else if (s->port != 0 || s->random)
		schema_fault(at, "private",
		    "expected a name and no port: users of a port can show no "
		    "token");
}

static void
finish_basic(struct client_service *s, const struct schema_place *at)
{
	char why[SECRET_WHY];

	if (s->basic == NULL)
		return;
	if (secret_resolve(&s->basic, why) == -1)
		schema_fault(at, "basic", "%s", why);
	else if (!is_basic(s->basic))
		schema_fault(at, "basic", "expected \"user:password\"");
	else if (conf_ports_is_raw(s))
		schema_fault(at, "basic",
		    "expected a local of http:// or https:// with it");
}

void
gates_finish(struct client_service *s, const struct schema_place *at)
{
	finish_token(s, at);
	finish_basic(s, at);
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
same_blocks(const struct block_list *a, const struct block_list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (a->v[i].bits != b->v[i].bits ||
		    !addr_equal(&a->v[i].net, &b->v[i].net))
			return false;
	}
	return true;
}

bool
gates_same(const struct client_service *a, const struct client_service *b)
{
	return a->private == b->private && same_text(a->token, b->token) &&
	    same_text(a->basic, b->basic) &&
	    same_blocks(&a->allow_from, &b->allow_from) &&
	    same_blocks(&a->deny_from, &b->deny_from);
}

const char *
gates_text(char *dst, const struct client_service *s)
{
	struct service row = { 0 };

	gates_offer(&row, s, "");
	return service_gates_text(dst, &row);
}

void
gates_offer(struct service *row, const struct client_service *s, const char *id)
{
	if (s->private)
		row->flags |= SERVICE_PRIVATE;
	if (s->rewrite_host != NULL || s->remove_headers.n > 0)
		row->flags |= SERVICE_EDITS;
	row->has_token = s->token != NULL;
	if (row->has_token)
		gate_hash(
		    row->token, id, row->index, s->token, strlen(s->token));
	row->has_basic = s->basic != NULL;
	if (row->has_basic)
		gate_hash(
		    row->basic, id, row->index, s->basic, strlen(s->basic));
	row->nallow = (uint8_t)s->allow_from.n;
	row->allow = s->allow_from.v;
	row->ndeny = (uint8_t)s->deny_from.n;
	row->deny = s->deny_from.v;
}
