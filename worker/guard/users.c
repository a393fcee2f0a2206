/* A set of verifiers. */
#include "worker/guard/users.h"

#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"

struct users {
	struct verifier *v; /* `total` of them, guarded; NULL: none */
	uint32_t total;
	size_t n;
	bool begun, complete;
};

struct users *
users_new(void)
{
	return calloc(1, sizeof(struct users));
}

void
users_free(struct users *u)
{
	if (u == NULL)
		return;
	sodium_free(u->v);
	free(u);
}

size_t
users_count(const struct users *u)
{
	return u->n;
}

static int
by_id(const void *a, const void *b)
{
	const struct verifier *x = a, *y = b;

	return strcmp(x->id, y->id);
}

static int
bad(void)
{
	errno = EBADMSG;
	return -1;
}

/* The first frame says how many there will be. */
static int
begin(struct users *u, uint32_t total)
{
	if (total > VERIFIER_MAX)
		return bad();
	if (total > 0 &&
	    (u->v = sodium_allocarray(total, sizeof(*u->v))) == NULL) {
		errno = ENOMEM;
		return -1;
	}
	u->total = total;
	u->begun = true;
	return 0;
}

/* All are there: sort them, for users_find(). No id may be there twice. */
static int
finish(struct users *u)
{
	bool sorted = true;

	for (size_t i = 1; i < u->n; i++)
		sorted &= by_id(&u->v[i - 1], &u->v[i]) < 0;
	/* The parser sends them sorted; sorting copies what is secret. */
	if (!sorted)
		return bad();
	if (u->v != NULL)
		sodium_mprotect_readonly(u->v);
	u->complete = true;
	return 1;
}

int
users_add(struct users *u, const void *frame, size_t n)
{
	uint32_t total;
	struct buf b;

	buf_read(&b, frame, n);
	if (u->complete || buf_get_u32(&b, &total) == -1)
		return bad();
	if (!u->begun && begin(u, total) == -1)
		return -1;
	if (total != u->total)
		return bad();
	while (buf_left(&b) > 0) {
		if (u->n == u->total || verifier_get(&b, &u->v[u->n]) == -1)
			return bad();
		u->n++;
	}
	return u->n == u->total ? finish(u) : 0;
}

const struct verifier *
users_find(const struct users *u, const char *id)
{
	size_t low = 0, high = u->complete ? u->n : 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(id, u->v[mid].id);

		if (order == 0)
			return &u->v[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}
