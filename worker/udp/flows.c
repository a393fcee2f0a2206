/* The table of flows. */
#include "worker/udp/flows.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/idmap.h"

#define TABLE_FIRST 256
#define NEVER (UINT64_MAX / 2) /* a deadline that does not come */

struct flow_source {
	struct flow_source *chain;
	struct addr block;
	size_t count;
	TAILQ_HEAD(, flow) flows;
};

/* Both hold at most FLOWS_MAX things; chained, a power of two. */
struct flows {
	size_t max, service_max, source_max;
	flows_ended_fn *ended;
	void *arg;
	LIST_HEAD(, flow_group) groups;
	struct flow **slot;
	struct flow_source **sources;
	size_t size, count;
	struct idmap ids;
	uint32_t id; /* the last one given */
	/* Of the hash: who could foresee it could make all collide. */
	uint8_t key[crypto_shorthash_KEYBYTES];
};

struct flows *
flows_new(size_t max, size_t service_max, size_t source_max,
    flows_ended_fn *ended, void *arg)
{
	struct flows *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->max = max;
	t->service_max = service_max;
	t->source_max = source_max;
	t->ended = ended;
	t->arg = arg;
	t->size = TABLE_FIRST;
	t->slot = calloc(t->size, sizeof(struct flow *));
	t->sources = calloc(t->size, sizeof(struct flow_source *));
	if (t->slot == NULL || t->sources == NULL) {
		flows_free(t);
		return NULL;
	}
	LIST_INIT(&t->groups);
	randombytes_buf(t->key, sizeof(t->key));
	return t;
}

void
flows_free(struct flows *t)
{
	struct flow_group *g;

	if (t == NULL)
		return;
	while ((g = LIST_FIRST(&t->groups)) != NULL)
		flows_leave(t, g);
	idmap_free(&t->ids);
	free(t->slot);
	free(t->sources);
	free(t);
}

/* Where in a table of our size these addresses belong. */
static size_t
slot_of(const struct flows *t, const struct addr *a, const struct addr *b)
{
	uint8_t text[2 * ADDR_WIRE], hash[crypto_shorthash_BYTES];
	uint64_t v;
	struct buf w;

	buf_write(&w, text, sizeof(text));
	addr_put(&w, a);
	if (b != NULL)
		addr_put(&w, b);
	crypto_shorthash(hash, text, buf_used(&w), t->key);
	memcpy(&v, hash, sizeof(v));
	return (size_t)v & (t->size - 1);
}

struct flow *
flows_find(
    const struct flows *t, const struct addr *peer, const struct addr *local)
{
	struct flow *f = t->slot[slot_of(t, peer, local)];

	while (f != NULL &&
	    (!addr_equal(&f->peer, peer) || !addr_equal(&f->local, local)))
		f = f->chain;
	return f;
}

struct flow *
flows_get(const struct flows *t, uint32_t id)
{
	return id == 0 ? NULL : idmap_get(&t->ids, id);
}

size_t
flows_count(const struct flows *t)
{
	return t->count;
}

void
flows_join(struct flows *t, struct flow_group *g, uint64_t idle_us)
{
	uint64_t wait = idle_us == 0 ? NEVER : idle_us;

	deadlines_init(&g->young, wait);
	deadlines_init(&g->proven, wait);
	g->count = 0;
	LIST_INSERT_HEAD(&t->groups, g, link);
}

static struct flow *
of_deadline(struct deadline *d)
{
	return (struct flow *)((char *)d - offsetof(struct flow, idle));
}

/* The one of a group that is to go first, or NULL. */
static struct flow *
oldest(struct flow_group *g)
{
	if (g->young.ring.next != &g->young.ring)
		return of_deadline(g->young.ring.next);
	if (g->proven.ring.next != &g->proven.ring)
		return of_deadline(g->proven.ring.next);
	return NULL;
}

void
flows_clear(struct flows *t, struct flow_group *g)
{
	struct flow *f;

	while ((f = oldest(g)) != NULL)
		flows_drop(t, f);
}

void
flows_leave(struct flows *t, struct flow_group *g)
{
	flows_clear(t, g);
	LIST_REMOVE(g, link);
}

static void
leave_source(struct flows *t, struct flow *f)
{
	struct flow_source *s = f->source, **at;

	TAILQ_REMOVE(&s->flows, f, of_source);
	if (--s->count > 0)
		return;
	at = &t->sources[slot_of(t, &s->block, NULL)];
	while (*at != s)
		at = &(*at)->chain;
	*at = s->chain;
	free(s);
}

void
flows_drop(struct flows *t, struct flow *f)
{
	struct flow **at = &t->slot[slot_of(t, &f->peer, &f->local)];

	while (*at != f)
		at = &(*at)->chain;
	*at = f->chain;
	t->count--;
	f->group->count--;
	deadline_drop(&f->idle);
	idmap_take(&t->ids, f->id);
	leave_source(t, f);
	free(f);
}

