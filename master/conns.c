/* The table of connections: slots, reused in order of their release. */
#include "master/conns.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"

#define INDEX_BITS 20
#define INDEX_MASK ((1u << INDEX_BITS) - 1)
#define CONNS_FIRST 256 /* slots to begin with */

/*
 * A slot's number carries how often it was used, so that a late frame about
 * an old connection does not hit the new one in its place.
 */
struct slot {
	struct conn *conn;
	uint32_t id;   /* of the connection, or of the next one */
	uint32_t next; /* in the queue of free slots; 0: none */
};

struct conns {
	struct slot *slots; /* slot 0 is never used: 0 is no number */
	uint32_t nslots;
	uint32_t max;
	uint32_t free_head, free_tail; /* 0: none */
	size_t count;
};

struct conns *
conns_new(size_t max)
{
	struct conns *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->max = (uint32_t)(max < CONNS_MAX ? max : CONNS_MAX);
	return t;
}

static void
remove_each(void *arg, struct conn *c)
{
	conns_remove(arg, c);
}

void
conns_free(struct conns *t)
{
	if (t == NULL)
		return;
	conns_each(t, remove_each, t);
	free(t->slots);
	free(t);
}

size_t
conns_count(const struct conns *t)
{
	return t->count;
}

static void
put_free(struct conns *t, uint32_t index)
{
	t->slots[index].next = 0;
	if (t->free_tail != 0)
		t->slots[t->free_tail].next = index;
	else
		t->free_head = index;
	t->free_tail = index;
}

/* More slots. -1: no memory, or the limit. */
static int
grow(struct conns *t)
{
	uint32_t n = t->nslots == 0 ? CONNS_FIRST : t->nslots * 2;
	struct slot *slots;

	if (n > t->max + 1)
		n = t->max + 1;
	if (n <= t->nslots)
		return -1;
	if ((slots = realloc(t->slots, n * sizeof(*slots))) == NULL)
		return -1;
	t->slots = slots;
	for (uint32_t i = t->nslots; i < n; i++) {
		slots[i] = (struct slot){ NULL, i, 0 };
		if (i > 0)
			put_free(t, i);
	}
	t->nslots = n;
	return 0;
}

struct conn *
conns_add(struct conns *t, int fd, const struct msg_conn *who)
{
	struct slot *s;
	struct conn *c;

	if ((t->free_head == 0 && grow(t) == -1) ||
	    (c = calloc(1, sizeof(*c))) == NULL) {
		close(fd);
		return NULL;
	}
	s = &t->slots[t->free_head];
	if ((t->free_head = s->next) == 0)
		t->free_tail = 0;
	s->id += 1u << INDEX_BITS; /* wraps around */
	s->conn = c;
	c->id = s->id;
	c->fd = fd;
	c->who = *who;
	c->since = clock_ms();
	t->count++;
	return c;
}

struct conn *
conns_restore(struct conns *t, uint32_t id, int fd, const struct msg_conn *who)
{
	uint32_t index = id & INDEX_MASK;
	struct conn *c;

	while (index != 0 && index >= t->nslots && grow(t) == 0)
		;
	if (index == 0 || index >= t->nslots || t->slots[index].conn != NULL ||
	    (c = calloc(1, sizeof(*c))) == NULL) {
		if (fd != -1)
			close(fd);
		return NULL;
	}
	c->id = id;
	c->fd = fd;
	c->who = *who;
	t->slots[index].id = id;
	t->slots[index].conn = c;
	t->count++;
	return c;
}

void
conns_restored(struct conns *t)
{
	t->free_head = t->free_tail = 0;
	for (uint32_t i = 1; i < t->nslots; i++) {
		if (t->slots[i].conn == NULL)
			put_free(t, i);
	}
}

struct conn *
conns_find(const struct conns *t, uint32_t id)
{
	uint32_t index = id & INDEX_MASK;

	if (index == 0 || index >= t->nslots || t->slots[index].id != id)
		return NULL;
	return t->slots[index].conn;
}

int
conn_set_name(struct conn *c, const char *name)
{
	char *copy;

	if ((copy = strdup(name)) == NULL)
		return -1;
	free(c->name);
	c->name = copy;
	return 0;
}

int
conn_take_fd(struct conn *c)
{
	int fd = c->fd;

	c->fd = -1;
	return fd;
}

void
conns_remove(struct conns *t, struct conn *c)
{
	uint32_t index = c->id & INDEX_MASK;

	t->slots[index].conn = NULL;
	put_free(t, index);
	t->count--;
	waits_remove(&c->wait);
	if (c->fd != -1)
		close(c->fd);
	free(c->name);
	free(c);
}

void
conns_each(struct conns *t, void (*fn)(void *arg, struct conn *c), void *arg)
{
	for (uint32_t i = 1; i < t->nslots; i++) {
		if (t->slots[i].conn != NULL)
			fn(arg, t->slots[i].conn);
	}
}

const char *
conn_state_name(enum conn_state s)
{
	static const char *const names[] = { "new", "new", "parked", "refused",
		"handshake", "attaching", "tunnel", "user", "tls", "converted",
		"ending" };

	return names[s];
}
