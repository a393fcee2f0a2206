/* The input of a tunnel: records opened and frames parsed in place. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/crypto/record.h"
#include "common/tunnel/scheme.h"
#include "common/tunnel/tunnel_impl.h"

#define PARTIAL_MAX (RECORD_HEAD + RECORD_MAX) /* also above any bare frame */

void
tunnel_in_hand_on(struct tunnel *t)
{
	struct stream *s = t->gather;

	if (s == NULL)
		return;
	t->gather = NULL;
	if (s->owner != NULL && s->dgram)
		t->ops->dgrams(s->owner, t->gathered, t->ngathered);
	else if (s->owner != NULL)
		t->ops->data(
		    s->owner, t->gathered, t->ngathered, t->gather_bytes);
	else if (!s->dgram) /* it has left meanwhile */
		stream_consumed(s, t->gather_bytes);
}

int
tunnel_in_gather(struct tunnel *t, struct stream *s, uint8_t *p, size_t n)
{
	uint32_t id = s->id;

	if (t->gather != s || t->ngathered == TUNNEL_GATHER) {
		tunnel_in_hand_on(t);
		/* That may have ended s, or everything. */
		if (t->dead || stream_find(t, id) != s)
			return 0;
		t->gather = s;
		t->ngathered = 0;
		t->gather_bytes = 0;
	}
	t->gathered[t->ngathered].iov_base = p;
	t->gathered[t->ngathered++].iov_len = n;
	t->gather_bytes += n;
	return 0;
}

static int
take_data(struct tunnel *t, struct stream *s, uint8_t *p, size_t n)
{
	if (n > s->rx_left || s->fin_received) {
		tunnel_fail(t, "data beyond credit");
		return -1;
	}
	s->rx_left -= (uint32_t)n;
	stream_held(s);
	return tunnel_in_gather(t, s, p, n);
}

static int
take_credit(struct tunnel *t, struct stream *s, const uint8_t *p)
{
	uint32_t v = 0;
	struct buf b;

	buf_read(&b, p, 4);
	buf_get_u32(&b, &v);
	if (v == 0 || v > TUNNEL_CREDIT_MAX - s->tx_credit) {
		tunnel_fail(t, "bad credit");
		return -1;
	}
	s->tx_credit += v;
	/* Having credit now it waits for room like the others. */
	if (s->starved && (t->out.busy || t->waiting != NULL))
		stream_wait(s);
	else if (s->starved)
		stream_wake(s);
	return 0;
}

void
tunnel_in_answer(struct tunnel *t, struct stream *s)
{
	if (s->answered)
		return;
	s->answered = true;
	t->unanswered--;
}

/* A frame of a stream whose owner has left: only its end matters. */
static int
orphan_frame(struct tunnel *t, struct stream *s, const struct frame *f)
{
	if (f->type == FRAME_DATA) {
		if (f->n > s->rx_left) {
			tunnel_fail(t, "data beyond credit");
			return -1;
		}
		s->rx_left -= f->n;
		stream_consumed(s, f->n);
	} else if (f->type == FRAME_FIN || f->type == FRAME_RESET) {
		stream_drop(s);
	} else if (f->type == FRAME_OPENED) {
		tunnel_in_answer(t, s);
	}
	return 0;
}

/* A frame of a stream that exists. */
static int
stream_frame(
    struct tunnel *t, struct stream *s, const struct frame *f, uint8_t *p)
{
	void *owner = s->owner;

	if (s->dgram)
		return tunnel_dgram_control(t, s, f, p);
	switch (f->type) {
	case FRAME_DATA:
		return take_data(t, s, p, f->n);
	case FRAME_CREDIT:
		return take_credit(t, s, p);
	case FRAME_OPENED:
		tunnel_in_answer(t, s);
		t->ops->opened(owner);
		return 0;
	case FRAME_FIN:
		if (s->fin_received) {
			tunnel_fail(t, "FIN twice");
			return -1;
		}
		s->fin_received = true;
		t->ops->fin(owner);
		return 0;
	case FRAME_RESET:
		tunnel_in_answer(t, s);
		stream_drop(s);
		t->ops->reset(owner, (enum reset)p[0]);
		return 0;
	default:
		return -1;
	}
}

static int
take_open(struct tunnel *t, const struct frame *f, const uint8_t *p)
{
	struct tunnel_open o = { 0 };
	uint32_t window = 0, first;
	struct stream *s;
	bool dgram;
	struct buf b;

	buf_read(&b, p, f->n);
	buf_get_u16(&b, &o.service);
	buf_get_u8(&b, &o.scheme);
	addr_get(&b, &o.peer);
	addr_get(&b, &o.local);
	buf_get_u32(&b, &window);
	if (!buf_done(&b) || (f->stream & 1) != 0 || f->stream <= t->last_id ||
	    window > TUNNEL_CREDIT_MAX ||
	    (o.scheme == SCHEME_UDP && window != 0)) {
		tunnel_fail(t, "bad OPEN");
		return -1;
	}
	t->last_id = f->stream;
	dgram = o.scheme == SCHEME_UDP;
	first = dgram ? 0 : TUNNEL_WINDOW;
	s = stream_new(t, f->stream, first);
	if (s == NULL && stream_relieve(t, first))
		s = t->dead ? NULL : stream_new(t, f->stream, first);
	if (t->dead)
		return -1;
	if (s == NULL) {
		uint8_t reason = RESET_LIMIT;

		return tunnel_out_frame(t, f->stream, FRAME_RESET, &reason, 1);
	}
	s->tx_credit = window;
	s->dgram = dgram;
	t->ops->open(t->arg, s, &o);
	return 0;
}

