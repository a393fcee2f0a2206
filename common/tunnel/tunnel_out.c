/*
 * The output of a tunnel. Payload is read from sockets straight into the
 * buffer behind space left for headers; records are sealed where they lie.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/crypto/record.h"
#include "common/tunnel/tunnel_impl.h"

#define OUT_CAP (TUNNEL_OUT_DATA + TUNNEL_OUT_DGRAM + TUNNEL_OUT_CONTROL)
#define PIECE_MIN 512 /* do not begin a frame in less of a record than this */
#define DATA_MIN (RECORD_TAG + RECORD_HEAD + FRAME_HEAD + PIECE_MIN)
#define WAKE_MAX 16 /* streams that are told at a time that there is room */

int
tunnel_out_init(struct tunnel *t)
{
	struct tunnel_out *o = &t->out;

	if (o->p != NULL)
		return 0;
	if ((o->p = malloc(OUT_CAP)) == NULL)
		return -1;
	o->cap = OUT_CAP;
	o->head = o->tail = o->dgram = 0;
	o->open = false;
	return 0;
}

void
tunnel_out_free(struct tunnel *t)
{
	free(t->out.p);
	t->out.p = NULL;
}

/* Seal the open record; its tag goes behind it. */
static int
seal(struct tunnel *t)
{
	struct tunnel_out *o = &t->out;
	ssize_t n;

	if (!o->open)
		return 0;
	n = record_seal(t->tx, o->p + o->rec, o->tail - o->rec - RECORD_HEAD);
	if (n == -1)
		return -1;
	o->tail = o->rec + (size_t)n;
	o->open = false;
	return 0;
}

static size_t
plain_in_record(const struct tunnel_out *o)
{
	return o->open ? o->tail - o->rec - RECORD_HEAD : 0;
}

/* Bytes that a frame of n payload bytes may need at most. */
static size_t
frame_cost(size_t n)
{
	return FRAME_HEAD + n + RECORD_TAG + RECORD_HEAD + RECORD_TAG;
}

void
tunnel_out_compact(struct tunnel_out *o)
{
	if (o->head == 0)
		return;
	memmove(o->p, o->p + o->head, o->tail - o->head);
	o->tail -= o->head;
	if (o->open)
		o->rec -= o->head;
	o->head = 0;
}

/* Make tail the place where a frame of n payload bytes begins. */
static int
place(struct tunnel *t, size_t n)
{
	struct tunnel_out *o = &t->out;

	if (t->tx == NULL)
		return 0;
	if (o->open && plain_in_record(o) + FRAME_HEAD + n > RECORD_PLAIN_MAX &&
	    seal(t) == -1)
		return -1;
	if (!o->open) {
		o->rec = o->tail;
		o->tail += RECORD_HEAD;
		o->open = true;
	}
	return 0;
}

int
tunnel_out_frame(
    struct tunnel *t, uint32_t stream, uint8_t type, const void *p, size_t n)
{
	struct tunnel_out *o = &t->out;

	if (t->dead || t->doom != NULL || n > FRAME_PAYLOAD_MAX)
		return -1;
	if (tunnel_out_init(t) == -1) {
		tunnel_doom(t, "out of memory");
		return -1;
	}
	if (o->tail + frame_cost(n) > o->cap)
		tunnel_out_compact(o);
	if (o->tail + frame_cost(n) > o->cap) {
		tunnel_doom(t, "the peer does not read");
		return -1;
	}
	if (place(t, n) == -1) {
		tunnel_doom(t, "sealing failed");
		return -1;
	}
	frame_head(o->p + o->tail, stream, type, n);
	if (n > 0)
		memcpy(o->p + o->tail + FRAME_HEAD, p, n);
	o->tail += FRAME_HEAD + n;
	if (!o->busy)
		turn_end(t->turn, &t->flush);
	return 0;
}

/* Where data must end. What datagrams take is not theirs. */
static size_t
data_end(const struct tunnel_out *o)
{
	return TUNNEL_OUT_DATA + o->dgram;
}

/* No room for another frame of data. */
static bool
is_full(const struct tunnel_out *o)
{
	return o->tail + DATA_MIN > data_end(o);
}

/*
 * Datagrams that wait go first, or streams would use up the line each time.
 * Call those who have waited longest. Whoever finds the room used up by those
 * before keeps its place; the rest is called in the next turn.
 */
