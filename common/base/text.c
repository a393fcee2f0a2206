/* Text from strangers, made printable or checked. */
#include "common/base/text.h"

#include <string.h>

char *
text_escape(char *dst, const void *src, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *s = src;
	char *d = dst;

	if (n > TEXT_PEER_MAX)
		n = TEXT_PEER_MAX;
	for (size_t i = 0; i < n; i++) {
		if (s[i] >= 0x20 && s[i] <= 0x7e && s[i] != '\\') {
			*d++ = (char)s[i];
			continue;
		}
		*d++ = '\\';
		*d++ = 'x';
		*d++ = hex[s[i] >> 4];
		*d++ = hex[s[i] & 15];
	}
	*d = '\0';
	return dst;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool
alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Lower-case one label; `extra` is one more character allowed anywhere. */
static int
label(char *dst, const char *src, size_t n, char extra)
{
	if (n == 0 || n > TEXT_LABEL_MAX)
		return -1;
	for (size_t i = 0; i < n; i++) {
		dst[i] = lower(src[i]);
		if (alnum(dst[i]) || (extra != '\0' && dst[i] == extra))
			continue;
		if (dst[i] != '-' || i == 0 || i == n - 1)
			return -1;
	}
	return 0;
}

int
text_label(char *dst, const char *src, size_t n)
{
	char tmp[TEXT_LABEL_MAX + 1];

	if (label(tmp, src, n, '\0') == -1)
		return -1;
	memcpy(dst, tmp, n);
	dst[n] = '\0';
	return 0;
}

int
text_name(char *dst, const char *src, size_t n)
{
	char tmp[TEXT_NAME_MAX + 1];
	size_t from = 0;

	if (n > 0 && src[n - 1] == '.')
		n--;
	if (n == 0 || n > TEXT_NAME_MAX)
		return -1;
	for (size_t i = 0; i <= n; i++) {
		if (i < n && src[i] != '.')
			continue;
		if (label(tmp + from, src + from, i - from, '_') == -1)
			return -1;
		if (i < n)
			tmp[i] = '.';
		from = i + 1;
	}
	memcpy(dst, tmp, n);
	dst[n] = '\0';
	return 0;
}
