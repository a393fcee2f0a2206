/* What a socket did not take yet. */
#include "common/net/outq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTQ_FIRST 1024 /* very many hold little */

size_t
outq_left(const struct outq *q)
{
	return q->tail - q->head;
}

void
outq_free(struct outq *q)
{
	free(q->p);
	*q = (struct outq){ 0 };
}

/* Room for n more bytes behind the tail. */
static int
make_room(struct outq *q, size_t n)
{
	size_t cap = q->cap == 0 ? OUTQ_FIRST : q->cap;
	uint8_t *p;

	if (q->cap - q->tail >= n)
		return 0;
	/* Only if much is gained: what is moved often costs its square. */
	if (q->head >= q->tail - q->head && q->head > 0) {
		memmove(q->p, q->p + q->head, q->tail - q->head);
		q->tail -= q->head;
		q->head = 0;
	}
	while (cap - q->tail < n)
		cap *= 2;
	if (cap > UINT32_MAX) {
		errno = ENOBUFS;
		return -1;
	}
	if (cap == q->cap)
		return 0;
	if ((p = realloc(q->p, cap)) == NULL)
		return -1;
	q->p = p;
	q->cap = (uint32_t)cap;
	return 0;
}

/* Queue the pieces without their first `skip` bytes. */
static int
append(struct outq *q, const struct iovec *iov, int n, size_t skip)
{
	for (int i = 0; i < n; i++) {
		size_t len = iov[i].iov_len;

		if (skip >= len) {
			skip -= len;
			continue;
		}
		if (make_room(q, len - skip) == -1)
			return -1;
		memcpy(q->p + q->tail, (const uint8_t *)iov[i].iov_base + skip,
		    len - skip);
		q->tail += (uint32_t)(len - skip);
		skip = 0;
	}
	return 0;
}

int
outq_add(struct outq *q, const struct iovec *iov, int n)
{
	return append(q, iov, n, 0);
}

ssize_t
outq_send(struct outq *q, int fd, const struct iovec *iov, int n)
{
	ssize_t sent = 0;
	size_t total = 0;

	for (int i = 0; i < n; i++)
		total += iov[i].iov_len;
	if (outq_left(q) == 0) {
		sent = n == 1 ? write(fd, iov->iov_base, iov->iov_len)
			      : writev(fd, iov, n);
		if (sent == -1 && errno != EAGAIN && errno != EINTR)
			return -1;
		if (sent == -1)
			sent = 0;
	}
	if ((size_t)sent < total && append(q, iov, n, (size_t)sent) == -1)
		return -1;
	return sent;
}

ssize_t
outq_flush(struct outq *q, int fd)
{
	ssize_t sent;

	if (outq_left(q) == 0)
		return 0;
	sent = write(fd, q->p + q->head, outq_left(q));
	if (sent == -1)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	q->head += (uint32_t)sent;
	if (outq_left(q) == 0)
		outq_free(q);
	return sent;
}
