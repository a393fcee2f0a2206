/*
 * A log file by name: opened, and moved aside when it is full or its day (UTC)
 * is over: FILE.1 is the newest of those, and there are at most `count` with
 * FILE itself. Who writes to it may be another process.
 */
#ifndef LOGFILE_H
#define LOGFILE_H

#include <stdbool.h>
#include <stdint.h>

#define LOGFILE_COUNT_MAX 1000		     /* files */
#define LOGFILE_SIZE_MAX (UINT64_C(1) << 50) /* bytes that max may say */

struct logfile {
	const char *path; /* the caller's */
	uint64_t max;	  /* bytes; 0: no matter how many */
	unsigned count;	  /* files in all, at least 1 */
	int fd;		  /* -1: not open */
	bool regular;	  /* a file: it can be moved aside */
	uint64_t day;	  /* of what is in it: days since 1970 */
};

/*
 * Open it to append, made with mode 0640 less the umask. 0, or -1 with errno
 * and *f as it was. f->fd was -1, or is closed.
 */
int logfile_open(struct logfile *f, uint64_t now_ms);

/* Bytes in it now. */
uint64_t logfile_size(const struct logfile *f);

/* Whether the day of what is in it is over. */
bool logfile_is_old(const struct logfile *f, uint64_t now_ms);

/*
 * Move it aside and open a new one in its place. 0; or -1 with errno: nothing
 * has moved or the new one could not be opened, and the old one goes on.
 */
int logfile_rotate(struct logfile *f, uint64_t now_ms);

/* NULL members are allowed. */
void logfile_close(struct logfile *f);

#endif
