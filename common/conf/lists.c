/* Lists without their element's type. */
#include "common/conf/lists.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct str_list) == sizeof(struct any_list) &&
	offsetof(struct str_list, n) == offsetof(struct any_list, n),
    "every list has the same layout");

/*
 * Copied as bytes in and out: a pointer may not be read through a struct that
 * declares it with another type.
 */
struct any_list
lists_get(const void *field)
{
	struct any_list l;

	memcpy(&l, field, sizeof(l));
	return l;
}

static void
put(void *field, struct any_list l)
{
	memcpy(field, &l, sizeof(l));
}

void *
lists_add(void *field, size_t size)
{
	struct any_list l = lists_get(field);
	char *at;

	/* Room is always the next power of two: no capacity is kept. */
	if ((l.n & (l.n - 1)) == 0) {
		size_t room = l.n == 0 ? 1 : l.n * 2;
		void *v;

		if (room > SIZE_MAX / 2 / size)
			return NULL;
		v = realloc(l.v, room * size);
		if (v == NULL)
			return NULL;
		l.v = v;
	}
	at = (char *)l.v + l.n * size;
	memset(at, 0, size);
	l.n++;
	put(field, l);
	return at;
}

void
lists_clear(void *field)
{
	struct any_list empty = { NULL, 0 };

	free(lists_get(field).v);
	put(field, empty);
}
