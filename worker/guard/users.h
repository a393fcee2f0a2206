/*
 * A set of verifiers, as the parser of the configuration sends it: filled
 * frame by frame, then only looked up in. In guarded memory.
 */
#ifndef USERS_H
#define USERS_H

#include <stddef.h>
#include <stdint.h>

#include "common/conf/verifier.h"

struct users;

/* An empty, unfinished set. NULL: no memory. */
struct users *users_new(void);

/* Wipe and free. NULL is allowed. */
void users_free(struct users *u);

/*
 * Add one frame of the series that verifier.h describes. Returns 1 when it is
 * complete, 0 if more frames are to come, -1 with errno EBADMSG (malformed,
 * an id twice, more than were announced) or ENOMEM.
 */
int users_add(struct users *u, const void *frame, size_t n);

size_t users_count(const struct users *u);

/* The verifier of an id, in a complete set; NULL: there is none. */
const struct verifier *users_find(const struct users *u, const char *id);

#endif
