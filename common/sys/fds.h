/* Descriptors: as many as may be had, and one kept for when there are none. */
#ifndef FDS_H
#define FDS_H

#include <sys/resource.h>

#include <stdbool.h>
#include <stddef.h>

/*
 * Raise the soft RLIMIT_NOFILE to the hard one. Returns 0 and the limit, or
 * -1 with errno.
 */
int fds_raise(rlim_t *limit);

/* Write all of the n bytes at p. 0, or -1 with errno: some are written. */
int fds_write(int fd, const void *p, size_t n);

#define FDS_RESERVE 32 /* kept free by who takes connections */

/*
 * Whether somebody who uses `used` of `limit` descriptors takes no more: when
 * FDS_RESERVE are left, of a limit below 128 a quarter of it. Who was `full`
 * before takes more only when twice as many are left.
 */
bool fds_full(size_t used, size_t limit, bool full);

/* The spare descriptor; spare is -1 when somebody else took its place. */
struct fds {
	int spare;
};

/* Open the spare. Returns 0, or -1 with errno. fds_close() gives it back. */
int fds_init(struct fds *f);
void fds_close(struct fds *f);

/*
 * At EMFILE: give the spare up, accept one connection of `listener`, reset
 * it, take the spare again. So a visitor is told, and the listener does not
 * stay readable for ever. Returns 1 if one was refused, 0 if none waited, -1
 * with errno (EMFILE: there was no spare, or none even so).
 */
int fds_refuse(struct fds *f, int listener);

#endif
