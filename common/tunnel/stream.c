/* Streams of a tunnel: the table, what waits for room, and their ends. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/tunnel/scheme.h"
#include "common/tunnel/tunnel_impl.h"

#define TABLE_FIRST 16

/* Both ends' numbers differ in the lowest bit only by who opened. */
static size_t
slot_of(const struct stream_table *t, uint32_t id)
{
	return (id >> 1) & (t->size - 1);
}

struct stream *
stream_find(const struct tunnel *t, uint32_t id)
{
	struct stream *s;

	if (t->streams.size == 0)
		return NULL;
	s = t->streams.slot[slot_of(&t->streams, id)];
	while (s != NULL && s->id != id)
		s = s->chain;
	return s;
}

static int
grow(struct stream_table *t)
{
	struct stream_table bigger = { .count = t->count };

	if (t->count < t->size)
		return 0;
	bigger.size = t->size == 0 ? TABLE_FIRST : t->size * 2;
	bigger.slot = calloc(bigger.size, sizeof(*bigger.slot));
	if (bigger.slot == NULL)
		return -1;
	for (size_t i = 0; i < t->size; i++) {
		struct stream *s, *next;

		for (s = t->slot[i]; s != NULL; s = next) {
			struct stream **to;

			next = s->chain;
			to = &bigger.slot[slot_of(&bigger, s->id)];
			s->chain = *to;
			*to = s;
		}
	}
	free(t->slot);
	*t = bigger;
	return 0;
}

