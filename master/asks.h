/*
 * The rows of a list of services that are about names: each name once for
 * every table of routes that it is to be in.
 */
#ifndef ASKS_H
#define ASKS_H

#include <stdbool.h>

#include "common/tunnel/services.h"
#include "master/routes.h"

/* One name of one service in one table. */
struct ask {
	const struct service *sv;
	const char *name; /* empty: the id */
	enum route_table table;
	bool served; /* somebody listens for users of that table */
	bool first;  /* of the rows of this name: it is counted once */
};

typedef void (*ask_fn)(void *arg, const struct ask *a);

/*
 * Call fn for every row, in the same order each time; the id has one of its
 * own, "". `http` and `sni` say for
 * which tables there are listeners; a name that is for none of them has one
 * row that is not served.
 */
void asks_each(
    const struct services *list, bool http, bool sni, ask_fn fn, void *arg);

#endif
