/* Internet addresses in one canonical form. */
#include "common/base/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"

#define V4_BYTES 4
#define V6_BYTES 16
#define V6_SOURCE_BYTES 8 /* a /64 is one source */
#define PORT_DIGITS 5

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool
is_mapped(const uint8_t ip[V6_BYTES])
{
	return memcmp(ip, mapped, sizeof(mapped)) == 0;
}

/* Make the one form of a family's bytes. */
static struct addr
canonical(bool v6, const uint8_t *ip, uint16_t port)
{
	struct addr a = { .port = port };

	if (v6 && !is_mapped(ip)) {
		a.family = ADDR_V6;
		memcpy(a.ip, ip, V6_BYTES);
	} else {
		a.family = ADDR_V4;
		memcpy(a.ip, v6 ? ip + sizeof(mapped) : ip, V4_BYTES);
	}
	return a;
}

int
addr_parse_port(uint16_t *port, const char *s)
{
	uint32_t v = 0;
	size_t n = strlen(s);

	if (n == 0 || n > PORT_DIGITS || (n > 1 && s[0] == '0'))
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		v = v * 10 + (uint32_t)(s[i] - '0');
	}
	if (v > UINT16_MAX)
		return -1;
	*port = (uint16_t)v;
	return 0;
}

int
addr_parse_ip(struct addr *a, const char *s)
{
	uint8_t ip[V6_BYTES];

	if (inet_pton(AF_INET, s, ip) == 1)
		*a = canonical(false, ip, 0);
	else if (inet_pton(AF_INET6, s, ip) == 1)
		*a = canonical(true, ip, 0);
	else
		return -1;
	return 0;
}

/* Parse the n characters at s, the part before ":port", as a host. */
static int
parse_host(struct addr *a, const char *s, size_t n)
{
	char host[INET6_ADDRSTRLEN];
	bool bracketed = n >= 2 && s[0] == '[' && s[n - 1] == ']';

	if (bracketed) {
		s++;
		n -= 2;
	}
	if (n >= sizeof(host))
		return -1;
	memcpy(host, s, n);
	host[n] = '\0';
	/* Without brackets an IPv6 address and a port run together. */
	if (bracketed != (memchr(host, ':', n) != NULL))
		return -1;
	return addr_parse_ip(a, host);
}

int
addr_parse_listen(struct addr *a, const char *s)
{
	struct addr got = { .family = ADDR_ANY };
	const char *colon = strrchr(s, ':');
	size_t host = colon == NULL ? 0 : (size_t)(colon - s);
	uint16_t port;

	if (addr_parse_port(&port, colon == NULL ? s : colon + 1) == -1)
		return -1;
	if (host > 0 && !(host == 1 && s[0] == '*') &&
	    parse_host(&got, s, host) == -1)
		return -1;
	got.port = port;
	*a = got;
	return 0;
}

char *
addr_format_ip(char dst[ADDR_TEXT], const struct addr *a)
{
	int family = a->family == ADDR_V4 ? AF_INET : AF_INET6;

	if (a->family == ADDR_ANY ||
	    inet_ntop(family, a->ip, dst, ADDR_TEXT) == NULL)
		memcpy(dst, "*", 2);
	return dst;
}

char *
addr_format(char dst[ADDR_TEXT], const struct addr *a)
{
	char ip[ADDR_TEXT];

	addr_format_ip(ip, a);
	if (a->family == ADDR_V6)
		snprintf(dst, ADDR_TEXT, "[%.45s]:%u", ip, a->port);
	else
		snprintf(dst, ADDR_TEXT, "%.45s:%u", ip, a->port);
	return dst;
}

int
addr_from_sockaddr(struct addr *a, const struct sockaddr *sa, socklen_t n)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (n < (socklen_t)sizeof(sa->sa_family))
		return -1;
	if (sa->sa_family == AF_INET && n >= (socklen_t)sizeof(v4)) {
		memcpy(&v4, sa, sizeof(v4));
		*a = canonical(
		    false, (const uint8_t *)&v4.sin_addr, ntohs(v4.sin_port));
		return 0;
	}
	if (sa->sa_family == AF_INET6 && n >= (socklen_t)sizeof(v6)) {
		memcpy(&v6, sa, sizeof(v6));
		*a = canonical(true, v6.sin6_addr.s6_addr, ntohs(v6.sin6_port));
		return 0;
	}
	return -1;
}

socklen_t
addr_to_sockaddr(struct sockaddr_storage *ss, const struct addr *a)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	memset(ss, 0, sizeof(*ss));
	if (a->family == ADDR_V4) {
		v4.sin_port = htons(a->port);
		memcpy(&v4.sin_addr, a->ip, V4_BYTES);
		memcpy(ss, &v4, sizeof(v4));
		return sizeof(v4);
	}
	/* The bytes of ADDR_ANY are zero, which is [::]. */
	v6.sin6_port = htons(a->port);
	memcpy(&v6.sin6_addr, a->ip, V6_BYTES);
	memcpy(ss, &v6, sizeof(v6));
	return sizeof(v6);
}

