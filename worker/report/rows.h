/*
 * What the master has answered to some questions: for each, its rows as they
 * came (common/ipc/ctl.h), and how to go through them.
 */
#ifndef ROWS_H
#define ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ipc/ctl.h"
#include "common/ipc/msg.h"

#define ROWS_BYTES_MAX (8u << 20) /* of the answer to one question */

struct history;

/* The rows of one answer: u16 length and fields, one after the other. */
struct rows {
	uint8_t *p;
	size_t n, cap;
	bool failed; /* refused, too long, or no memory: not whole */
};

/* The answers, by question; those not asked are empty. */
struct answers {
	struct rows of[QUERY_COUNT];
	const struct history *history; /* of the figures; NULL: none. Not its */
};

/* Add one row of n bytes. */
void rows_add(struct rows *r, const void *p, size_t n);

void answers_free(struct answers *a);

/* Go through: begin with *at 0. Whether there was another row, in *row. */
bool rows_next(const struct rows *r, size_t *at, struct buf *row);

/* The field of that name in a row, whose cursor stays. Whether it is there. */
bool row_field(struct buf row, const char *name, struct ctl_field *f);

/* The same as a number; 0 if it is none. */
uint64_t row_number(struct buf row, const char *name);

/* Whether that field is this string. */
bool row_is(struct buf row, const char *name, const char *value);

#endif