static void
take_pong(struct tunnel *t, const uint8_t *p)
{
	uint64_t sent = 0, now = turn_now(t->turn);
	struct buf b;

	buf_read(&b, p, 8);
	buf_get_u64(&b, &sent);
	if (!t->ping_out || sent != t->pinged || now < sent)
		return;
	t->ping_out = false;
	/* Smoothed as TCP does it (RFC 6298, section 2). */
	if (t->rtt_us == 0)
		t->rtt_us = (uint32_t)(now - sent);
	else
		t->rtt_us =
		    (uint32_t)((7 * (uint64_t)t->rtt_us + (now - sent)) / 8);
}

static int
frame(struct tunnel *t, const struct frame *f, uint8_t *p)
{
	struct stream *s;
	int rc;

	if ((rc = tunnel_dgram_frame(t, f, p)) != 0)
		return rc == 1 ? 0 : -1;
	if (f->type == FRAME_OPEN)
		return take_open(t, f, p);
	if (f->stream == 0) {
		switch (f->type) {
		case FRAME_PING:
			return tunnel_control(t, FRAME_PONG, p, f->n);
		case FRAME_PONG:
			take_pong(t, p);
			return 0;
		default:
			if (t->ops->control(t->arg, f->type, p, f->n) == 0)
				return 0;
			tunnel_fail(t, "malformed control frame");
			return -1;
		}
	}
	if ((s = stream_find(t, f->stream)) != NULL) {
		if (f->type != FRAME_DATA && t->gather == s) {
			tunnel_in_hand_on(t);
			if (t->dead)
				return -1;
			if (stream_find(t, f->stream) != s)
				return 0;
		}
		return s->owner == NULL ? orphan_frame(t, s, f)
					: stream_frame(t, s, f, p);
	}
	/* Closed: a late frame. Never opened: nonsense. */
	if ((f->stream & 1) == 0 && f->stream <= t->last_id)
		return 0;
	tunnel_fail(t, "frame of a stream that was never opened");
	return -1;
}

/* Parse whole frames; returns how many bytes they took, or -1. */
static ssize_t
frames(struct tunnel *t, uint8_t *p, size_t n)
{
	size_t at = 0;
	struct frame f;

	while (n - at >= FRAME_HEAD) {
		if (frame_parse(&f, p + at, !t->server) == -1) {
			tunnel_fail(t, "broken frame");
			return -1;
		}
		if (n - at - FRAME_HEAD < f.n)
			break;
		if (frame(t, &f, p + at + FRAME_HEAD) == -1 || t->dead)
			return -1;
		at += FRAME_HEAD + f.n;
	}
	return (ssize_t)at;
}

/* The same for sealed records: frames never cross their borders. */
static ssize_t
records(struct tunnel *t, uint8_t *p, size_t n)
{
	size_t at = 0;
	ssize_t len, plain;

	while ((len = record_length(p + at, n - at)) > 0 &&
	    (size_t)len <= n - at) {
		plain = record_open(t->rx, p + at, (size_t)len);
		if (plain == -1) {
			tunnel_fail(t, "record that does not verify");
			return -1;
		}
		if (frames(t, p + at + RECORD_HEAD, (size_t)plain) != plain) {
			tunnel_fail(t, "frame across records");
			return -1;
		}
		at += (size_t)len;
	}
	if (len == -1) {
		tunnel_fail(t, "bad record length");
		return -1;
	}
	return (ssize_t)at;
}

static int
keep_partial(struct tunnel *t, const uint8_t *p, size_t n)
{
	t->npartial = n;
	if (n == 0) {
		free(t->partial);
		t->partial = NULL;
		return 0;
	}
	if (n > PARTIAL_MAX)
		return -1;
	if (t->partial == NULL && (t->partial = malloc(PARTIAL_MAX)) == NULL)
		return -1;
	memcpy(t->partial, p, n);
	return 0;
}

/* Parse what is in the scratch buffer. */
static void
parse(struct tunnel *t, uint8_t *p, size_t n)
{
	ssize_t used;

	used = t->rx != NULL ? records(t, p, n) : frames(t, p, n);
	if (used != -1 && !t->dead)
		tunnel_in_hand_on(t);
	t->gather = NULL;
	if (t->dead)
		return;
	if (used == -1 || keep_partial(t, p + used, n - (size_t)used) == -1)
		tunnel_fail(t, "cannot keep a partial record");
}

/* Read once. Returns how many bytes came; 0: no more, for now or for good. */
static size_t
read_once(struct tunnel *t)
{
	uint8_t *p = turn_scratch(t->turn);
	ssize_t n;

	if (t->npartial > 0)
		memcpy(p, t->partial, t->npartial);
	n = read(t->fd, p + t->npartial, TURN_READ);
	if (n == 0) {
		tunnel_fail(t, "closed by the peer");
		return 0;
	}
	if (n == -1) {
		if (errno != EAGAIN && errno != EINTR)
			tunnel_fail(t, strerror(errno));
		return 0;
	}
	t->heard = turn_now(t->turn);
	parse(t, p, t->npartial + (size_t)n);
	return (size_t)n;
}

/*
 * Until there is no more: a short read says nothing of a reset that came
 * along with the data, and no other event would tell of it.
 */
void
tunnel_in_read(struct tunnel *t)
{
	size_t n, sum = 0;

	do {
		n = t->dead ? 0 : read_once(t);
		sum += n;
	} while (n > 0 && sum < TURN_READ);
	if (n > 0 && !t->dead)
		turn_next(t->turn, &t->again);
}
