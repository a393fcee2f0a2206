/* Host names as they come in Host fields, CONNECT targets and authorities. */
#include "common/http/host.h"

#include <string.h>
#include <strings.h>

#include "common/base/service_name.h"

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
hex(char c)
{
	return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool
name_char(char c)
{
	return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    c == '-' || c == '_' || c == '.';
}

/* Bytes of the host part: a name, or an address in brackets; 0 if bad. */
static size_t
host_part(const char *p, size_t n)
{
	size_t i = 0;

	if (n > 0 && p[0] == '[') {
		for (i = 1; i < n && (hex(p[i]) || p[i] == ':' || p[i] == '.');)
			i++;
		return i > 2 && i < n && p[i] == ']' ? i + 1 : 0;
	}
	while (i < n && name_char(p[i]))
		i++;
	return i;
}

/* ":port", or nothing at all: 0. Returns -1 if it is neither. */
static int
port_part(const char *p, size_t n, uint16_t *port)
{
	unsigned sum = 0;

	*port = 0;
	if (n == 0)
		return 0;
	if (p[0] != ':' || n < 2 || n > 6 || p[1] == '0')
		return -1;
	for (size_t i = 1; i < n; i++) {
		if (!digit(p[i]))
			return -1;
		sum = sum * 10 + (unsigned)(p[i] - '0');
	}
	if (sum > UINT16_MAX)
		return -1;
	*port = (uint16_t)sum;
	return 0;
}

bool
host_valid(const char *p, size_t n)
{
	size_t part = host_part(p, n);
	uint16_t port;

	return part > 0 && port_part(p + part, n - part, &port) == 0;
}

/* Hexadecimal digits in lower case; brackets, ":" and "." as they are. */
static void
lower_address(char *dst, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dst[i] =
		    (char)(p[i] >= 'A' && p[i] <= 'F' ? p[i] | 0x20 : p[i]);
	dst[n] = '\0';
}

int
host_name(char dst[HOST_NAME_SIZE], uint16_t *port, const char *p, size_t n)
{
	size_t part = host_part(p, n);
	uint16_t number;

	_Static_assert(HOST_NAME_SIZE == TEXT_NAME_MAX + 1, "text_name()");
	if (part == 0 || port_part(p + part, n - part, &number) == -1)
		return -1;
	if (p[0] == '[') {
		if (part >= HOST_NAME_SIZE)
			return -1;
		lower_address(dst, p, part);
	} else if (text_name(dst, p, part) == -1) {
		return -1;
	}
	if (port != NULL)
		*port = number;
	return 0;
}

int
host_called(char dst[HOST_NAME_SIZE], uint16_t usual, const char *p, size_t n)
{
	char host[HOST_NAME_SIZE];
	uint16_t port;

	if (host_name(host, &port, p, n) == -1)
		return -1;
	return service_name_called(dst, host, port != 0 ? port : usual) == -1
	    ? -1
	    : 0;
}

bool
host_same(const char *a, size_t na, const char *b, size_t nb, uint16_t port)
{
	size_t pa = host_part(a, na), pb = host_part(b, nb);
	uint16_t porta, portb;

	if (pa == 0 || pa != pb || strncasecmp(a, b, pa) != 0 ||
	    port_part(a + pa, na - pa, &porta) == -1 ||
	    port_part(b + pb, nb - pb, &portb) == -1)
		return false;
	if (porta == 0)
		porta = port;
	if (portb == 0)
		portb = port;
	return porta == portb || porta == 0 || portb == 0;
}