static void
end(struct flows *t, struct flow *f)
{
	t->ended(t->arg, f);
	flows_drop(t, f);
}

/* Twice as many slots, once there is a flow for each. */
static void
grow(struct flows *t)
{
	struct flow_source **sources, *s, *snext;
	struct flow **slot, *f, *fnext;
	size_t size = t->size;

	if (t->count < size)
		return;
	slot = calloc(size * 2, sizeof(struct flow *));
	sources = calloc(size * 2, sizeof(struct flow_source *));
	if (slot == NULL || sources == NULL) {
		free(slot);
		free(sources);
		return; /* longer chains */
	}
	t->size = size * 2;
	for (size_t i = 0; i < size; i++) {
		for (f = t->slot[i]; f != NULL; f = fnext) {
			struct flow **to =
			    &slot[slot_of(t, &f->peer, &f->local)];

			fnext = f->chain;
			f->chain = *to;
			*to = f;
		}
		for (s = t->sources[i]; s != NULL; s = snext) {
			struct flow_source **to =
			    &sources[slot_of(t, &s->block, NULL)];

			snext = s->chain;
			s->chain = *to;
			*to = s;
		}
	}
	free(t->slot);
	free(t->sources);
	t->slot = slot;
	t->sources = sources;
}

static struct flow_source *
find_source(const struct flows *t, const struct addr *block)
{
	struct flow_source *s = t->sources[slot_of(t, block, NULL)];

	while (s != NULL && !addr_equal(&s->block, block))
		s = s->chain;
	return s;
}

size_t
flows_of_source(const struct flows *t, const struct addr *peer)
{
	struct addr block = addr_source(peer);
	const struct flow_source *s = find_source(t, &block);

	return s == NULL ? 0 : s->count;
}

static struct flow_source *
get_source(struct flows *t, const struct addr *block)
{
	struct flow_source *s, **to;

	if ((s = find_source(t, block)) != NULL)
		return s;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->block = *block;
	TAILQ_INIT(&s->flows);
	to = &t->sources[slot_of(t, block, NULL)];
	s->chain = *to;
	*to = s;
	return s;
}

static struct flow_group *
largest(const struct flows *t)
{
	struct flow_group *g, *most = NULL;

	LIST_FOREACH(g, &t->groups, link)
	{
		if (most == NULL || g->count > most->count)
			most = g;
	}
	return most;
}

/* End what is in the way of one more. */
static void
make_room(struct flows *t, struct flow_group *g, const struct addr *block)
{
	struct flow_source *s = find_source(t, block);

	if (s != NULL && s->count >= t->source_max)
		end(t, TAILQ_FIRST(&s->flows));
	if (g->count >= t->service_max)
		end(t, oldest(g));
	if (t->count >= t->max)
		end(t, oldest(largest(t)));
}

static uint32_t
next_id(struct flows *t)
{
	do
		t->id++;
	while (t->id == 0 || idmap_get(&t->ids, t->id) != NULL);
	return t->id;
}

struct flow *
flows_add(struct flows *t, struct flow_group *g, const struct addr *peer,
    const struct addr *local, uint64_t now)
{
	struct addr block = addr_source(peer);
	struct flow *f, **to;

	make_room(t, g, &block);
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return NULL;
	f->id = next_id(t);
	f->peer = *peer;
	f->local = *local;
	f->group = g;
	if ((f->source = get_source(t, &block)) == NULL)
		goto err0;
	f->source->count++;
	TAILQ_INSERT_TAIL(&f->source->flows, f, of_source);
	if (idmap_put(&t->ids, f->id, f) == -1)
		goto err1;
	grow(t);
	to = &t->slot[slot_of(t, peer, local)];
	f->chain = *to;
	*to = f;
	t->count++;
	g->count++;
	deadline_set(&g->young, &f->idle, now);
	return f;

err1:
	leave_source(t, f);
err0:
	free(f);
	return NULL;
}

static void
touch(struct flow *f, uint64_t now)
{
	struct flow_group *g = f->group;

	deadline_set(f->proven ? &g->proven : &g->young, &f->idle, now);
	TAILQ_REMOVE(&f->source->flows, f, of_source);
	TAILQ_INSERT_TAIL(&f->source->flows, f, of_source);
}

void
flows_heard(struct flow *f, uint64_t now)
{
	f->proven = f->answered;
	touch(f, now);
}

void
flows_said(struct flow *f, uint64_t now)
{
	f->answered = true;
	touch(f, now);
}

void
flows_expire(struct flows *t, uint64_t now)
{
	struct flow_group *g;
	struct deadline *d;

	LIST_FOREACH(g, &t->groups, link)
	{
		while ((d = deadlines_due(&g->young, now)) != NULL ||
		    (d = deadlines_due(&g->proven, now)) != NULL)
			end(t, of_deadline(d));
	}
}
