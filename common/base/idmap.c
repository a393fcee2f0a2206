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

static int
grow(struct idmap *m)
{
	struct idmap bigger = { .count = m->count };

	bigger.size = m->size == 0 ? FIRST : m->size * 2;
	bigger.slot = calloc(bigger.size, sizeof(*bigger.slot));
	if (bigger.slot == NULL)
		return -1;
	for (size_t i = 0; i < m->size; i++) {
		if (m->slot[i].id != 0)
			bigger.slot[find(&bigger, m->slot[i].id)] = m->slot[i];
	}
	free(m->slot);
	*m = bigger;
	return 0;
}

int
idmap_put(struct idmap *m, uint32_t id, void *value)
{
	size_t i;

	if (m->count * 2 >= m->size && grow(m) == -1)
		return -1;
	i = find(m, id);
	if (m->slot[i].id == 0)
		m->count++;
	m->slot[i].id = id;
	m->slot[i].value = value;
	return 0;
}

void *
idmap_take(struct idmap *m, uint32_t id)
{
	size_t i, k;
	void *value;

	if (m->size == 0 || id == 0)
		return NULL;
	i = find(m, id);
	if (m->slot[i].id == 0)
		return NULL;
	value = m->slot[i].value;
	m->count--;
	/* Close the gap: put what follows in the run where it belongs now. */
	m->slot[i] = (struct idmap_slot){ 0 };
	for (k = (i + 1) & (m->size - 1); m->slot[k].id != 0;
	     k = (k + 1) & (m->size - 1)) {
		struct idmap_slot moved = m->slot[k];

		m->slot[k] = (struct idmap_slot){ 0 };
		m->slot[find(m, moved.id)] = moved;
	}
	return value;
}

void *
idmap_next(const struct idmap *m, size_t *at)
{
	while (*at < m->size) {
		const struct idmap_slot *s = &m->slot[(*at)++];

		if (s->id != 0)
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
