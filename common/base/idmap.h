/* A map from 32-bit numbers (connections, requests) to pointers. */
#ifndef IDMAP_H
#define IDMAP_H

#include <stddef.h>
#include <stdint.h>

/* Open addressing, at most half full. All zero is the empty map. */
struct idmap {
	struct idmap_slot {
		uint32_t id; /* 0: free */
		void *value;
	} * slot;
	size_t size, count;
};

/* The value of id, or NULL. 0 is never an id. */
void *idmap_get(const struct idmap *m, uint32_t id);

/* Set it, replacing what was there. 0, or -1 with errno. */
int idmap_put(struct idmap *m, uint32_t id, void *value);

/* Forget it; returns what it was, or NULL. */
void *idmap_take(struct idmap *m, uint32_t id);

/*
 * The first value at or behind slot *at, moving *at past it; NULL at the end.
 * Taking that very value meanwhile is allowed and may show others twice.
 */
void *idmap_next(const struct idmap *m, size_t *at);

void idmap_free(struct idmap *m);

#endif
