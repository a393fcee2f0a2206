/* A line of the log between processes: the payload of MSG_LINE, MSG_EVENT. */
#ifndef LINE_H
#define LINE_H

#include "common/base/logline.h"

struct buf;

#define LINE_BYTES (LOG_LINE_MAX + 128) /* of one, encoded */
#define LINE_WORD 15 /* bytes of a program's or role's name */

/* One that was decoded: the strings of l are the next. */
struct line {
	struct logline l;
	char name[LINE_WORD + 1], role[LINE_WORD + 1], text[LOG_LINE_MAX];
};

/* 0, or -1 if it does not fit. */
int line_put(struct buf *b, const struct logline *l);

/* Decode a whole buffer; -1: malformed. */
int line_get(struct buf *b, struct line *line);

#endif
