/*
 * A map from short keys (at most MAP_KEY_MAX bytes) to pointers. Hashed by
 * SipHash under a key of this process, so that nobody who chooses names can
 * make it slow.
 */
#ifndef MAP_H
#define MAP_H

#include <stddef.h>

#define MAP_KEY_MAX 255

struct map;

struct map *map_new(void);

/* Frees the map, not what it points to. NULL is allowed. */
void map_free(struct map *m);

size_t map_count(const struct map *m);

/* The value of the key, or NULL. */
void *map_get(const struct map *m, const void *key, size_t n);

/*
 * Set the value of a key. Returns 0; -1 with errno ENOMEM, or EINVAL if the
 * key is too long, and nothing has changed.
 */
int map_put(struct map *m, const void *key, size_t n, void *value);

/* Forget a key. Returns its value, or NULL if it was not there. */
void *map_remove(struct map *m, const void *key, size_t n);

/* The same for terminated strings. */
void *map_gets(const struct map *m, const char *key);
int map_puts(struct map *m, const char *key, void *value);
void *map_removes(struct map *m, const char *key);

/*
 * Call fn for every value. fn may remove the key it is called for, and no
 * other; it must not put.
 */
void map_each(struct map *m, void (*fn)(void *arg, void *value), void *arg);

#endif
