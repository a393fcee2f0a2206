/*
 * Where connections come from: one record for each source block (an IPv4
 * address, an IPv6 /64) that has something under way.
 */
#ifndef SOURCES_H
#define SOURCES_H

#include <stddef.h>

#include "common/base/addr.h"

struct sources;

struct source {
	struct addr block;
	unsigned handshakes; /* under way */
};

struct sources *sources_new(void);

/* All must have been released. NULL is allowed. */
void sources_free(struct sources *t);

/* Count one more handshake from this address. NULL: no memory. */
struct source *sources_take(struct sources *t, const struct addr *peer);

/* And one less; the record may be gone afterwards. */
void sources_release(struct sources *t, struct source *s);

#endif
