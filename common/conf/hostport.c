/* "host[:port]" taken apart and put together. */
#include "common/conf/hostport.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/addr.h"

#define PORT_TEXT 8 /* bytes: more than any port has */

/* An IPv6 address, as it stands between brackets. */
static const char *
take_v6(char host[TEXT_NAME_MAX + 1], const char *s, size_t n)
{
	struct addr ip;

	if (n <= TEXT_NAME_MAX) {
		memcpy(host, s, n);
		host[n] = '\0';
		if (strchr(host, ':') != NULL && addr_parse_ip(&ip, host) == 0)
			return NULL;
	}
	return "expected an IPv6 address in brackets";
}

static const char *
take_host(char host[TEXT_NAME_MAX + 1], const char *s, size_t n)
{
	struct addr ip;

	if (n >= 2 && s[0] == '[' && s[n - 1] == ']')
		return take_v6(host, s + 1, n - 2);
	if (text_name(host, s, n) == -1)
		return "expected a host: a name, an IPv4 address, or an IPv6 "
		       "address in brackets";
	/* No name of the network consists of digits and dots alone. */
	if (host[strspn(host, "0123456789.")] == '\0' &&
	    addr_parse_ip(&ip, host) == -1)
		return "expected an IPv4 address";
	return NULL;
}

const char *
hostport_parse(char host[TEXT_NAME_MAX + 1], uint16_t *port, uint16_t usual,
    const char *s, size_t n)
{
	const char *colon = memrchr(s, ':', n), *end = s + n;
	const char *bracket = memrchr(s, ']', n);
	char text[PORT_TEXT];
	size_t len;

	if (colon == NULL || (bracket != NULL && bracket > colon)) {
		*port = usual;
		return take_host(host, s, n);
	}
	len = (size_t)(end - colon - 1);
	if (len < sizeof(text)) {
		memcpy(text, colon + 1, len);
		text[len] = '\0';
		if (addr_parse_port(port, text) == 0 && *port != 0)
			return take_host(host, s, (size_t)(colon - s));
	}
	return "expected a port of 1 to 65535";
}

char *
hostport_format(
    char dst[HOSTPORT_TEXT], const char *host, uint16_t port, uint16_t usual)
{
	bool v6 = strchr(host, ':') != NULL;
	int n = snprintf(dst, HOSTPORT_TEXT, v6 ? "[%.253s]" : "%.253s", host);

	if (port != usual && n > 0)
		snprintf(dst + n, HOSTPORT_TEXT - (size_t)n, ":%u", port);
	return dst;
}
