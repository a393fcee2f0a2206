/* The PROXY protocol. */
#include "common/net/proxy_header.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define V1_MAGIC "PROXY "
#define V1_MAGIC_BYTES 6
#define V1_FIELDS 5 /* family, two addresses, two ports */

#define V2_MAGIC "\r\n\r\n\0\r\nQUIT\n"
#define V2_MAGIC_BYTES 12
#define V2_HEAD 16 /* magic, version and command, family, length u16 */
#define V2_VERSION 0x20
#define V2_LOCAL 0x0
#define V2_PROXY 0x1
#define V2_TCP4 0x11
#define V2_TCP6 0x21
#define V2_UNSPEC 0x00
#define V2_FAMILY_MAX 0x3 /* unix */
#define V2_PROTO_MAX 0x2  /* datagrams */
#define V2_BYTES4 12	  /* of addresses and ports */
#define V2_BYTES6 36

/* As IPv6 writes IPv4 (RFC 4291, 2.5.5.2). */
static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

/* One address as version 1 has it: of that family, in its usual form. */
static int
take_ip(struct addr *a, const char *s, bool v6)
{
	uint8_t ip[16];

	if (inet_pton(v6 ? AF_INET6 : AF_INET, s, ip) != 1)
		return -1;
	return addr_parse_ip(a, s);
}

/* Split at single spaces into exactly V1_FIELDS. -1: it is not so. */
static int
split(char *line, char *field[V1_FIELDS])
{
	char *space;

	for (int i = 0; i < V1_FIELDS; i++) {
		field[i] = line;
		space = strchr(line, ' ');
		if ((space == NULL) != (i == V1_FIELDS - 1))
			return -1;
		if (space != NULL) {
			*space = '\0';
			line = space + 1;
		}
	}
	return 0;
}

/* What is between the magic and CRLF. */
static int
take_line(struct proxy_header *h, char *line)
{
	char *field[V1_FIELDS];
	bool v6;

	/* Whatever follows UNKNOWN is to be ignored. */
	if (strncmp(line, "UNKNOWN", 7) == 0 &&
	    (line[7] == '\0' || line[7] == ' '))
		return 1;
	if (split(line, field) == -1)
		return -1;
	v6 = strcmp(field[0], "TCP6") == 0;
	if (!v6 && strcmp(field[0], "TCP4") != 0)
		return -1;
	if (take_ip(&h->peer, field[1], v6) == -1 ||
	    take_ip(&h->local, field[2], v6) == -1 ||
	    addr_parse_port(&h->peer.port, field[3]) == -1 ||
	    addr_parse_port(&h->local.port, field[4]) == -1)
		return -1;
	h->known = true;
	return 1;
}

static int
parse_v1(struct proxy_header *h, const uint8_t *p, size_t n)
{
	size_t most = n < PROXY_V1_MAX ? n : PROXY_V1_MAX;
	char line[PROXY_V1_MAX];
	const uint8_t *end;
	size_t len;

	if ((end = memchr(p, '\n', most)) == NULL)
		return n < PROXY_V1_MAX ? 0 : -1;
	h->n = (size_t)(end - p) + 1;
	if (h->n < V1_MAGIC_BYTES + 2 || end[-1] != '\r')
		return -1;
	len = h->n - V1_MAGIC_BYTES - 2;
	memcpy(line, p + V1_MAGIC_BYTES, len);
	line[len] = '\0';
	if (strlen(line) != len)
		return -1;
	return take_line(h, line);
}

static int
take_binary(struct addr *a, const uint8_t *ip, const uint8_t *port, bool v6)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (v6) {
		memcpy(&in6.sin6_addr, ip, sizeof(in6.sin6_addr));
		memcpy(&in6.sin6_port, port, sizeof(in6.sin6_port));
		return addr_from_sockaddr(
		    a, (const struct sockaddr *)&in6, sizeof(in6));
	}
	memcpy(&in.sin_addr, ip, sizeof(in.sin_addr));
	memcpy(&in.sin_port, port, sizeof(in.sin_port));
	return addr_from_sockaddr(a, (const struct sockaddr *)&in, sizeof(in));
}

/* The addresses of a whole header. */
static int
take_addresses(struct proxy_header *h, const uint8_t *p, size_t len)
{
	uint8_t family = p[V2_HEAD - 3];
	bool v6 = family == V2_TCP6;
	size_t ip = v6 ? 16 : 4;

	if (family != V2_TCP4 && family != V2_TCP6)
		return 1; /* not of the Internet, or not told */
	if (len < (v6 ? V2_BYTES6 : V2_BYTES4))
		return -1;
	p += V2_HEAD;
	if (take_binary(&h->peer, p, p + 2 * ip, v6) == -1 ||
	    take_binary(&h->local, p + ip, p + 2 * ip + 2, v6) == -1)
		return -1;
	h->known = true;
	return 1;
}

