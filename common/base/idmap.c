/* A map from 32-bit numbers to pointers. */
#include "common/base/idmap.h"

#include <stdlib.h>

#define FIRST 64

/* Where id is, or where it would be put. */
static size_t
find(const struct idmap *m, uint32_t id)
{
	/* Numbers are handed out in sequence: Fibonacci hashing spreads. */
	size_t i = (id * UINT32_C(2654435769)) & (m->size - 1);

	while (m->slot[i].id != 0 && m->slot[i].id != id)
		i = (i + 1) & (m->size - 1);
	return i;
}

void *
idmap_get(const struct idmap *m, uint32_t id)
{
	return m->size == 0 || id == 0 ? NULL : m->slot[find(m, id)].value;
}

/* Move what is there to a new array, bigger if it is not mostly forgotten. */
static int
rebuild(struct idmap *m)
{
	struct idmap fresh = { .count = m->count, .used = m->count };

	fresh.size = m->size == 0 ? FIRST : m->size;
	if (m->count * 2 >= fresh.size)
		fresh.size *= 2;
	fresh.slot = calloc(fresh.size, sizeof(*fresh.slot));
	if (fresh.slot == NULL)
		return -1;
	for (size_t i = 0; i < m->size; i++) {
		if (m->slot[i].value != NULL)
			fresh.slot[find(&fresh, m->slot[i].id)] = m->slot[i];
	}
	free(m->slot);
	*m = fresh;
	return 0;
}

int
idmap_put(struct idmap *m, uint32_t id, void *value)
{
	struct idmap_slot *s;

	if (m->used * 4 >= m->size * 3 && rebuild(m) == -1)
		return -1;
	s = &m->slot[find(m, id)];
	if (s->id == 0)
		m->used++;
	if (s->value == NULL)
		m->count++;
	s->id = id;
	s->value = value;
	return 0;
}

void *
idmap_take(struct idmap *m, uint32_t id)
{
	struct idmap_slot *s;
	void *value;

	if (m->size == 0 || id == 0)
		return NULL;
	s = &m->slot[find(m, id)];
	value = s->value;
	if (value != NULL)
		m->count--;
	/* The number stays: what was put behind it is found past it. */
	s->value = NULL;
	return value;
}

void *
idmap_next(const struct idmap *m, size_t *at)
{
	while (*at < m->size) {
		const struct idmap_slot *s = &m->slot[(*at)++];

		if (s->value != NULL)
			return s->value;
	}
	return NULL;
}

void
idmap_free(struct idmap *m)
{
	free(m->slot);
	*m = (struct idmap){ 0 };
}
