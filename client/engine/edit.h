/*
 * Requests rewritten on their way to a service (rewrite_host,
 * remove_headers): every one of a connection, wherever its bytes were cut.
 *
 * Answers pass untouched, but are walked along: after an Upgrade only they
 * tell what the next bytes of the other direction are.
 */
#ifndef EDIT_H
#define EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/net/outq.h"

#define EDIT_PIPELINE 64 /* requests without an answer yet */
#define EDIT_HELD_MAX                                          \
	(192 * 1024) /* bytes that wait for more, or an answer \
		      */

struct edit;
struct rules;

/* For one connection; the rules must outlive it. NULL: no memory. */
struct edit *edit_new(const struct rules *rules);
void edit_free(struct edit *e);

/*
 * n bytes came from the user (0: go on with those that were held). What is
 * complete is added to `out`. -1: no HTTP that we understand, a bound, or no
 * memory.
 */
int edit_request(struct edit *e, const void *p, size_t n, struct outq *out);

/*
 * n bytes came from the service. Sets *go_on if held bytes may go on now.
 * -1 as above.
 */
int edit_response(struct edit *e, const void *p, size_t n, bool *go_on);

#endif
