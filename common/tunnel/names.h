/*
 * A short list of names that a client asks for at its login, before it has
 * told its services: what an external check may allow or not.
 */
#ifndef NAMES_H
#define NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/text.h"

struct buf;

#define NAMES_BYTES 512 /* of all of them, each with its length in front */

struct names {
	uint8_t count;
	uint16_t len;
	uint8_t bytes[NAMES_BYTES]; /* str8 after str8 */
};

/* Add one of 1 to TEXT_NAME_MAX bytes, once. -1: there is no room for it. */
int names_add(struct names *l, const char *name);

bool names_have(const struct names *l, const char *name);

/* Name i in dst[TEXT_NAME_MAX + 1], terminated. -1: there is none. */
int names_at(const struct names *l, size_t i, char *dst);

/* Encode: count u8, then str8 each. 0, or -1 if it does not fit. */
int names_put(struct buf *b, const struct names *l);

/*
 * Decode, hostile input allowed: names of printable bytes without blanks,
 * upper case or repetition. -1: b has failed.
 */
int names_get(struct buf *b, struct names *l);

#endif
