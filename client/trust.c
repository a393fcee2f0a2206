/* Whether a server's key is to be believed. */
#include "client/trust.h"

#include <string.h>

#include "client/known.h"
#include "common/base/log.h"

/* Public keys: an ordinary comparison will do. */
static bool
equal(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, SERVER_ADDR_KEY) == 0;
}

static enum trust
changed(const char *server, const char *where, const uint8_t *expected,
    const uint8_t *key)
{
	char a[KEYTEXT_SIZE], b[KEYTEXT_SIZE];

	log_error("%s has another key than %s: expected %s, it showed %s; "
		  "refused",
	    server, where, keytext_encode(a, expected), keytext_encode(b, key));
	return TRUST_CHANGED;
}

/* The key by which another address of the list is known. */
static int
find_other(const struct client_conf *c, size_t i, uint8_t *key, char *why)
{
	char server[HOSTPORT_TEXT];
	int found = 0;

	for (size_t k = 0; k < c->nservers && found == 0; k++) {
		if (k == i || c->servers[k].has_key)
			continue;
		server_addr_hostport(server, &c->servers[k]);
		found = known_find(c->known_servers, server, key, why);
	}
	return found;
}

enum trust
trust_decide(const struct client_conf *c, size_t i, const struct addr *at,
    const uint8_t key[SERVER_ADDR_KEY])
{
	const struct server_addr *s = &c->servers[i];
	char server[HOSTPORT_TEXT], why[KNOWN_WHY];
	uint8_t expected[SERVER_ADDR_KEY];
	int found;

	server_addr_hostport(server, s);
	if (s->has_key)
		return equal(s->key, key)
		    ? TRUST_PINNED
		    : changed(server, "the configuration says", s->key, key);
	found = known_find(c->known_servers, server, expected, why);
	if (found == 0)
		found = find_other(c, i, expected, why);
	if (found == -1) {
		log_error("known_servers: %s", why);
		return TRUST_CHANGED;
	}
	if (found == 1)
		return equal(expected, key)
		    ? TRUST_KNOWN
		    : changed(server, c->known_servers, expected, key);
	return addr_is_loopback(at) ? TRUST_LOCAL : TRUST_FIRST;
}

void
trust_remember(
    const struct client_conf *c, size_t i, const uint8_t key[SERVER_ADDR_KEY])
{
	char server[HOSTPORT_TEXT], text[KEYTEXT_SIZE], why[KNOWN_WHY];
	uint8_t known[SERVER_ADDR_KEY];

	server_addr_hostport(server, &c->servers[i]);
	if (c->servers[i].has_key ||
	    known_find(c->known_servers, server, known, why) != 0)
		return;
	if (known_add(c->known_servers, server, key, why) == -1)
		log_warnx("known_servers: %s", why);
	else
		log_info("%s: its key is %s, remembered in %s", server,
		    keytext_encode(text, key), c->known_servers);
}
