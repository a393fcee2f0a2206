/*
 * A struct that a schema describes, as frames for a channel. unpack.h is the
 * way back.
 *
 * A frame holds whole records. A record is the number of a row (u16, from 1)
 * and the value by the row's type: string str16, number u64 (a bool too),
 * address addr_put(), block addr_block_put(). A list is one record for each
 * element; an element of a list of groups has no value, its own records
 * follow up to its PACK_END. The struct itself ends with PACK_END. Rows of
 * secrets are left out.
 */
#ifndef PACK_H
#define PACK_H

#include <stddef.h>

#define PACK_FRAME_MAX (16384 - 8) /* bytes of a frame: MSG_PAYLOAD_MAX */

#define PACK_END 0	  /* number of the record that ends a struct */
#define PACK_FLAGS 0xffff /* of the one with its flags, u64 */

/* Takes one frame; returns 0, or -1 to stop. */
typedef int (*pack_emit)(void *arg, const void *frame, size_t n);

struct schema;

/* Emit the struct at `from`. Returns 0, or -1: emit failed. */
int pack_struct(
    const struct schema *s, const void *from, pack_emit emit, void *arg);

#endif
