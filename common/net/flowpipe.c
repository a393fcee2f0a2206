/* Flows of datagrams over a stream socketpair. */
#include "common/net/flowpipe.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/ring.h"

#define OPEN_SIZE (FLOWPIPE_HEAD + 2 * ADDR_WIRE)
#define PARTS (1 + 2 * RING_PARTS) /* of what waits */

struct flowpipe {
	int fd;
	bool blocked;		     /* the kernel took less than all */
	struct ring control, dgrams; /* whole frames */
	uint8_t *cut; /* what is left of a frame that has begun to leave */
	size_t ncut, cut_at;
	uint8_t *partial; /* the beginning of a frame that is still coming */
	size_t npartial;
	uint64_t drops;
	bool used; /* since flowpipe_rest() */
};

struct flowpipe *
flowpipe_new(int fd)
{
	struct flowpipe *f;

	if ((f = calloc(1, sizeof(*f))) != NULL)
		f->fd = fd;
	return f;
}

void
flowpipe_free(struct flowpipe *f)
{
	if (f == NULL)
		return;
	close(f->fd);
	ring_free(&f->control);
	ring_free(&f->dgrams);
	free(f->cut);
	free(f->partial);
	free(f);
}

int
flowpipe_fd(const struct flowpipe *f)
{
	return f->fd;
}

bool
flowpipe_waits(const struct flowpipe *f)
{
	return f->ncut > 0 || f->control.used > 0 || f->dgrams.used > 0;
}

uint64_t
flowpipe_drops(const struct flowpipe *f)
{
	return f->drops;
}

/* Bytes of the frame at p, its head included. */
static size_t
frame_size(const uint8_t *p)
{
	return FLOWPIPE_HEAD +
	    ((size_t)p[5] << 16 | (size_t)p[6] << 8 | (size_t)p[7]);
}

static void
put_head(uint8_t *p, uint32_t flow, enum flow_frame_type type, size_t n)
{
	struct buf b;

	buf_write(&b, p, FLOWPIPE_HEAD);
	buf_put_u32(&b, flow);
	buf_put_u32(&b, (uint32_t)type << 24 | (uint32_t)n);
}

int
flowpipe_open(struct flowpipe *f, uint32_t flow, const struct addr *peer,
    const struct addr *local)
{
	uint8_t *p = ring_put(&f->control, OPEN_SIZE, FLOWPIPE_CONTROL);
	struct buf b;

	if (p == NULL)
		return -1;
	put_head(p, flow, FLOW_OPEN, 2 * ADDR_WIRE);
	buf_write(&b, p + FLOWPIPE_HEAD, 2 * ADDR_WIRE);
	addr_put(&b, peer);
	addr_put(&b, local);
	return 0;
}

int
flowpipe_end(struct flowpipe *f, uint32_t flow)
{
	uint8_t *p = ring_put(&f->control, FLOWPIPE_HEAD, FLOWPIPE_CONTROL);

	if (p == NULL)
		return -1;
	put_head(p, flow, FLOW_END, 0);
	return 0;
}

void
flowpipe_dgram(struct flowpipe *f, uint32_t flow, const void *p, size_t n)
{
	struct ring *q = &f->dgrams;
	size_t size = FLOWPIPE_HEAD + n;
	uint8_t *to;

	if (n > FLOWPIPE_DGRAM_MAX)
		return;
	while (q->used + size > FLOWPIPE_DGRAMS) {
		ring_take(q, frame_size(ring_first(q)));
		f->drops++;
	}
	if ((to = ring_put(q, size, FLOWPIPE_DGRAMS)) == NULL) {
		f->drops++;
		return;
	}
	put_head(to, flow, FLOW_DGRAM, n);
	if (n > 0)
		memcpy(to + FLOWPIPE_HEAD, p, n);
	f->used = true;
	/* An error will be met again by whoever flushes. */
	if (q->used >= FLOWPIPE_EAGER && !f->blocked)
		flowpipe_flush(f);
}

/* Keep what is left of a frame that was cut apart: its last n bytes. */
static int
keep_cut(struct flowpipe *f, const uint8_t *p, size_t n)
{
	if (f->cut == NULL &&
	    (f->cut = malloc(FLOWPIPE_HEAD + FLOWPIPE_DGRAM_MAX)) == NULL)
		return -1;
	f->cut_at = 0;
	f->ncut = n;
	memcpy(f->cut, p, n);
	return 0;
}

