/* Bounded view of bytes. */
#include "common/base/buf.h"

#include <string.h>

void
buf_read(struct buf *b, const void *p, size_t n)
{
	/* The getters never write; one struct serves both directions. */
	buf_write(b, (void *)(uintptr_t)p, n);
}

void
buf_write(struct buf *b, void *p, size_t n)
{
	b->start = b->p = p;
	b->end = n == 0 ? b->p : b->p + n;
	b->failed = false;
}

size_t
buf_left(const struct buf *b)
{
	return b->failed ? 0 : (size_t)(b->end - b->p);
}

size_t
buf_used(const struct buf *b)
{
	return (size_t)(b->p - b->start);
}

bool
buf_ok(const struct buf *b)
{
	return !b->failed;
}

bool
buf_done(const struct buf *b)
{
	return !b->failed && b->p == b->end;
}

/* Step over n bytes; *at is where they begin (NULL is where none do). */
static int
take(struct buf *b, size_t n, uint8_t **at)
{
	if (b->failed || n > (size_t)(b->end - b->p)) {
		b->failed = true;
		return -1;
	}
	*at = b->p;
	if (n > 0)
		b->p += n;
	return 0;
}

static int
fail(struct buf *b)
{
	b->failed = true;
	return -1;
}

/* The next n bytes (at most 8) as one big-endian number. */
static int
get_number(struct buf *b, size_t n, uint64_t *v)
{
	uint64_t sum = 0;
	uint8_t *at;

	if (take(b, n, &at) == -1)
		return -1;
	for (size_t i = 0; i < n; i++)
		sum = sum << 8 | at[i];
	*v = sum;
	return 0;
}

static int
put_number(struct buf *b, size_t n, uint64_t v)
{
	uint8_t *at;

	if (take(b, n, &at) == -1)
		return -1;
	for (size_t i = n; i > 0; i--, v >>= 8)
		at[i - 1] = (uint8_t)v;
	return 0;
}

int
buf_get_u8(struct buf *b, uint8_t *v)
{
	uint64_t x;

	if (get_number(b, 1, &x) == -1)
		return -1;
	*v = (uint8_t)x;
	return 0;
}

int
buf_get_u16(struct buf *b, uint16_t *v)
{
	uint64_t x;

	if (get_number(b, 2, &x) == -1)
		return -1;
	*v = (uint16_t)x;
	return 0;
}

int
buf_get_u32(struct buf *b, uint32_t *v)
{
	uint64_t x;

	if (get_number(b, 4, &x) == -1)
		return -1;
	*v = (uint32_t)x;
	return 0;
}

int
buf_get_u64(struct buf *b, uint64_t *v)
{
	return get_number(b, 8, v);
}

int
buf_get(struct buf *b, void *v, size_t n)
{
	uint8_t *at;

	if (take(b, n, &at) == -1)
		return -1;
	if (n > 0)
		memcpy(v, at, n);
	return 0;
}

int
buf_get_view(struct buf *b, const uint8_t **v, size_t n)
{
	uint8_t *at;

	if (take(b, n, &at) == -1)
		return -1;
	*v = at;
	return 0;
}

/* A string behind a length of `width` bytes. */
static int
get_str(struct buf *b, size_t width, const char **v, size_t *n)
{
	uint64_t len;
	const uint8_t *at;

	if (get_number(b, width, &len) == -1 ||
	    buf_get_view(b, &at, (size_t)len) == -1)
		return -1;
	*v = (const char *)at;
	*n = (size_t)len;
	return 0;
}

static int
get_cstr(struct buf *b, size_t width, char *dst, size_t size)
{
	const char *v;
	size_t n;

	if (get_str(b, width, &v, &n) == -1)
		return -1;
	if (n >= size || memchr(v, '\0', n) != NULL)
		return fail(b);
	memcpy(dst, v, n);
	dst[n] = '\0';
	return 0;
}

int
buf_get_str8(struct buf *b, const char **v, size_t *n)
{
	return get_str(b, 1, v, n);
}

int
buf_get_str16(struct buf *b, const char **v, size_t *n)
{
	return get_str(b, 2, v, n);
}

int
buf_get_cstr8(struct buf *b, char *dst, size_t size)
{
	return get_cstr(b, 1, dst, size);
}

int
buf_get_cstr16(struct buf *b, char *dst, size_t size)
{
	return get_cstr(b, 2, dst, size);
}

int
buf_put_u8(struct buf *b, uint8_t v)
{
	return put_number(b, 1, v);
}

int
buf_put_u16(struct buf *b, uint16_t v)
{
	return put_number(b, 2, v);
}

int
buf_put_u32(struct buf *b, uint32_t v)
{
	return put_number(b, 4, v);
}

int
buf_put_u64(struct buf *b, uint64_t v)
{
	return put_number(b, 8, v);
}

int
buf_put(struct buf *b, const void *v, size_t n)
{
	uint8_t *at;

	if (take(b, n, &at) == -1)
		return -1;
	if (n > 0)
		memcpy(at, v, n);
	return 0;
}

int
buf_put_str8(struct buf *b, const void *v, size_t n)
{
	if (n > UINT8_MAX)
		return fail(b);
	return buf_put_u8(b, (uint8_t)n) == -1 ? -1 : buf_put(b, v, n);
}

int
buf_put_str16(struct buf *b, const void *v, size_t n)
{
	if (n > UINT16_MAX)
		return fail(b);
	return buf_put_u16(b, (uint16_t)n) == -1 ? -1 : buf_put(b, v, n);
}

int
buf_put_cstr8(struct buf *b, const char *v)
{
	return buf_put_str8(b, v, strlen(v));
}

int
buf_put_cstr16(struct buf *b, const char *v)
{
	return buf_put_str16(b, v, strlen(v));
}
