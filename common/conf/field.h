/*
 * The field of a row: what may be put into it, and how it is freed. Both the
 * loader and the decoder go through here, so that a bound holds for both.
 */
#ifndef FIELD_H
#define FIELD_H

#include <stddef.h>
#include <stdint.h>

#include "common/conf/schema.h"

/* Where the field of the row lies in the struct at `to`. */
void *field_at(const struct schema_key *k, void *to);
const void *field_in(const struct schema_key *k, const void *from);

/*
 * Put n bytes (a copy, terminated, folded if the row says so) into a string
 * field, or append them to a list of strings. Returns NULL, or what was
 * expected; the field is then as it was.
 */
const char *field_put_string(
    const struct schema_key *k, void *to, const char *v, size_t n);

/* Put a number that is within the row's bounds, else -1. */
int field_put_number(const struct schema_key *k, void *to, uint64_t v);

/*
 * Append a zeroed element to a list of anything but strings. NULL: there are
 * as many as the row allows, or memory is short.
 */
void *field_add(const struct schema_key *k, void *to);

/* Wipe and free what the field owns; it is zero afterwards. */
void field_free(const struct schema_key *k, void *to);

#endif
