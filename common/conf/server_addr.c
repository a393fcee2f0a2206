/* The address of a server: [SCHEME://][id[:secret]@]host[:port][#key]. */
#include "common/conf/server_addr.h"

#include <stdio.h>
#include <string.h>

#include "common/conf/hostport.h"
#include "common/crypto/keytext.h"

static const struct {
	const char *name;
	uint16_t port;
} schemes[SERVER_SCHEMES] = {
	[SERVER_TCP] = { "tcp", 80 },
	[SERVER_TLS] = { "tls", 443 },
	[SERVER_WS] = { "ws", 80 },
	[SERVER_WSS] = { "wss", 443 },
	[SERVER_UDP] = { "udp", 80 },
};

/* A piece of the text. */
struct span {
	const char *p;
	size_t n;
};

static struct span
span(const char *from, const char *to)
{
	struct span s = { from, (size_t)(to - from) };

	return s;
}

/* Take "SCHEME://" off the text, if it begins so. */
static const char *
take_scheme(struct server_addr *a, struct span *rest)
{
	size_t n = 0;

	while (n < rest->n && rest->p[n] >= 'a' && rest->p[n] <= 'z')
		n++;
	a->scheme = SERVER_TCP;
	if (rest->n < n + 3 || memcmp(rest->p + n, "://", 3) != 0)
		return NULL;
	for (int i = 0; i < SERVER_SCHEMES; i++) {
		if (strlen(schemes[i].name) != n ||
		    memcmp(schemes[i].name, rest->p, n) != 0)
			continue;
		a->scheme = (enum server_scheme)i;
		rest->p += n + 3;
		rest->n -= n + 3;
		return NULL;
	}
	return "expected tcp://, tls://, ws://, wss:// or udp://";
}

/* Take "id[:secret]@" off the text, if it has an '@'. */
static const char *
take_user(struct server_addr *a, struct span *rest)
{
	const char *end = rest->p + rest->n, *colon;
	const char *at = memrchr(rest->p, '@', rest->n);
	struct span id, secret;

	if (at == NULL)
		return NULL;
	colon = memchr(rest->p, ':', (size_t)(at - rest->p));
	id = span(rest->p, colon == NULL ? at : colon);
	*rest = span(at + 1, end);
	if (text_label(a->id, id.p, id.n) == -1)
		return "expected an id of letters, digits and inner hyphens, "
		       "at most 63";
	if (colon == NULL)
		return NULL;
	secret = span(colon + 1, at);
	if (secret.n == 0 || secret.n > SERVER_ADDR_SECRET)
		return "expected a secret of 1 to 255 bytes after \"id:\"";
	memcpy(a->secret, secret.p, secret.n);
	a->secret[secret.n] = '\0';
	return NULL;
}

/* Take "#serverkey" off the end of the text, if there is one. */
static const char *
take_key(struct server_addr *a, struct span *rest)
{
	const char *end = rest->p + rest->n;
	const char *hash = memchr(rest->p, '#', rest->n);

	if (hash == NULL)
		return NULL;
	*rest = span(rest->p, hash);
	if (keytext_decode(a->key, hash + 1, (size_t)(end - hash - 1)) == -1)
		return "expected a server key of 43 base64url characters "
		       "after \"#\"";
	a->has_key = true;
	return NULL;
}

/* The rest is host and port. */
static const char *
take_host(struct server_addr *a, struct span *rest)
{
	return hostport_parse(
	    a->host, &a->port, schemes[a->scheme].port, rest->p, rest->n);
}

const char *
server_addr_parse(struct server_addr *a, const char *s)
{
	/* The order matters: a secret may hold "#", ":" and "@". */
	static const char *(*const take[])(struct server_addr *,
	    struct span *) = { take_scheme, take_user, take_key, take_host };
	struct span rest = { s, strlen(s) };
	const char *expected = NULL;

	memset(a, 0, sizeof(*a));
	if (rest.n >= SERVER_ADDR_MAX)
		return "expected a shorter address";
	for (size_t i = 0; i < sizeof(take) / sizeof(take[0]); i++) {
		expected = take[i](a, &rest);
		if (expected != NULL) {
			server_addr_wipe(a);
			return expected;
		}
	}
	return NULL;
}

char *
server_addr_hostport(char dst[HOSTPORT_TEXT], const struct server_addr *a)
{
	return hostport_format(dst, a->host, a->port, 0);
}

char *
server_addr_format(
    char dst[SERVER_ADDR_MAX], const struct server_addr *a, bool secret)
{
	char hostport[HOSTPORT_TEXT], key[KEYTEXT_SIZE] = "";
	bool with = secret && a->secret[0] != '\0';

	if (a->has_key)
		keytext_encode(key, a->key);
	snprintf(dst, SERVER_ADDR_MAX, "%s://%s%s%s%s%s%s%s",
	    schemes[a->scheme].name, a->id, with ? ":" : "",
	    with ? a->secret : "", a->id[0] != '\0' ? "@" : "",
	    server_addr_hostport(hostport, a), a->has_key ? "#" : "", key);
	return dst;
}

const char *
server_scheme_name(enum server_scheme s)
{
	return schemes[s].name;
}

void
server_addr_wipe(struct server_addr *a)
{
	explicit_bzero(a, sizeof(*a));
}