int
addr_compare(const struct addr *a, const struct addr *b)
{
	int order;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	order = memcmp(a->ip, b->ip, sizeof(a->ip));
	if (order != 0 || a->port == b->port)
		return order;
	return a->port < b->port ? -1 : 1;
}

bool
addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_compare(a, b) == 0;
}

bool
addr_is_loopback(const struct addr *a)
{
	if (a->family == ADDR_V4)
		return a->ip[0] == 127;
	return a->family == ADDR_V6 &&
	    memcmp(a->ip, &in6addr_loopback, V6_BYTES) == 0;
}

struct addr
addr_source(const struct addr *a)
{
	struct addr source = *a;

	source.port = 0;
	if (a->family == ADDR_V6)
		memset(
		    source.ip + V6_SOURCE_BYTES, 0, V6_BYTES - V6_SOURCE_BYTES);
	return source;
}

/* Whether the bytes are as addr_put() would write them. */
static bool
well_formed(const struct addr *a)
{
	size_t used;

	if (a->family == ADDR_V6)
		return !is_mapped(a->ip);
	if (a->family != ADDR_V4 && a->family != ADDR_ANY)
		return false;
	used = a->family == ADDR_V4 ? V4_BYTES : 0;
	for (size_t i = used; i < sizeof(a->ip); i++) {
		if (a->ip[i] != 0)
			return false;
	}
	return true;
}

int
addr_put(struct buf *b, const struct addr *a)
{
	buf_put_u8(b, a->family);
	buf_put(b, a->ip, sizeof(a->ip));
	return buf_put_u16(b, a->port);
}

int
addr_get(struct buf *b, struct addr *a)
{
	struct addr got = { 0 };

	buf_get_u8(b, &got.family);
	buf_get(b, got.ip, sizeof(got.ip));
	if (buf_get_u16(b, &got.port) == -1)
		return -1;
	if (!well_formed(&got)) {
		b->failed = true;
		return -1;
	}
	*a = got;
	return 0;
}

/* Clear the bits of ip beyond the first `bits`. */
static void
mask(uint8_t ip[V6_BYTES], size_t bytes, unsigned int bits)
{
	for (size_t i = 0; i < bytes; i++) {
		unsigned int keep = bits >= 8 ? 8 : bits;

		ip[i] = (uint8_t)(ip[i] & (0xff00u >> keep));
		bits -= keep;
	}
}

static unsigned int
family_bits(const struct addr *a)
{
	return a->family == ADDR_V4 ? V4_BYTES * 8 : V6_BYTES * 8;
}

int
addr_block_parse(struct addr_block *k, const char *s)
{
	char ip[INET6_ADDRSTRLEN];
	const char *slash = strchrnul(s, '/');
	size_t n = (size_t)(slash - s);
	struct addr net;
	uint16_t bits;

	if (n >= sizeof(ip))
		return -1;
	memcpy(ip, s, n);
	ip[n] = '\0';
	if (addr_parse_ip(&net, ip) == -1)
		return -1;
	bits = (uint16_t)family_bits(&net);
	if (*slash == '/') {
		/* A mapped address counts its prefix as IPv6 does. */
		unsigned int before =
		    net.family == ADDR_V4 && strchr(ip, ':') != NULL
		    ? sizeof(mapped) * 8
		    : 0;
		uint16_t given;

		if (addr_parse_port(&given, slash + 1) == -1 ||
		    given < before || given - before > bits)
			return -1;
		bits = (uint16_t)(given - before);
	}
	mask(net.ip, sizeof(net.ip), bits);
	k->net = net;
	k->bits = (uint8_t)bits;
	return 0;
}

bool
addr_block_has(const struct addr_block *k, const struct addr *a)
{
	uint8_t ip[V6_BYTES];

	if (a->family != k->net.family || a->family == ADDR_ANY)
		return false;
	memcpy(ip, a->ip, sizeof(ip));
	mask(ip, sizeof(ip), k->bits);
	return memcmp(ip, k->net.ip, sizeof(ip)) == 0;
}

bool
addr_blocks_have(const struct addr_block *k, size_t n, const struct addr *a)
{
	for (size_t i = 0; i < n; i++) {
		if (addr_block_has(&k[i], a))
			return true;
	}
	return false;
}

int
addr_block_put(struct buf *b, const struct addr_block *k)
{
	addr_put(b, &k->net);
	return buf_put_u8(b, k->bits);
}

int
addr_block_get(struct buf *b, struct addr_block *k)
{
	struct addr_block got;
	uint8_t ip[V6_BYTES];

	if (addr_get(b, &got.net) == -1 || buf_get_u8(b, &got.bits) == -1)
		return -1;
	memcpy(ip, got.net.ip, sizeof(ip));
	mask(ip, sizeof(ip), got.bits);
	if (got.net.family == ADDR_ANY || got.net.port != 0 ||
	    got.bits > family_bits(&got.net) ||
	    memcmp(ip, got.net.ip, sizeof(ip)) != 0) {
		b->failed = true;
		return -1;
	}
	*k = got;
	return 0;
}