static int
parse_v2(struct proxy_header *h, const uint8_t *p, size_t n)
{
	size_t len;

	if (n > 12 && (p[12] & 0xf0) != V2_VERSION)
		return -1;
	if (n > 12 && (p[12] & 0x0f) > V2_PROXY)
		return -1;
	if (n > 13 &&
	    (p[13] >> 4 > V2_FAMILY_MAX || (p[13] & 0xf) > V2_PROTO_MAX))
		return -1;
	if (n < V2_HEAD)
		return 0;
	len = (size_t)p[14] << 8 | p[15];
	if (V2_HEAD + len > PROXY_HEADER_MAX)
		return -1;
	if (n < V2_HEAD + len)
		return 0;
	h->n = V2_HEAD + len;
	if ((p[12] & 0x0f) == V2_LOCAL) /* by the proxy on its own behalf */
		return 1;
	return take_addresses(h, p, len);
}

int
proxy_header_parse(struct proxy_header *h, const void *p, size_t n)
{
	const char *magic = V1_MAGIC;
	size_t bytes = V1_MAGIC_BYTES;

	memset(h, 0, sizeof(*h));
	if (n == 0)
		return 0;
	if (*(const char *)p == V2_MAGIC[0]) {
		magic = V2_MAGIC;
		bytes = V2_MAGIC_BYTES;
	}
	if (memcmp(p, magic, n < bytes ? n : bytes) != 0)
		return -1;
	if (n < bytes)
		return 0;
	return bytes == V1_MAGIC_BYTES ? parse_v1(h, p, n) : parse_v2(h, p, n);
}

/* An address in the form of IPv6, whatever its own is. */
static void
as_v6(uint8_t ip[16], const struct addr *a)
{
	if (a->family == ADDR_V6) {
		memcpy(ip, a->ip, 16);
		return;
	}
	memcpy(ip, mapped, sizeof(mapped));
	memcpy(ip + sizeof(mapped), a->ip, 4);
}

static size_t
make_v1(uint8_t *dst, const struct addr *peer, const struct addr *local,
    bool known, bool v6)
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
	uint8_t a[16], b[16];
	int n;

	if (!known)
		return (size_t)sprintf((char *)dst, "PROXY UNKNOWN\r\n");
	as_v6(a, peer);
	as_v6(b, local);
	inet_ntop(
	    v6 ? AF_INET6 : AF_INET, v6 ? a : peer->ip, from, sizeof(from));
	inet_ntop(v6 ? AF_INET6 : AF_INET, v6 ? b : local->ip, to, sizeof(to));
	n = snprintf((char *)dst, PROXY_HEADER_MADE, "PROXY %s %s %s %u %u\r\n",
	    v6 ? "TCP6" : "TCP4", from, to, peer->port, local->port);
	return (size_t)n;
}

static size_t
make_v2(uint8_t *dst, const struct addr *peer, const struct addr *local,
    bool known, bool v6)
{
	size_t ip = v6 ? 16 : 4, len = known ? 2 * ip + 4 : 0;
	uint8_t *p = dst + V2_HEAD;

	memcpy(dst, V2_MAGIC, V2_MAGIC_BYTES);
	dst[12] = V2_VERSION | V2_PROXY;
	dst[13] = !known ? V2_UNSPEC : v6 ? V2_TCP6 : V2_TCP4;
	dst[14] = 0;
	dst[15] = (uint8_t)len;
	if (!known)
		return V2_HEAD;
	if (v6) {
		as_v6(p, peer);
		as_v6(p + ip, local);
	} else {
		memcpy(p, peer->ip, ip);
		memcpy(p + ip, local->ip, ip);
	}
	p += 2 * ip;
	*p++ = (uint8_t)(peer->port >> 8);
	*p++ = (uint8_t)peer->port;
	*p++ = (uint8_t)(local->port >> 8);
	*p = (uint8_t)local->port;
	return V2_HEAD + len;
}

size_t
proxy_header_make(uint8_t *dst, enum proxy_version version,
    const struct addr *peer, const struct addr *local)
{
	bool known = peer->family != ADDR_ANY && local->family != ADDR_ANY;
	bool v6 = peer->family == ADDR_V6 || local->family == ADDR_V6;

	if (version == PROXY_NONE)
		return 0;
	if (version == PROXY_V1)
		return make_v1(dst, peer, local, known, v6);
	return make_v2(dst, peer, local, known, v6);
}
