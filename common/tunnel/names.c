/* A short list of names. */
#include "common/tunnel/names.h"

#include <string.h>

#include "common/base/buf.h"

bool
names_have(const struct names *l, const char *name)
{
	size_t n = strlen(name);

	for (size_t at = 0; at < l->len; at += 1u + l->bytes[at])
		if (l->bytes[at] == n &&
		    memcmp(&l->bytes[at + 1], name, n) == 0)
			return true;
	return false;
}

int
names_add(struct names *l, const char *name)
{
	size_t n = strlen(name);

	if (names_have(l, name))
		return 0;
	if (n == 0 || n > TEXT_NAME_MAX || l->count == UINT8_MAX ||
	    l->len + 1 + n > NAMES_BYTES)
		return -1;
	l->bytes[l->len] = (uint8_t)n;
	memcpy(&l->bytes[l->len + 1], name, n);
	l->len = (uint16_t)(l->len + 1 + n);
	l->count++;
	return 0;
}

int
names_at(const struct names *l, size_t i, char *dst)
{
	size_t at = 0;

	if (i >= l->count)
		return -1;
	while (i-- > 0)
		at += 1u + l->bytes[at];
	memcpy(dst, &l->bytes[at + 1], l->bytes[at]);
	dst[l->bytes[at]] = '\0';
	return 0;
}

int
names_put(struct buf *b, const struct names *l)
{
	buf_put_u8(b, l->count);
	return buf_put(b, l->bytes, l->len);
}

/* As every name is written that the configuration lets through. */
static bool
is_canonical(const char *name)
{
	for (; *name != '\0'; name++)
		if (*name <= ' ' || *name > '~' ||
		    (*name >= 'A' && *name <= 'Z'))
			return false;
	return true;
}

int
names_get(struct buf *b, struct names *l)
{
	char name[TEXT_NAME_MAX + 1];
	uint8_t count = 0;

	memset(l, 0, sizeof(*l));
	buf_get_u8(b, &count);
	for (size_t i = 0; i < count; i++) {
		if (buf_get_cstr8(b, name, sizeof(name)) == -1)
			return -1;
		if (!is_canonical(name) || names_add(l, name) == -1 ||
		    l->count != i + 1) {
			b->failed = true;
			return -1;
		}
	}
	return buf_ok(b) ? 0 : -1;
}
