/* JSON text, written piece by piece. */
#include "common/base/jsontext.h"

#include <stdio.h>
#include <string.h>

void
jsontext_init(struct jsontext *j, char *p, size_t size)
{
	*j = (struct jsontext){ .p = p, .size = size };
	p[0] = '\0';
}

static void
put(struct jsontext *j, const char *s, size_t n)
{
	if (j->full || n >= j->size - j->n) {
		j->full = true;
		return;
	}
	memcpy(j->p + j->n, s, n);
	j->n += n;
	j->p[j->n] = '\0';
}

void
jsontext_raw(struct jsontext *j, const char *text)
{
	put(j, text, strlen(text));
}

/* One that goes on a sequence. */
static bool
continues(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

/*
 * Bytes of the sequence that begins at s, of n that are there; 0: it is none
 * (RFC 3629, 4: no overlong forms, no surrogates, nothing past U+10FFFF).
 */
static size_t
sequence(const char *s, size_t n)
{
	const uint8_t *p = (const uint8_t *)s;
	uint8_t low = 0x80, high = 0xbf;
	size_t len;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (len > n || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if (!continues(p[i]))
			return 0;
	return len;
}

bool
jsontext_is_utf8(const char *s, size_t n)
{
	size_t len;

	for (; n > 0; s += len, n -= len)
		if ((len = sequence(s, n)) == 0)
			return false;
	return true;
}

void
jsontext_string(struct jsontext *j, const char *s, size_t n)
{
	char escape[8];
	size_t len;

	put(j, "\"", 1);
	for (; n > 0; s += len, n -= len) {
		if ((len = sequence(s, n)) == 0) {
			put(j, "\xef\xbf\xbd", 3);
			len = 1;
		} else if (*s == '"' || *s == '\\') {
			put(j, "\\", 1);
			put(j, s, 1);
		} else if (len == 1 && ((uint8_t)*s < 0x20 || *s == 0x7f)) {
			snprintf(escape, sizeof(escape), "\\u%04x",
			    (unsigned)(uint8_t)*s);
			put(j, escape, 6);
		} else {
			put(j, s, len);
		}
	}
	put(j, "\"", 1);
}

void
jsontext_number(struct jsontext *j, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	jsontext_raw(j, text);
}
