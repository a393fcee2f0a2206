/*
 * The lists that a configuration holds. Each owns its array and what it
 * points at; schema_free() frees them with the struct they lie in.
 */
#ifndef LISTS_H
#define LISTS_H

#include <stddef.h>

#include "common/base/addr.h"

struct str_list {
	char **v;
	size_t n;
};

struct addr_list {
	struct addr *v;
	size_t n;
};

struct block_list {
	struct addr_block *v;
	size_t n;
};

/*
 * Any of them (or another struct of an array's pointer and a count) without
 * its element's type: what code that knows only a schema works on.
 */
struct any_list {
	void *v;
	size_t n;
};

/* Read the list that lies at `field`. */
struct any_list lists_get(const void *field);

/*
 * Append one zeroed element of `size` bytes to the list that lies at `field`
 * and return it; NULL and no change if memory is short. The array may move.
 */
void *lists_add(void *field, size_t size);

/* Free the array, not what its elements point at, and make the list empty. */
void lists_clear(void *field);

#endif
