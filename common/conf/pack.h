/*
 * A struct that a schema describes, as frames for a channel, and back.
 *
 * Each frame holds whole records: u16 row of the schema + 1, then the value
 * by the row's type. A list is one record for each element; an element of a
 * list of groups is a record with nothing in it, the records of its own rows
 * behind it, and a record 0. The whole ends with a record 0. Rows that hold
 * secrets are left out.
 */
#ifndef PACK_H
#define PACK_H

#include <stddef.h>

#define PACK_FRAME_MAX (16384 - 8) /* bytes of a frame: MSG_PAYLOAD_MAX */

/* Takes one frame; returns 0, or -1 to stop. */
typedef int (*pack_emit)(void *arg, const void *frame, size_t n);

struct schema;
struct unpack;

/* Emit the struct at `from`. Returns 0, or -1: emit failed. */
int pack_struct(
    const struct schema *s, const void *from, pack_emit emit, void *arg);

/*
 * Decode frames into the zeroed struct at `to`, which must outlive the result
 * and is freed by schema_free() in the end. NULL: ENOMEM.
 */
struct unpack *unpack_new(const struct schema *s, void *to);

/*
 * Take one frame, hostile input allowed: every bound of the schema holds
 * again. 1: complete, 0: more to come, -1: malformed, or ENOMEM.
 */
int unpack_frame(struct unpack *u, const void *frame, size_t n);

/* NULL is allowed. */
void unpack_free(struct unpack *u);

#endif
