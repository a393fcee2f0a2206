/* The public ports that a service asks for. */
#include "client/conf_ports.h"

#include <stdio.h>
#include <string.h>

#include "common/base/addr.h"
#include "common/tunnel/services.h"

#define DIGITS 5 /* of a port */

/* n digits at s, not 0. */
static int
parse_port(uint16_t *port, const char *s, size_t n)
{
	char text[DIGITS + 1];

	if (n > DIGITS)
		return -1;
	snprintf(text, sizeof(text), "%.*s", (int)n, s);
	return addr_parse_port(port, text) == 0 && *port != 0 ? 0 : -1;
}

/* "2222" or "6000-6010", in order and not too many. */
static int
parse(const char *text, uint16_t *first, uint16_t *last)
{
	const char *dash = strchr(text, '-');

	if (parse_port(first, text,
		dash == NULL ? strlen(text) : (size_t)(dash - text)) == -1)
		return -1;
	*last = *first;
	if (dash != NULL && parse_port(last, dash + 1, strlen(dash + 1)) == -1)
		return -1;
	return *first <= *last && *last - *first < SERVICE_PORTS_MAX ? 0 : -1;
}

const char *
conf_ports_check(const char *text)
{
	uint16_t first, last;

	if (parse(text, &first, &last) == 0)
		return NULL;
	return "expected a port, or a range of at most 1024 as \"6000-6010\"";
}

static bool
has_edits(const struct client_service *s)
{
	return s->rewrite_host != NULL || s->remove_headers.n > 0;
}

bool
conf_ports_is_raw(const struct client_service *s)
{
	return s->local.scheme == LOCAL_TCP || s->local.scheme == LOCAL_UDP ||
	    s->port != 0 || s->random;
}

/* What is wrong with the ports of a service, and at which key. */
static const char *
judge(const struct client_service *s, const char **key)
{
	enum local_scheme scheme = s->local.scheme;
	unsigned more = s->port_last - s->port;

	*key = s->ports != NULL ? "port" : "random";
	if (scheme != LOCAL_TCP && scheme != LOCAL_UNIX && scheme != LOCAL_UDP)
		return "expected a local of tcp://, udp:// or unix: with it "
		       "(users of "
		       "http:// and https:// come by name)";
	if (more > 0 && scheme == LOCAL_UNIX)
		return "expected one port: a unix socket is one service";
	if (more > 0 && s->random)
		return "expected no range with random";
	if (more > 0 && s->local.port + more > UINT16_MAX)
		return "expected as many local ports: there is none above "
		       "65535";
	return NULL;
}

/* Datagrams have no names, and nothing before their bytes. */
static void
check_datagrams(const struct client_service *s, const struct schema_place *at)
{
	const char *key = NULL;

	if (s->local.scheme != LOCAL_UDP)
		return;
	if (s->names.n > 0)
		key = "name";
	else if (s->proxy_protocol != 0)
		key = "proxy_protocol";
	if (key != NULL)
		schema_fault(at, key,
		    "expected a local other than udp:// with "
		    "it: its users come by port alone");
}

void
conf_ports_finish(struct client_service *s, const struct schema_place *at)
{
	const char *fault = NULL, *key = "rewrite_host";

	if (s->ports != NULL && parse(s->ports, &s->port, &s->port_last) == -1)
		return; /* its row has said so */
	if ((s->local.scheme == LOCAL_UDP ||
		(s->local.scheme == LOCAL_TCP && s->names.n == 0)) &&
	    s->port == 0)
		s->random = true;
	check_datagrams(s, at);
	if (s->tls &&
	    (s->local.scheme == LOCAL_UDP || (s->port == 0 && !s->random)))
		schema_fault(at, "tls",
		    "expected a local of tcp:// or unix: and a port with it");
	if (s->port != 0 || s->random)
		fault = judge(s, &key);
	if (fault == NULL && conf_ports_is_raw(s) && has_edits(s)) {
		if (s->rewrite_host == NULL)
			key = "remove_headers";
		fault = "expected a local of http:// or https:// with it";
	}
	if (fault != NULL)
		schema_fault(at, key, "%s", fault);
}

bool
conf_ports_collide(
    const struct client_service *a, const struct client_service *b)
{
	return (a->local.scheme == LOCAL_UDP) ==
	    (b->local.scheme == LOCAL_UDP) &&
	    a->port != 0 && b->port != 0 && a->port <= b->port_last &&
	    b->port <= a->port_last;
}