void
tunnel_out_wake(void *arg)
{
	struct tunnel *t = arg;

	if (!t->dead && !t->out.busy)
		tunnel_dgram_move(t);
	for (int i = 0; i < WAKE_MAX && !is_full(&t->out); i++) {
		if (t->dead || t->out.busy || t->waiting == NULL)
			return;
		stream_wake(t->waiting);
	}
	if (!t->dead && t->waiting != NULL)
		turn_next(t->turn, &t->wake);
}

/* Write once. -1: it could not all leave. */
static int
write_out(struct tunnel *t)
{
	struct tunnel_out *o = &t->out;
	ssize_t n;

	if (t->dead || t->doom != NULL)
		return -1;
	if (seal(t) == -1) {
		tunnel_doom(t, "sealing failed");
		return -1;
	}
	n = o->head == o->tail
	    ? 0
	    : write(t->fd, o->p + o->head, o->tail - o->head);
	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		tunnel_doom(t, strerror(errno));
		return -1;
	}
	if (n > 0)
		o->head += (size_t)n;
	tunnel_dgram_learn(t, n > 0 ? (size_t)n : 0);
	o->busy = o->head < o->tail;
	if (o->busy)
		return -1;
	o->head = o->tail = o->dgram = 0;
	return 0;
}

void
tunnel_out_flush(void *arg)
{
	struct tunnel *t = arg;

	do {
		if (write_out(t) == -1)
			return;
		if (t->waiting == NULL)
			tunnel_dgram_move(t);
	} while (t->out.tail > 0);
	/* In the next turn, so that one fast stream leaves the others room. */
	if (t->waiting != NULL)
		turn_next(t->turn, &t->wake);
	else if (t->streams.count == 0)
		tunnel_out_free(t);
}

int
stream_reserve(struct stream *s, size_t want, struct iovec *iov)
{
	struct tunnel *t = s->tunnel;
	struct tunnel_out *o = &t->out;
	size_t at, end, used, n = 0;
	bool open;

	if (want > s->tx_credit)
		want = s->tx_credit;
	/* Nobody goes before those who have waited. */
	if (t->waiting != NULL && !s->called)
		want = 0;
	if (want == 0 || t->dead || o->busy || tunnel_out_init(t) == -1) {
		stream_wait(s);
		return 0;
	}
	at = o->tail;
	end = data_end(o);
	open = o->open;
	used = plain_in_record(o);
	while (n < TUNNEL_IOV && want > 0) {
		size_t len = FRAME_PAYLOAD_MAX;

		if (t->tx != NULL) {
			if (open &&
			    RECORD_PLAIN_MAX - used < FRAME_HEAD + PIECE_MIN) {
				at += RECORD_TAG;
				open = false;
			}
			if (!open) {
				at += RECORD_HEAD;
				used = 0;
				open = true;
			}
			len = RECORD_PLAIN_MAX - used - FRAME_HEAD;
		}
		if (at + FRAME_HEAD + PIECE_MIN > end)
			break;
		if (len > end - at - FRAME_HEAD)
			len = end - at - FRAME_HEAD;
		if (len > want)
			len = want;
		iov[n].iov_base = o->p + at + FRAME_HEAD;
		iov[n++].iov_len = len;
		at += FRAME_HEAD + len;
		used += FRAME_HEAD + len;
		want -= len;
	}
	if (n == 0)
		stream_wait(s);
	return (int)n;
}

void
stream_commit(struct stream *s, const struct iovec *iov, size_t n)
{
	struct tunnel *t = s->tunnel;
	struct tunnel_out *o = &t->out;

	s->tx_credit -= (uint32_t)n;
	s->called = false;
	while (n > 0) {
		uint8_t *head = (uint8_t *)iov->iov_base - FRAME_HEAD;
		size_t len = n < iov->iov_len ? n : iov->iov_len;

		if (o->open && head != o->p + o->tail && seal(t) == -1) {
			tunnel_doom(t, "sealing failed");
			return;
		}
		if (t->tx != NULL && !o->open) {
			o->rec = o->tail;
			o->tail += RECORD_HEAD;
			o->open = true;
		}
		frame_head(head, s->id, FRAME_DATA, len);
		o->tail += FRAME_HEAD + len;
		n -= len;
		iov++;
	}
	turn_end(t->turn, &t->flush);
}
