/* Credit of streams: what we grant, and who goes when there is no more. */
#include "common/base/buf.h"
#include "common/tunnel/tunnel_impl.h"

#define RTT_FLOOR 1000 /* us: do not take loopback's for the truth */

/* Bytes that have come and that nobody has taken yet. */
static uint32_t
held(const struct stream *s)
{
	return s->window - s->rx_left - s->rx_owed;
}

void
stream_held(struct stream *s)
{
	if (!s->stall.in)
		budget_stalled(
		    s->tunnel->budget, &s->stall, turn_now(s->tunnel->turn));
}

/* Its reader goes on: it stands behind all that wait longer. */
static void
note_progress(struct stream *s)
{
	if (held(s) == 0)
		budget_moved(s->tunnel->budget, &s->stall);
	else
		budget_stalled(
		    s->tunnel->budget, &s->stall, turn_now(s->tunnel->turn));
}

bool
stream_relieve(struct tunnel *t, uint64_t n)
{
	struct budget_stall *stall =
	    budget_victim(t->budget, n, turn_now(t->turn));
	struct stream *s;
	void *owner;

	if (stall == NULL)
		return false;
	s = (struct stream *)((char *)stall - offsetof(struct stream, stall));
	owner = s->owner;
	t = s->tunnel;
	stream_end(s, RESET_LIMIT);
	if (owner != NULL)
		t->ops->reset(owner, RESET_LIMIT);
	return true;
}

/*
 * Double the window if a whole one was drained within two round trips: then
 * it is the window that limits the speed.
 */
static uint32_t
growth(struct stream *s, uint32_t granted)
{
	struct tunnel *t = s->tunnel;
	uint32_t now = (uint32_t)turn_now(t->turn);
	uint64_t rtt = t->rtt_us > RTT_FLOOR ? t->rtt_us : RTT_FLOOR;
	bool fast;

	s->epoch += granted;
	if (s->epoch < s->window)
		return 0;
	fast = now - s->epoch_at <= 2 * rtt;
	s->epoch = 0;
	s->epoch_at = now;
	if (!fast || s->window * 2 > TUNNEL_WINDOW_MAX ||
	    budget_is_short(t->budget) || !budget_take(t->budget, s->window))
		return 0;
	s->window *= 2;
	return s->window / 2;
}

/* How much of a grant is kept back: while it is short, nobody has much. */
static uint32_t
shrinkage(struct stream *s, uint32_t granted)
{
	uint32_t most;

	if (s->window <= TUNNEL_WINDOW || !budget_is_short(s->tunnel->budget))
		return 0;
	most = s->window - TUNNEL_WINDOW;
	if (most > granted / 2)
		most = granted / 2;
	s->window -= most;
	budget_give(s->tunnel->budget, most);
	return most;
}

void
stream_consumed(struct stream *s, size_t n)
{
	uint8_t payload[4];
	uint32_t grant;
	struct buf b;

	s->rx_owed += (uint32_t)n;
	note_progress(s);
	if (s->fin_received || s->rx_owed < s->window / 2)
		return;
	grant = s->rx_owed + growth(s, s->rx_owed);
	grant -= shrinkage(s, grant);
	s->rx_owed = 0;
	s->rx_left += grant;
	buf_write(&b, payload, sizeof(payload));
	buf_put_u32(&b, grant);
	tunnel_out_frame(s->tunnel, s->id, FRAME_CREDIT, payload, 4);
}
