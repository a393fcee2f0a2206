/* Pieces of bytes in a ring. */
#include "common/base/ring.h"

#include <stdlib.h>
#include <string.h>

#define CAP_FIRST 65536

/* More room, where all lie in a row. */
static int
grow(struct ring *r, size_t n)
{
	size_t cap = r->cap == 0 ? CAP_FIRST : r->cap * 2, at = 0;
	struct iovec parts[RING_PARTS];
	int count = ring_parts(r, parts);
	uint8_t *p;

	while (cap < r->used + n)
		cap *= 2;
	if ((p = malloc(cap)) == NULL)
		return -1;
	for (int i = 0; i < count; i++) {
		memcpy(p + at, parts[i].iov_base, parts[i].iov_len);
		at += parts[i].iov_len;
	}
	free(r->p);
	*r = (struct ring){ .p = p, .cap = cap, .used = at, .tail = at };
	return 0;
}

uint8_t *
ring_put(struct ring *r, size_t n, size_t max)
{
	size_t room = r->end > 0 ? r->head - r->tail : r->cap - r->tail;
	uint8_t *to;

	if (n > max || r->used > max - n)
		return NULL;
	if (room < n) {
		if (r->end == 0 && r->head >= n) {
			r->end = r->tail;
			r->tail = 0;
		} else if (grow(r, n) == -1) {
			return NULL;
		}
	}
	to = r->p + r->tail;
	r->tail += n;
	r->used += n;
	return to;
}

uint8_t *
ring_first(const struct ring *r)
{
	return r->used == 0 ? NULL : r->p + r->head;
}

void
ring_take(struct ring *r, size_t n)
{
	size_t part = r->end - r->head;

	r->used -= n;
	if (r->end > 0 && n >= part) {
		n -= part;
		r->head = r->end = 0;
	}
	r->head += n;
	if (r->used == 0)
		r->head = r->tail = r->end = 0;
}

int
ring_parts(const struct ring *r, struct iovec parts[RING_PARTS])
{
	size_t first = (r->end > 0 ? r->end : r->tail) - r->head;

	if (r->used == 0)
		return 0;
	parts[0] = (struct iovec){ r->p + r->head, first };
	if (r->end == 0)
		return 1;
	parts[1] = (struct iovec){ r->p, r->tail };
	return r->tail > 0 ? 2 : 1;
}

void
ring_free(struct ring *r)
{
	free(r->p);
	*r = (struct ring){ 0 };
}
