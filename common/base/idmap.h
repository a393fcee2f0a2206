/* A map from 32-bit numbers (connections, requests) to pointers. */
#ifndef IDMAP_H
#define IDMAP_H

#include <stddef.h>
#include <stdint.h>

/* 0 is free; a slot without value was taken out. */
struct idmap_slot {
	uint32_t id;
	void *value;
};

/* Open addressing, at most three quarters full. All zero is the empty map. */
struct idmap {
	struct idmap_slot *slot;
	size_t size, count;
	size_t used; /* slots that are not free */
};

/* The value of id, or NULL. 0 is never an id. */
void *idmap_get(const struct idmap *m, uint32_t id);

/* Set it (not to NULL), replacing what was there. 0, or -1 with errno. */
int idmap_put(struct idmap *m, uint32_t id, void *value);

/* Forget it; returns what it was, or NULL. */
void *idmap_take(struct idmap *m, uint32_t id);

/*
 * The first value at or behind slot *at, moving *at past it; NULL at the end.
 * Meanwhile any may be taken out, but none put in.
 */
void *idmap_next(const struct idmap *m, size_t *at);

void idmap_free(struct idmap *m);

#endif
