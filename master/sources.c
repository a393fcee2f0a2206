/* Where clients come from. */
#include "master/sources.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "master/map.h"

struct sources {
	struct map *map; /* address of the block: struct source */
	/* Those without handshakes; who came last is last. */
	TAILQ_HEAD(, source) idle;
};

struct sources *
sources_new(void)
{
	struct sources *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	TAILQ_INIT(&t->idle);
	if ((t->map = map_new()) == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

static void
drop(void *arg, void *source)
{
	(void)arg;
	free(source);
}

void
sources_free(struct sources *t)
{
	if (t == NULL)
		return;
	map_each(t->map, drop, NULL);
	map_free(t->map);
	free(t);
}

size_t
sources_count(const struct sources *t)
{
	return map_count(t->map);
}

static void
forget(struct sources *t, struct source *s)
{
	TAILQ_REMOVE(&t->idle, s, link);
	map_remove(t->map, &s->block, sizeof(s->block));
	free(s);
}

static struct source *
add(struct sources *t, const struct addr *block)
{
	struct source *s;

	if (map_count(t->map) >= SOURCES_MAX && !TAILQ_EMPTY(&t->idle))
		forget(t, TAILQ_FIRST(&t->idle));
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->block = *block;
	if (map_put(t->map, block, sizeof(*block), s) == -1) {
		free(s);
		return NULL;
	}
	return s;
}

static struct source *
find(const struct sources *t, const struct addr *peer)
{
	struct addr block = addr_source(peer);

	/* struct addr has no padding: equal blocks are equal bytes. */
	return map_get(t->map, &block, sizeof(block));
}

static bool
is_pinned(const struct source *s)
{
	return s->handshakes > 0 || s->users > 0;
}

/* The record of an address, made if need be; the caller pins it. */
static struct source *
get(struct sources *t, const struct addr *peer)
{
	struct addr block = addr_source(peer);
	struct source *s = find(t, peer);

	if (s == NULL)
		return add(t, &block);
	if (!is_pinned(s))
		TAILQ_REMOVE(&t->idle, s, link);
	return s;
}

struct source *
sources_take(struct sources *t, const struct addr *peer)
{
	struct source *s = get(t, peer);

	if (s != NULL)
		s->handshakes++;
	return s;
}

struct source *
sources_take_user(struct sources *t, const struct addr *peer)
{
	struct source *s = get(t, peer);

	if (s != NULL)
		s->users++;
	return s;
}

static void
look_at(void *arg, void *source)
{
	const struct source *s = source;
	unsigned *most = arg;

	if (s->users > *most)
		*most = s->users;
}

unsigned
sources_most_users(const struct sources *t)
{
	unsigned most = 0;

	map_each(t->map, look_at, &most);
	return most;
}

static void
unpin(struct sources *t, struct source *s)
{
	if (is_pinned(s))
		return;
	TAILQ_INSERT_TAIL(&t->idle, s, link);
	if (s->failures == 0)
		forget(t, s);
}

void
sources_release(struct sources *t, struct source *s)
{
	s->handshakes--;
	unpin(t, s);
}

void
sources_release_user(struct sources *t, const struct addr *peer)
{
	struct source *s = find(t, peer);

	if (s == NULL || s->users == 0)
		return;
	s->users--;
	unpin(t, s);
}

/* Old failures count no more. */
static void
expire(struct source *s, const struct lockout *l)
{
	if (l->time != 0 && clock_ms() - s->failed >= l->time)
		s->failures = 0;
}

bool
sources_failed(struct source *s, const struct lockout *l)
{
	bool before = sources_locked(s, l);

	/* What fails while it is locked out does not make that longer. */
	if (before)
		return false;
	s->failures++;
	s->failed = clock_ms();
	return sources_locked(s, l);
}

void
sources_succeeded(struct source *s)
{
	s->failures = 0;
}

bool
sources_locked(struct source *s, const struct lockout *l)
{
	expire(s, l);
	return s->failures > l->tries;
}

struct tally {
	const struct lockout *lockout;
	size_t n;
};

static void
tally(void *arg, void *source)
{
	struct tally *sum = arg;

	sum->n += sources_locked(source, sum->lockout);
}

size_t
sources_locked_out(const struct sources *t, const struct lockout *l)
{
	struct tally sum = { l, 0 };

	map_each(t->map, tally, &sum);
	return sum.n;
}

void
sources_each(struct sources *t, void (*fn)(void *arg, void *source), void *arg)
{
	map_each(t->map, fn, arg);
}

int
sources_restore(struct sources *t, const struct addr *block, uint64_t failures,
    uint64_t failed)
{
	struct source *s;

	if ((s = get(t, block)) == NULL)
		return -1;
	s->failures = failures;
	s->failed = failed;
	unpin(t, s);
	return 0;
}

static void
clear(void *arg, void *source)
{
	struct source *s = source;

	(void)arg;
	s->failures = 0;
}

void
sources_forgive(struct sources *t)
{
	struct source *s;

	/* Those that are pinned too. */
	map_each(t->map, clear, NULL);
	while ((s = TAILQ_FIRST(&t->idle)) != NULL)
		forget(t, s);
}
