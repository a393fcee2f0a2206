/*
 * What a socket did not take yet. Bytes go to the socket at once when they
 * can; only the rest is copied. The bound is the sender's credit, so the
 * queue itself has none.
 */
#ifndef OUTQ_H
#define OUTQ_H

#include <sys/types.h>
#include <sys/uio.h>

#include <stddef.h>
#include <stdint.h>

struct outq {
	uint8_t *p; /* NULL while nothing waits */
	uint32_t cap, head, tail;
};

/* Bytes waiting. */
size_t outq_left(const struct outq *q);

/*
 * Send the n pieces, behind what waits. Returns how many bytes left for good
 * now (0 if some were waiting already), or -1 with errno if the socket is
 * broken or memory short. What did not leave is queued.
 */
ssize_t outq_send(struct outq *q, int fd, const struct iovec *iov, int n);

/* Queue the n pieces, sending nothing. 0, or -1 if memory is short. */
int outq_add(struct outq *q, const struct iovec *iov, int n);

/* The socket is writable: send what waits. Bytes sent, or -1 with errno. */
ssize_t outq_flush(struct outq *q, int fd);

void outq_free(struct outq *q);

#endif
