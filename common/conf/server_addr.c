/* The address of a server: [SCHEME://][id[:secret]@]host[:port][#key]. */
#include "common/conf/server_addr.h"

#include <stdio.h>
#include <string.h>

#include "common/base/addr.h"
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

/* Take ":port" off the end of the text, if there is one. */
static const char *
take_port(struct server_addr *a, struct span *rest)
{
	const char *colon = memrchr(rest->p, ':', rest->n);
	const char *bracket = memrchr(rest->p, ']', rest->n);
	char port[8];
	size_t n;

	a->port = schemes[a->scheme].port;
	if (colon == NULL || (bracket != NULL && bracket > colon))
		return NULL;
	n = rest->n - (size_t)(colon + 1 - rest->p);
	rest->n = (size_t)(colon - rest->p);
	if (n < sizeof(port)) {
		memcpy(port, colon + 1, n);
		port[n] = '\0';
		if (addr_parse_port(&a->port, port) == 0 && a->port != 0)
			return NULL;
	}
	return "expected a port of 1 to 65535";
}

/* The rest is the host. */
static const char *
take_host(struct server_addr *a, struct span *rest)
{
	struct addr ip;
	bool bracketed =
	    rest->n >= 2 && rest->p[0] == '[' && rest->p[rest->n - 1] == ']';

	if (bracketed) {
		rest->n -= 2;
		if (rest->n < sizeof(a->host)) {
			memcpy(a->host, rest->p + 1, rest->n);
			a->host[rest->n] = '\0';
			if (strchr(a->host, ':') != NULL &&
			    addr_parse_ip(&ip, a->host) == 0)
				return NULL;
		}
		return "expected an IPv6 address in brackets";
	}
	if (text_name(a->host, rest->p, rest->n) == -1)
		return "expected a host: a name, an IPv4 address, or an IPv6 "
		       "address in brackets";
	/* No name of the network consists of digits and dots alone. */
	if (a->host[strspn(a->host, "0123456789.")] == '\0' &&
	    addr_parse_ip(&ip, a->host) == -1)
		return "expected an IPv4 address";
	return NULL;
}

const char *
server_addr_parse(struct server_addr *a, const char *s)
{
	/* The order matters: a secret may hold "#", ":" and "@". */
	static const char *(*const take[])(
	    struct server_addr *, struct span *) = { take_scheme, take_user,
		take_key, take_port, take_host };
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
server_addr_hostport(
    char dst[SERVER_ADDR_HOSTPORT], const struct server_addr *a)
{
	const char *fmt = strchr(a->host, ':') != NULL ? "[%s]:%u" : "%s:%u";

	snprintf(dst, SERVER_ADDR_HOSTPORT, fmt, a->host, a->port);
	return dst;
}

char *
server_addr_format(
    char dst[SERVER_ADDR_MAX], const struct server_addr *a, bool secret)
{
	char hostport[SERVER_ADDR_HOSTPORT], key[KEYTEXT_SIZE] = "";
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
