/*
 * Datagrams in a tunnel: queued whole or dropped, cut into frames where one
 * does not hold them, and put together again.
 */
#include <stdlib.h>
#include <string.h>

#include "common/crypto/record.h"
#include "common/tunnel/tunnel_impl.h"

#define SAMPLE_US 200000 /* a wait that says how fast the line is */

/* Bytes that one of n bytes may take in the buffer, heads and tags included. */
static size_t
cost_of(size_t n)
{
	size_t frames = n / FRAME_PAYLOAD_MAX + 1;

	return n + RECORD_TAG +
	    frames * (FRAME_HEAD + RECORD_HEAD + RECORD_TAG);
}

/*
 * What waits behind a slow line is late when it arrives, so that less may
 * wait the slower it is. A short wait says only that it is not slower.
 */
void
tunnel_dgram_learn(struct tunnel *t, size_t n)
{
	struct tunnel_out *o = &t->out;
	bool waits = o->head < o->tail;
	uint64_t now, us;
	size_t queue;

	if (!o->busy && !waits)
		return;
	now = turn_now(t->turn);
	if (!o->busy) {
		o->busy_at = now;
		o->busy_bytes = 0;
		return;
	}
	o->busy_bytes += n;
	us = now - o->busy_at;
	if (waits && us < SAMPLE_US)
		return;
	queue = (size_t)(o->busy_bytes * TUNNEL_DGRAM_US / (us == 0 ? 1 : us));
	if (queue < TUNNEL_DGRAM_QUEUE)
		queue = TUNNEL_DGRAM_QUEUE;
	if (queue > TUNNEL_OUT_DGRAM)
		queue = TUNNEL_OUT_DGRAM;
	if (us >= SAMPLE_US || (o->queue != 0 && queue > o->queue))
		o->queue = queue;
	o->busy_at = now;
	o->busy_bytes = 0;
}

static bool
has_room(struct tunnel_out *o, size_t cost)
{
	const size_t end = TUNNEL_OUT_DATA + TUNNEL_OUT_DGRAM;
	size_t most = o->queue == 0 ? TUNNEL_OUT_DGRAM : o->queue;

	if (o->dgram + cost > most)
		return false;
	if (o->tail + cost > end)
		tunnel_out_compact(o);
	return o->tail + cost <= end;
}

/*
 * What does not fit may leave before the turn ends; but not while streams
 * wait, which would find the socket busy each time.
 */
static bool
make_room(struct tunnel *t, size_t cost)
{
	if (t->dead || t->doom != NULL || tunnel_out_init(t) == -1)
		return false;
	if (has_room(&t->out, cost))
		return true;
	if (t->out.busy || t->waiting != NULL)
		return false;
	tunnel_out_flush(t);
	return t->doom == NULL && tunnel_out_init(t) == 0 &&
	    has_room(&t->out, cost);
}

int
stream_dgram(struct stream *s, const void *p, size_t n)
{
	struct tunnel *t = s->tunnel;
	const uint8_t *at = p;
	size_t cost = cost_of(n);

	if (n > TUNNEL_DGRAM_MAX || !make_room(t, cost))
		return -1;
	t->out.dgram += cost;
	for (; n > FRAME_PAYLOAD_MAX; n -= FRAME_PAYLOAD_MAX) {
		if (tunnel_out_frame(t, s->id, FRAME_DGRAM_PART, at,
			FRAME_PAYLOAD_MAX) == -1)
			return -1;
		at += FRAME_PAYLOAD_MAX;
	}
	return tunnel_out_frame(t, s->id, FRAME_DGRAM, at, n);
}

/* Keep a piece behind those before it. */
static int
keep(struct tunnel *t, uint32_t id, const uint8_t *p, size_t n)
{
	if (t->part == NULL) {
		if ((t->part = malloc(TUNNEL_DGRAM_MAX)) == NULL) {
			tunnel_fail(t, "out of memory");
			return -1;
		}
		t->npart = 0;
		t->part_id = id;
	}
	if (n > TUNNEL_DGRAM_MAX - t->npart) {
		tunnel_fail(t, "datagram too large");
		return -1;
	}
	if (n > 0)
		memcpy(t->part + t->npart, p, n);
	t->npart += n;
	return 0;
}

/* The last piece has come. */
static int
complete(struct tunnel *t, struct stream *s)
{
	struct iovec iov = { t->part, t->npart };
	uint32_t id = t->part_id;

	tunnel_in_hand_on(t);
	if (t->dead)
		return -1;
	/* That may have ended it. */
	if (s != NULL && stream_find(t, id) == s && s->owner != NULL)
		t->ops->dgrams(s->owner, &iov, 1);
	if (t->dead)
		return -1;
	free(t->part);
	t->part = NULL;
	return 0;
}

/* A frame of datagrams, of a stream that is there or has been. */
static int
take(struct tunnel *t, const struct frame *f, uint8_t *p)
{
	struct stream *s = stream_find(t, f->stream);

	if (s == NULL && ((f->stream & 1) != 0 || f->stream > t->last_id)) {
		tunnel_fail(t, "frame of a stream that was never opened");
		return -1;
	}
	if (s != NULL && !s->dgram) {
		tunnel_fail(t, "datagram on a stream of bytes");
		return -1;
	}
	if (t->part != NULL || f->type == FRAME_DGRAM_PART) {
		if (keep(t, f->stream, p, f->n) == -1)
			return -1;
		return f->type == FRAME_DGRAM_PART ? 0 : complete(t, s);
	}
	return s == NULL ? 0 : tunnel_in_gather(t, s, p, f->n);
}

int
tunnel_dgram_control(
    struct tunnel *t, struct stream *s, const struct frame *f, const uint8_t *p)
{
	void *owner = s->owner;

	switch (f->type) {
	case FRAME_OPENED:
		tunnel_in_answer(t, s);
		return 0;
	case FRAME_RESET:
		tunnel_in_answer(t, s);
		stream_drop(s);
		t->ops->dgrams_end(owner, (enum reset)p[0]);
		return 0;
	default: /* DATA, FIN, CREDIT */
		tunnel_fail(t, "frame of bytes on a stream of datagrams");
		return -1;
	}
}

int
tunnel_dgram_frame(struct tunnel *t, const struct frame *f, uint8_t *p)
{
	bool mine = f->type == FRAME_DGRAM || f->type == FRAME_DGRAM_PART;

	if (t->part != NULL && (!mine || f->stream != t->part_id)) {
		tunnel_fail(t, "datagram that was not ended");
		return -1;
	}
	if (mine)
		return take(t, f, p) == -1 ? -1 : 1;
	return 0;
}
