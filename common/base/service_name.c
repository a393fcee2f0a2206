/* The names under which services are reached. */
#include "common/base/service_name.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/addr.h"

#define DIGITS "0123456789"

/* "[ip]:port" or "ip:port", n bytes that hold a colon. */
static int
parse_address(char *dst, const char *src, size_t n)
{
	char text[ADDR_TEXT];
	struct addr a;

	if (n >= sizeof(text) || memchr(src, '\0', n) != NULL)
		return -1;
	memcpy(text, src, n);
	text[n] = '\0';
	/* Where to listen is written so too, but may leave out the host. */
	if (addr_parse_listen(&a, text) == -1 || a.family == ADDR_ANY ||
	    a.port == 0)
		return -1;
	addr_format(dst, &a);
	return SERVICE_NAME_ADDRESS;
}

/* Digits and dots alone, as an IPv4 address; dst is terminated. */
static bool
is_numeric(const char *name)
{
	return name[strspn(name, DIGITS ".")] == '\0';
}

static int
parse_full(char *dst, const char *src, size_t n)
{
	char name[TEXT_NAME_MAX + 1];

	if (text_name(name, src, n) == -1 || strchr(name, '.') == NULL ||
	    is_numeric(name))
		return -1;
	strcpy(dst, name);
	return SERVICE_NAME_FULL;
}

static int
parse_wildcard(char *dst, const char *src, size_t n)
{
	char below[TEXT_NAME_MAX + 1];

	if (text_name(below, src + 2, n - 2) == -1 || is_numeric(below) ||
	    strlen(below) > TEXT_NAME_MAX - 2)
		return -1;
	memcpy(dst, "*.", 2);
	strcpy(dst + 2, below);
	return SERVICE_NAME_WILDCARD;
}

int
service_name_parse(char *dst, const char *src, size_t n)
{
	if (n >= 2 && memcmp(src, "*.", 2) == 0)
		return parse_wildcard(dst, src, n);
	if (memchr(src, ':', n) != NULL)
		return parse_address(dst, src, n);
	if (memchr(src, '.', n) != NULL)
		return parse_full(dst, src, n);
	return text_label(dst, src, n) == 0 ? SERVICE_NAME_LABEL : -1;
}

/* The address that a host is, without its brackets: 0, or -1: it is none. */
static int
literal(struct addr *a, const char *host)
{
	size_t n = strlen(host);
	char ip[ADDR_TEXT];

	if (host[0] != '[')
		return addr_parse_ip(a, host);
	if (n < 2 || n - 2 >= sizeof(ip) || host[n - 1] != ']')
		return -1;
	memcpy(ip, host + 1, n - 2);
	ip[n - 2] = '\0';
	return addr_parse_ip(a, ip);
}

int
service_name_called(char *dst, const char *host, uint16_t port)
{
	struct addr a;

	if (literal(&a, host) == -1) {
		if (text_name(dst, host, strlen(host)) == -1)
			return -1;
		return strchr(dst, '.') != NULL ? SERVICE_NAME_FULL
						: SERVICE_NAME_LABEL;
	}
	a.port = port;
	addr_format(dst, &a);
	if (port == 0) /* it ends in ":0" */
		dst[strlen(dst) - 2] = '\0';
	return SERVICE_NAME_ADDRESS;
}

char *
service_name_wider(char *dst, const char **at)
{
	const char *dot = strchr(*at, '.');

	if (dot == NULL || strlen(dot + 1) > TEXT_NAME_MAX - 2)
		return NULL;
	*at = dot + 1;
	memcpy(dst, "*.", 2);
	strcpy(dst + 2, *at);
	return dst;
}