/* n bytes of q have left; it begins with a whole frame again. */
static int
consume(struct flowpipe *f, struct ring *q, size_t n)
{
	while (n > 0) {
		const uint8_t *first = ring_first(q);
		size_t size = frame_size(first);

		if (size > n && keep_cut(f, first + n, size - n) == -1)
			return -1;
		ring_take(q, size);
		n -= size < n ? size : n;
	}
	return 0;
}

/* The first n bytes of everything that waits have left. */
static int
sent(struct flowpipe *f, size_t n)
{
	size_t part = n < f->ncut ? n : f->ncut;

	f->cut_at += part;
	f->ncut -= part;
	n -= part;
	part = n < f->control.used ? n : f->control.used;
	if (consume(f, &f->control, part) == -1)
		return -1;
	return consume(f, &f->dgrams, n - part);
}

int
flowpipe_flush(struct flowpipe *f)
{
	struct iovec iov[PARTS];
	ssize_t n;

	while (flowpipe_waits(f)) {
		size_t all = f->ncut + f->control.used + f->dgrams.used;
		int parts = 0;

		if (f->ncut > 0)
			iov[parts++] =
			    (struct iovec){ f->cut + f->cut_at, f->ncut };
		parts += ring_parts(&f->control, iov + parts);
		parts += ring_parts(&f->dgrams, iov + parts);
		n = writev(f->fd, iov, parts);
		f->blocked = n == -1 ? errno == EAGAIN : (size_t)n < all;
		if (n == -1)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		if (sent(f, (size_t)n) == -1)
			return -1;
		if (f->blocked)
			return 0;
	}
	return 0;
}

void
flowpipe_rest(struct flowpipe *f)
{
	bool idle = !f->used && !flowpipe_waits(f);

	f->used = false;
	if (!idle)
		return;
	ring_free(&f->control);
	ring_free(&f->dgrams);
	free(f->cut);
	f->cut = NULL;
}

/* Check a head and take apart what is behind it. */
static int
parse(struct flow_frame *f, const uint8_t *p, size_t n, bool opens)
{
	uint32_t word = 0;
	struct buf b;

	buf_read(&b, p, n);
	buf_get_u32(&b, &f->flow);
	buf_get_u32(&b, &word);
	f->type = (uint8_t)(word >> 24);
	f->n = n - FLOWPIPE_HEAD;
	f->p = p + FLOWPIPE_HEAD;
	if (f->type != FLOW_OPEN)
		return 0;
	addr_get(&b, &f->peer);
	addr_get(&b, &f->local);
	return opens && buf_done(&b) ? 0 : -1;
}

/* Whether a head may stand there, before what is behind it has come. */
static bool
head_valid(const uint8_t *p)
{
	size_t n = frame_size(p) - FLOWPIPE_HEAD;

	switch (p[4]) {
	case FLOW_OPEN:
		return n == 2 * ADDR_WIRE;
	case FLOW_DGRAM:
		return n <= FLOWPIPE_DGRAM_MAX;
	case FLOW_END:
		return n == 0;
	default:
		return false;
	}
}

/* Returns how many bytes whole frames took, or -1. */
static ssize_t
frames(const uint8_t *p, size_t n, bool opens, flowpipe_fn *fn, void *arg)
{
	struct flow_frame f;
	size_t at = 0, size;

	while (n - at >= FLOWPIPE_HEAD) {
		if (!head_valid(p + at))
			return -1;
		size = frame_size(p + at);
		if (size > n - at)
			break;
		if (parse(&f, p + at, size, opens) == -1 || fn(arg, &f) == -1)
			return -1;
		at += size;
	}
	return (ssize_t)at;
}

static int
keep_partial(struct flowpipe *f, const uint8_t *p, size_t n)
{
	f->npartial = n;
	if (n == 0) {
		free(f->partial);
		f->partial = NULL;
		return 0;
	}
	if (f->partial == NULL &&
	    (f->partial = malloc(FLOWPIPE_HEAD + FLOWPIPE_DGRAM_MAX)) == NULL)
		return -1;
	memcpy(f->partial, p, n);
	return 0;
}

ssize_t
flowpipe_read(struct flowpipe *f, uint8_t *scratch, bool opens, flowpipe_fn *fn,
    void *arg)
{
	ssize_t n, used;
	size_t have;

	if (f->npartial > 0)
		memcpy(scratch, f->partial, f->npartial);
	n = read(f->fd, scratch + f->npartial, FLOWPIPE_READ);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n == 0) {
		errno = EPIPE;
		return -1;
	}
	have = f->npartial + (size_t)n;
	used = frames(scratch, have, opens, fn, arg);
	if (used == -1) {
		errno = EBADMSG;
		return -1;
	}
	return keep_partial(f, scratch + used, have - (size_t)used) == -1 ? -1
									  : n;
}
