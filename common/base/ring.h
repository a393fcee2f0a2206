/*
 * A queue of pieces of bytes, each of which lies in one place, the oldest
 * first. What a piece is, and how long, its user knows. All zero is an empty
 * one; nothing is ever moved but when it grows.
 */
#ifndef RING_H
#define RING_H

#include <sys/uio.h>

#include <stddef.h>
#include <stdint.h>

#define RING_PARTS 2 /* places that its bytes may lie in */

struct ring {
	uint8_t *p;
	size_t cap, used; /* bytes */
	size_t head, tail;
	size_t end; /* the oldest lie in [head, end), the rest in [0, tail);
		       0: all lie in [head, tail) */
};

/*
 * Room for a piece of n bytes (not 0) behind the others, for the caller to
 * fill. NULL: more than `max` bytes would wait, or memory is short.
 */
uint8_t *ring_put(struct ring *r, size_t n, size_t max);

/* The oldest piece, or NULL. */
uint8_t *ring_first(const struct ring *r);

/* The first n bytes, whole pieces, are done with. */
void ring_take(struct ring *r, size_t n);

/* Where everything lies, in order. Returns how many of the parts are used. */
int ring_parts(const struct ring *r, struct iovec parts[RING_PARTS]);

/* Forget all, and give the memory back. */
void ring_free(struct ring *r);

#endif
