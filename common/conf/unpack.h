/*
 * The way back of pack.h: frames to the struct that a schema describes. The
 * sender may be hijacked: every bound and check of the schema holds again.
 */
#ifndef UNPACK_H
#define UNPACK_H

#include <stddef.h>

struct schema;
struct unpack;

/*
 * Decode frames into the struct at `to`, which is zeroed, must outlive the
 * result, and is to be freed with schema_free() in the end. NULL: ENOMEM.
 */
struct unpack *unpack_new(const struct schema *s, void *to);

/*
 * Take one frame. 1: the struct is complete, 0: more frames are to come, -1:
 * malformed (also: a frame after the last), or memory is short.
 */
int unpack_frame(struct unpack *u, const void *frame, size_t n);

/* NULL is allowed. */
void unpack_free(struct unpack *u);

#endif
