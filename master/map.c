/* A map from short keys to pointers: chained, doubled when full. */
#include "master/map.h"

#include <errno.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAP_FIRST 64 /* buckets of an empty map; a power of two */

struct entry {
	struct entry *next;
	void *value;
	uint8_t n;
	uint8_t key[];
};

struct map {
	struct entry **buckets;
	size_t nbuckets, count;
	uint8_t seed[crypto_shorthash_KEYBYTES];
};

struct map *
map_new(void)
{
	struct map *m;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return NULL;
	m->nbuckets = MAP_FIRST;
	m->buckets = calloc(m->nbuckets, sizeof(*m->buckets));
	if (m->buckets == NULL) {
		free(m);
		return NULL;
	}
	randombytes_buf(m->seed, sizeof(m->seed));
	return m;
}

void
map_free(struct map *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->nbuckets; i++) {
		struct entry *e = m->buckets[i], *next;

		for (; e != NULL; e = next) {
			next = e->next;
			free(e);
		}
	}
	free(m->buckets);
	free(m);
}

size_t
map_count(const struct map *m)
{
	return m->count;
}

static size_t
bucket_of(const struct map *m, const void *key, size_t n)
{
	uint8_t out[crypto_shorthash_BYTES];
	uint64_t h;

	crypto_shorthash(out, key, n, m->seed);
	memcpy(&h, out, sizeof(h));
	return (size_t)h & (m->nbuckets - 1);
}

/* Where the pointer to the entry is, or the NULL at the chain's end. */
static struct entry **
locate(const struct map *m, const void *key, size_t n)
{
	struct entry **at = &m->buckets[bucket_of(m, key, n)];

	while (
	    *at != NULL && ((*at)->n != n || memcmp((*at)->key, key, n) != 0))
		at = &(*at)->next;
	return at;
}

void *
map_get(const struct map *m, const void *key, size_t n)
{
	struct entry *e;

	if (n > MAP_KEY_MAX || (e = *locate(m, key, n)) == NULL)
		return NULL;
	return e->value;
}

/* Twice the buckets, if memory allows; else chains just grow longer. */
static void
grow(struct map *m)
{
	struct entry **old = m->buckets, **new;
	size_t nold = m->nbuckets;

	if ((new = calloc(nold * 2, sizeof(*new))) == NULL)
		return;
	m->buckets = new;
	m->nbuckets = nold * 2;
	for (size_t i = 0; i < nold; i++) {
		struct entry *e = old[i], *next;

		for (; e != NULL; e = next) {
			struct entry **at = &new[bucket_of(m, e->key, e->n)];

			next = e->next;
			e->next = *at;
			*at = e;
		}
	}
	free(old);
}

int
map_put(struct map *m, const void *key, size_t n, void *value)
{
	struct entry **at, *e;

	if (n > MAP_KEY_MAX) {
		errno = EINVAL;
		return -1;
	}
	if ((e = *locate(m, key, n)) != NULL) {
		e->value = value;
		return 0;
	}
	if ((e = malloc(sizeof(*e) + n)) == NULL)
		return -1;
	if (m->count >= m->nbuckets)
		grow(m);
	at = &m->buckets[bucket_of(m, key, n)];
	e->next = *at;
	e->value = value;
	e->n = (uint8_t)n;
	memcpy(e->key, key, n);
	*at = e;
	m->count++;
	return 0;
}

void *
map_remove(struct map *m, const void *key, size_t n)
{
	struct entry **at, *e;
	void *value;

	if (n > MAP_KEY_MAX)
		return NULL;
	at = locate(m, key, n);
	if ((e = *at) == NULL)
		return NULL;
	*at = e->next;
	value = e->value;
	free(e);
	m->count--;
	return value;
}

void *
map_gets(const struct map *m, const char *key)
{
	return map_get(m, key, strlen(key));
}

int
map_puts(struct map *m, const char *key, void *value)
{
	return map_put(m, key, strlen(key), value);
}

void *
map_removes(struct map *m, const char *key)
{
	return map_remove(m, key, strlen(key));
}

void
map_each(struct map *m, void (*fn)(void *arg, void *value), void *arg)
{
	for (size_t i = 0; i < m->nbuckets; i++) {
		struct entry *e = m->buckets[i], *next;

		for (; e != NULL; e = next) {
			next = e->next;
			fn(arg, e->value);
		}
	}
}