struct stream *
stream_new(struct tunnel *t, uint32_t id, uint32_t window)
{
	struct stream *s, **to;

	if (grow(&t->streams) == -1 || (s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	if (!budget_take(t->budget, window)) {
		free(s);
		errno = ENOBUFS;
		return NULL;
	}
	s->tunnel = t;
	s->id = id;
	s->window = s->rx_left = window;
	s->epoch_at = (uint32_t)turn_now(t->turn);
	to = &t->streams.slot[slot_of(&t->streams, id)];
	s->chain = *to;
	*to = s;
	t->streams.count++;
	return s;
}

static void
stop_waiting(struct stream *s)
{
	if (s->left || s->wait_prev == NULL)
		return;
	*s->wait_prev = s->wait_next;
	if (s->wait_next != NULL)
		s->wait_next->wait_prev = s->wait_prev;
	else
		s->tunnel->waiting_tail = s->wait_prev;
	s->wait_prev = NULL;
}

/*
 * Where s belongs in the queue: at its end or, if it was called in vain, at
 * its old place, which is among the first.
 */
static struct stream **
wait_place(struct stream *s)
{
	struct tunnel *t = s->tunnel;
	struct stream **at = &t->waiting;

	if (!s->called) {
		s->wait_turn = t->wait_turns++;
		return t->waiting_tail;
	}
	while (*at != NULL && (*at)->wait_turn < s->wait_turn)
		at = &(*at)->wait_next;
	return at;
}

void
stream_wait(struct stream *s)
{
	struct stream **at;

	s->starved = true;
	/* Without credit only CREDIT helps; then there is no need to queue. */
	if (s->tx_credit == 0 || s->wait_prev != NULL || s->tunnel->dead)
		return;
	at = wait_place(s);
	s->wait_next = *at;
	if (s->wait_next != NULL)
		s->wait_next->wait_prev = &s->wait_next;
	else
		s->tunnel->waiting_tail = &s->wait_next;
	s->wait_prev = at;
	*at = s;
	/* Room comes with the next flush, which must happen then. */
	if (!s->tunnel->out.busy)
		turn_end(s->tunnel->turn, &s->tunnel->flush);
}

void
stream_wake(struct stream *s)
{
	stop_waiting(s);
	s->starved = false;
	s->called = true;
	s->tunnel->ops->room(s->owner);
}

void
stream_drop(struct stream *s)
{
	struct tunnel *t = s->tunnel;
	struct stream **at = &t->streams.slot[slot_of(&t->streams, s->id)];

	while (*at != s)
		at = &(*at)->chain;
	*at = s->chain;
	t->streams.count--;
	if (s->left)
		deadline_drop(&s->leaving);
	else
		stop_waiting(s);
	if (!s->answered && t->server)
		t->unanswered--;
	budget_moved(t->budget, &s->stall);
	budget_give(t->budget, s->window);
	if (t->gather == s)
		t->gather = NULL;
	free(s);
}

struct stream *
tunnel_open(struct tunnel *t, const struct tunnel_open *o, void *owner)
{
	bool dgram = o->scheme == SCHEME_UDP;
	uint32_t window = dgram ? 0 : budget_window(t->budget, TUNNEL_WINDOW);
	uint8_t payload[64];
	struct stream *s;
	struct buf b;

	if (t->dead || t->doom != NULL)
		return NULL;
	if (t->last_id > UINT32_MAX - 4) {
		tunnel_doom(t, "its stream numbers are used up");
		return NULL;
	}
	if ((s = stream_new(t, t->last_id + 2, window)) == NULL) {
		if (errno == ENOBUFS)
			turn_end(t->turn, &t->relieve);
		return NULL;
	}
	t->last_id += 2;
	t->unanswered++;
	s->dgram = dgram;
	s->tx_credit = dgram ? 0 : TUNNEL_WINDOW;
	buf_write(&b, payload, sizeof(payload));
	buf_put_u16(&b, o->service);
	buf_put_u8(&b, o->scheme);
	addr_put(&b, &o->peer);
	addr_put(&b, &o->local);
	buf_put_u32(&b, window);
	if (tunnel_out_frame(t, s->id, FRAME_OPEN, payload, buf_used(&b)) ==
	    -1) {
		stream_drop(s);
		return NULL;
	}
	s->owner = owner;
	return s;
}

void
stream_opened(struct stream *s)
{
	tunnel_out_frame(s->tunnel, s->id, FRAME_OPENED, NULL, 0);
}

void
stream_set_owner(struct stream *s, void *owner)
{
	s->owner = owner;
}

struct tunnel *
stream_tunnel(const struct stream *s)
{
	return s->tunnel;
}

uint32_t
stream_id(const struct stream *s)
{
	return s->id;
}

size_t
stream_write(struct stream *s, const void *p, size_t n)
{
	struct iovec iov[TUNNEL_IOV];
	size_t done = 0;

	while (done < n) {
		int pieces = stream_reserve(s, n - done, iov);
		size_t filled = 0;

		if (pieces == 0)
			break;
		for (int i = 0; i < pieces; i++) {
			memcpy(iov[i].iov_base, (const char *)p + done + filled,
			    iov[i].iov_len);
			filled += iov[i].iov_len;
		}
		stream_commit(s, iov, filled);
		done += filled;
	}
	return done;
}

size_t
stream_room(struct stream *s)
{
	struct iovec iov[TUNNEL_IOV];
	size_t sum = 0;
	int n = stream_reserve(s, SIZE_MAX, iov);

	for (int i = 0; i < n; i++)
		sum += iov[i].iov_len;
	return sum;
}

void
stream_fin(struct stream *s)
{
	if (s->fin_sent)
		return;
	s->fin_sent = true;
	tunnel_out_frame(s->tunnel, s->id, FRAME_FIN, NULL, 0);
}

void
stream_end(struct stream *s, enum reset reason)
{
	struct tunnel *t = s->tunnel;
	uint8_t code = (uint8_t)reason;
	bool clean = s->fin_sent && s->fin_received;
	uint32_t id = s->id;

	stream_drop(s);
	if (!clean)
		tunnel_out_frame(t, id, FRAME_RESET, &code, 1);
}

void
stream_leave(struct stream *s)
{
	struct tunnel *t = s->tunnel;

	stream_fin(s);
	if (t->dead || s->fin_received) {
		stream_end(s, RESET_ABORT);
		return;
	}
	stop_waiting(s);
	s->owner = NULL;
	s->left = true;
	s->leaving = (struct deadline){ 0 };
	deadline_set(&t->leaving, &s->leaving, turn_now(t->turn));
}

struct stream *
stream_of_leaving(struct deadline *d)
{
	return (struct stream *)((char *)d - offsetof(struct stream, leaving));
}

bool
stream_fin_sent(const struct stream *s)
{
	return s->fin_sent;
}

bool
stream_fin_received(const struct stream *s)
{
	return s->fin_received;
}
