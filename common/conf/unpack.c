/* Frames back to the struct that a schema describes. */
#include "common/conf/unpack.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/conf/field.h"
#include "common/conf/pack.h"
#include "common/conf/schema.h"

#define DEPTH_MAX 3 /* structs within structs */

/* A struct that is being filled, the row of each scalar at most once. */
struct level {
	const struct schema *s;
	void *to;
	bool seen[SCHEMA_KEYS_MAX]; /* by row */
};

struct unpack {
	struct level level[DEPTH_MAX];
	size_t depth; /* levels in use; 0: complete */
};

static int
get_string(const struct schema_key *k, void *to, struct buf *b)
{
	const char *v;
	size_t n;

	if (buf_get_str16(b, &v, &n) == -1)
		return -1;
	return field_put_string(k, to, v, n) == NULL ? 0 : -1;
}

static int
get_number(const struct schema_key *k, void *to, struct buf *b)
{
	uint64_t v;

	if (buf_get_u64(b, &v) == -1)
		return -1;
	if (k->type != SCHEMA_BOOL) /* 0 may mean that it was not given */
		return v == 0 && k->flag != 0 ? 0 : field_put_number(k, to, v);
	if (v > 1)
		return -1;
	*(bool *)field_at(k, to) = v == 1;
	return 0;
}

static int
get_addr(const struct schema_key *k, void *to, struct buf *b)
{
	struct addr a, *slot;

	if (addr_get(b, &a) == -1)
		return -1;
	slot = field_add(k, to);
	if (slot == NULL)
		return -1;
	*slot = a;
	return 0;
}

static int
get_block(const struct schema_key *k, void *to, struct buf *b)
{
	struct addr_block a, *slot;

	if (addr_block_get(b, &a) == -1)
		return -1;
	slot = field_add(k, to);
	if (slot == NULL)
		return -1;
	*slot = a;
	return 0;
}

/* The records that follow are those of a new element. */
static int
enter(struct unpack *u, const struct schema_key *k, void *to)
{
	struct level *l;

	if (u->depth == DEPTH_MAX)
		return -1;
	l = &u->level[u->depth];
	l->s = k->sub;
	memset(l->seen, 0, sizeof(l->seen));
	l->to = field_add(k, to);
	if (l->to == NULL)
		return -1;
	u->depth++;
	return 0;
}

static int
get_row(struct unpack *u, const struct schema_key *k, void *to, struct buf *b)
{
	switch (k->type) {
	case SCHEMA_STRING:
	case SCHEMA_FLAG_OR_STRING:
	case SCHEMA_STRINGS:
		return get_string(k, to, b);
	case SCHEMA_BOOL:
	case SCHEMA_INT:
	case SCHEMA_DURATION:
	case SCHEMA_SIZE:
	case SCHEMA_SHARE:
	case SCHEMA_CHOICE:
		return get_number(k, to, b);
	case SCHEMA_ADDRS:
		return get_addr(k, to, b);
	case SCHEMA_BLOCKS:
		return get_block(k, to, b);
	case SCHEMA_GROUPS:
		return enter(u, k, to);
	}
	return -1;
}

static bool
is_list(const struct schema_key *k)
{
	return k->type == SCHEMA_ADDRS || k->type == SCHEMA_BLOCKS ||
	    k->type == SCHEMA_STRINGS || k->type == SCHEMA_GROUPS;
}

/* Whether a whole struct has a record of this row. */
static bool
is_due(const struct schema_key *k)
{
	bool string =
	    k->type == SCHEMA_STRING || k->type == SCHEMA_FLAG_OR_STRING;

	return !k->secret && (string ? k->always : !is_list(k));
}

/* End the innermost struct, if nothing is missing. */
static int
leave(struct unpack *u)
{
	const struct level *l = &u->level[u->depth - 1];

	for (size_t i = 0; i < l->s->n; i++) {
		if (is_due(&l->s->keys[i]) && !l->seen[i])
			return -1;
	}
	u->depth--;
	return 0;
}

/* One record at the innermost level. */
static int
record(struct unpack *u, struct buf *b)
{
	struct level *l = &u->level[u->depth - 1];
	const struct schema_key *k;
	uint16_t number;
	uint64_t flags;

	if (buf_get_u16(b, &number) == -1)
		return -1;
	if (number == PACK_END)
		return leave(u);
	if (number == PACK_FLAGS) {
		if (buf_get_u64(b, &flags) == -1)
			return -1;
		memcpy((char *)l->to + l->s->set, &flags, sizeof(flags));
		return 0;
	}
	if (number > l->s->n)
		return -1;
	k = &l->s->keys[number - 1];
	if (k->secret || (!is_list(k) && l->seen[number - 1]))
		return -1;
	l->seen[number - 1] = true;
	return get_row(u, k, l->to, b);
}

struct unpack *
unpack_new(const struct schema *s, void *to)
{
	struct unpack *u = calloc(1, sizeof(*u));

	memset(to, 0, s->size);
	if (u == NULL)
		return NULL;
	u->level[0].s = s;
	u->level[0].to = to;
	u->depth = 1;
	return u;
}

int
unpack_frame(struct unpack *u, const void *frame, size_t n)
{
	struct buf b;

	buf_read(&b, frame, n);
	do {
		if (u->depth == 0 || record(u, &b) == -1)
			return -1;
	} while (buf_left(&b) > 0);
	return u->depth == 0 ? 1 : 0;
}

void
unpack_free(struct unpack *u)
{
	free(u);
}
