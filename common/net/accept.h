/* Accepting in batches, with every error told apart. */
#ifndef ACCEPT_H
#define ACCEPT_H

#include <stddef.h>

#include "common/base/addr.h"

/* Why a batch ended. */
enum accept_end {
	ACCEPT_FULL,	  /* max reached: there may be more */
	ACCEPT_NONE,	  /* nobody else waits */
	ACCEPT_EXHAUSTED, /* no descriptors or memory: pause, fds_refuse() */
	ACCEPT_BROKEN	  /* not a listener any more: errno says why */
};

struct accepted {
	int fd;		  /* non-blocking, close-on-exec; the caller's */
	struct addr peer; /* ADDR_ANY if it is none of IP's */
};

/*
 * Accept up to max connections of `listener` into out. A connection that died
 * in the queue or met a passing network error is skipped; it counts towards
 * max, so that a batch ends. Returns how many are in out and writes *end.
 */
size_t accept_batch(
    int listener, struct accepted *out, size_t max, enum accept_end *end);

#endif
