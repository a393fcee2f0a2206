/*
 * Datagrams in a tunnel: cut into frames where one does not hold them, and put
 * together again. While the line takes no more they wait whole, beside the
 * output, so that the oldest can still be dropped.
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
	bool waits = o->head < o->tail || o->later.ring.used > 0;
	uint64_t now, us;
	size_t most;

	if (!o->limited && !waits)
		return;
	now = turn_now(t->turn);
	if (!o->limited) {
		o->limited = true;
		o->since = now;
		o->taken = 0;
		return;
	}
	o->taken += n;
	us = now - o->since;
	if (waits && us < SAMPLE_US)
		return;
	most = (size_t)(o->taken * TUNNEL_DGRAM_US / (us == 0 ? 1 : us));
	if (most < TUNNEL_DGRAM_LEAST)
		most = TUNNEL_DGRAM_LEAST;
	if (most > TUNNEL_DGRAM_MOST)
		most = TUNNEL_DGRAM_MOST;
	if (us >= SAMPLE_US || (o->later_most != 0 && most > o->later_most))
		o->later_most = most;
	o->limited = waits;
	o->since = now;
	o->taken = 0;
}

static bool
has_room(struct tunnel_out *o, size_t cost)
{
	const size_t end = TUNNEL_OUT_DATA + TUNNEL_OUT_DGRAM;

	if (o->dgram + cost > TUNNEL_OUT_DGRAM)
		return false;
	if (o->tail + cost > end)
		tunnel_out_compact(o);
	return o->tail + cost <= end;
}

/*
 * Whether one may go into the output now. What does not fit may leave before
 * the turn ends; but not while streams wait, which would find the socket busy
 * each time.
 */
static bool
goes_now(struct tunnel *t, size_t cost)
{
	struct tunnel_out *o = &t->out;

	if (o->busy || o->later.ring.used > 0)
		return false;
	if (has_room(o, cost))
		return true;
	if (t->waiting != NULL)
		return false;
	tunnel_out_flush(t);
	return t->doom == NULL && !o->busy && tunnel_out_init(t) == 0 &&
	    has_room(o, cost);
}

static int
put_frames(struct tunnel *t, uint32_t stream, const uint8_t *p, size_t n)
{
	t->out.dgram += cost_of(n);
	for (; n > FRAME_PAYLOAD_MAX; n -= FRAME_PAYLOAD_MAX) {
		if (tunnel_out_frame(t, stream, FRAME_DGRAM_PART, p,
			FRAME_PAYLOAD_MAX) == -1)
			return -1;
		p += FRAME_PAYLOAD_MAX;
	}
	return tunnel_out_frame(t, stream, FRAME_DGRAM, p, n);
}

static void
lose(struct tunnel *t, const struct late_item *i)
{
	struct stream *s;

	late_take(&t->out.later, t->budget, i);
	s = stream_find(t, i->id);
	if (s != NULL && s->owner != NULL)
		t->ops->dgram_lost(s->owner);
}

/* It waits; for it the oldest go, where there is a bound. */
static int
put_later(struct tunnel *t, uint32_t stream, const void *p, size_t n)
{
	struct tunnel_out *o = &t->out;
	struct late_item first;
	size_t most;

	if (o->limited)
		tunnel_dgram_learn(t, 0); /* it may not move at all */
	most = o->later_most == 0 ? TUNNEL_DGRAM_MOST : o->later_most;
	while (late_put(&o->later, t->budget, stream, p, n, most) == -1) {
		if (!late_first(&o->later, &first))
			return -1;
		lose(t, &first);
	}
	o->later_used = true;
	return 0;
}

void
tunnel_dgram_move(struct tunnel *t)
{
	struct tunnel_out *o = &t->out;
	struct late_item i;

	while (late_first(&o->later, &i)) {
		if (t->doom != NULL || tunnel_out_init(t) == -1 ||
		    !has_room(o, cost_of(i.n)))
			return;
		if (stream_find(t, i.id) != NULL)
			put_frames(t, i.id, i.p, i.n);
		late_take(&o->later, t->budget, &i);
	}
}

void
tunnel_dgram_rest(struct tunnel *t)
{
	struct tunnel_out *o = &t->out;

	if (!o->later_used && o->later.ring.used == 0)
		late_free(&o->later, t->budget);
	o->later_used = false;
}

void
tunnel_dgram_forget(struct tunnel *t)
{
	late_free(&t->out.later, t->budget);
}

int
stream_dgram(struct stream *s, const void *p, size_t n)
{
	struct tunnel *t = s->tunnel;

	if (n > TUNNEL_DGRAM_MAX || t->dead || t->doom != NULL ||
	    tunnel_out_init(t) == -1)
		return -1;
	return goes_now(t, cost_of(n)) ? put_frames(t, s->id, p, n)
				       : put_later(t, s->id, p, n);
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
		t->ops->dgrams_opened(owner);
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
