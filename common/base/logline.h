/* One line of the log as text or as JSON. Pure. */
#ifndef LOGLINE_H
#define LOGLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/log.h"

#define LOGLINE_MAX (LOG_LINE_MAX * 6 + 512) /* bytes of one, escaped */
#define LOGLINE_WHEN 32			     /* bytes of a time */

/*
 * One event. text is printable or UTF-8; role is NULL unless a process of ours
 * has said it, by its channel.
 */
struct logline {
	uint64_t ms; /* since 1970 */
	enum log_level level;
	const char *name; /* of the program */
	long pid;
	const char *role;
	int index; /* which of its role; -1: there is only one */
	long role_pid;
	const char *text;
};

/*
 * Write it to dst[LOGLINE_MAX] with its newline. Returns the length; what does
 * not fit is cut off.
 */
size_t logline_format(char *dst, const struct logline *l, bool json);

/* The time as "2026-01-31T23:59:59.123Z" in dst[LOGLINE_WHEN]. Returns dst. */
char *logline_when(char *dst, uint64_t ms);

/* Now, in ms since 1970. */
uint64_t logline_now(void);

#endif
