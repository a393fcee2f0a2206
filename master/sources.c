/* Where connections come from. */
#include "master/sources.h"

#include <stdlib.h>

#include "master/map.h"

struct sources {
	struct map *map; /* address of the block: struct source */
};

struct sources *
sources_new(void)
{
	struct sources *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	if ((t->map = map_new()) == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

void
sources_free(struct sources *t)
{
	if (t == NULL)
		return;
	map_free(t->map);
	free(t);
}

struct source *
sources_take(struct sources *t, const struct addr *peer)
{
	struct addr block = addr_source(peer);
	struct source *s;

	/* struct addr has no padding: equal blocks are equal bytes. */
	if ((s = map_get(t->map, &block, sizeof(block))) == NULL) {
		if ((s = calloc(1, sizeof(*s))) == NULL)
			return NULL;
		s->block = block;
		if (map_put(t->map, &block, sizeof(block), s) == -1) {
			free(s);
			return NULL;
		}
	}
	s->handshakes++;
	return s;
}

void
sources_release(struct sources *t, struct source *s)
{
	if (--s->handshakes > 0)
		return;
	map_remove(t->map, &s->block, sizeof(s->block));
	free(s);
}
