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

#endif
