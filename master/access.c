/* Who may connect to which listener. */
#include "master/access.h"

#include <stdio.h>

#include "master/listeners.h"

/* The rules of a kind of listener, or NULL if it has none. */
static const struct conf_access *
rules(const struct server_conf *c, uint8_t kind)
{
	switch ((enum listener_kind)kind) {
	case LISTENER_HTTP:
		return &c->access_http;
	case LISTENER_REDIRECT:
		return &c->access_http_redirect;
	case LISTENER_SNI:
		return &c->access_sni;
	case LISTENER_API:
		return &c->access_api;
	case LISTENER_TLS:
		return &c->access_tls;
	default:
		return NULL;
	}
}

static bool
has(const struct block_list *list, const struct addr *a)
{
	return addr_blocks_have(list->v, list->n, a);
}

bool
access_proxied(
    const struct server_conf *c, uint8_t kind, const struct addr *from)
{
	const struct conf_access *a = rules(c, kind);

	return a != NULL && has(&a->proxy, from);
}

bool
access_allows(
    const struct server_conf *c, uint8_t kind, const struct addr *peer)
{
	const struct conf_access *a = rules(c, kind);

	if (a == NULL)
		return true;
	if (has(&a->deny, peer))
		return false;
	return a->allow.n == 0 || has(&a->allow, peer);
}

const char *
access_text(char dst[ACCESS_TEXT], const struct server_conf *c, uint8_t kind)
{
	const struct conf_access *a = rules(c, kind);
	size_t n = 0;

	if (a == NULL || a->proxy.n + a->allow.n + a->deny.n == 0)
		return NULL;
	if (a->proxy.n > 0)
		n += (size_t)snprintf(dst, ACCESS_TEXT, "proxy");
	if (a->allow.n > 0)
		n += (size_t)snprintf(
		    dst + n, ACCESS_TEXT - n, "%sallow", n > 0 ? ", " : "");
	if (a->deny.n > 0)
		snprintf(dst + n, ACCESS_TEXT - n, "%sdeny", n > 0 ? ", " : "");
	return dst;
}
