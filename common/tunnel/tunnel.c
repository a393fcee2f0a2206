/* One connection of the tunnel: life, liveness and control frames. */
#include "common/tunnel/tunnel.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/crypto/record.h"
#include "common/tunnel/tunnel_impl.h"

/* Nothing is left but to free it. */
static void
close_socket(struct tunnel *t)
{
	event_del(t->ev);
	close(t->fd);
	t->fd = -1;
	turn_end(t->turn, &t->bury);
}

/* Until the peer has closed too, or the time is up. */
static void
drop_input(struct tunnel *t, bool late)
{
	ssize_t n = 1;

	for (size_t sum = 0; n > 0 && sum < TURN_READ; sum += (size_t)n)
		n = read(t->fd, turn_scratch(t->turn), TURN_READ);
	if (n == -1 && errno == EAGAIN && !late)
		return;
	t->farewell = false;
	close_socket(t);
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct tunnel *t = arg;

	(void)fd;
	if (t->farewell) {
		drop_input(t, (what & EV_TIMEOUT) != 0);
		return;
	}
	if ((what & EV_WRITE) && t->out.busy)
		tunnel_out_flush(t);
	if ((what & (EV_READ | EV_CLOSED)) && !t->dead)
		tunnel_in_read(t);
}

static void
on_again(void *arg)
{
	struct tunnel *t = arg;

	tunnel_in_read(t);
}

static void
on_doom(void *arg)
{
	struct tunnel *t = arg;

	tunnel_fail(t, t->doom);
}

/* At the end of the turn, not below who wanted to open one. */
static void
on_relieve(void *arg)
{
	struct tunnel *t = arg;

	if (!t->dead)
		stream_relieve(t, TUNNEL_WINDOW);
}

static void
bury(void *arg)
{
	struct tunnel *t = arg;

	turn_cancel(&t->flush);
	turn_cancel(&t->again);
	turn_cancel(&t->wake);
	turn_cancel(&t->fail);
	turn_cancel(&t->relieve);
	event_free(t->ev);
	tunnel_out_free(t);
	record_free(t->tx);
	record_free(t->rx);
	free(t->streams.slot);
	free(t->partial);
	free(t->part);
	free(t);
}

struct tunnel *
tunnel_new(struct turn *turn, int fd, bool server, struct record *tx,
    struct record *rx, struct tunnel_budget *budget,
    const struct tunnel_ops *ops, void *arg)
{
	struct tunnel *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->turn = turn;
	t->ops = ops;
	t->arg = arg;
	t->server = server;
	t->budget = budget;
	t->waiting_tail = &t->waiting;
	deadlines_init(&t->leaving, TUNNEL_LEAVE_US);
	turn_item_init(&t->flush, tunnel_out_flush, t);
	turn_item_init(&t->wake, tunnel_out_wake, t);
	turn_item_init(&t->again, on_again, t);
	turn_item_init(&t->fail, on_doom, t);
	turn_item_init(&t->relieve, on_relieve, t);
	turn_item_init(&t->bury, bury, t);
	/* Edge triggered both ways: no epoll_ctl(2) ever again. */
	t->ev = event_new(turn_base(turn), fd,
	    EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, on_event, t);
	if (t->ev == NULL || tunnel_out_init(t) == -1 ||
	    event_add(t->ev, NULL) == -1)
		goto err0;
	t->fd = fd;
	t->tx = tx;
	t->rx = rx;
	t->heard = turn_now(turn);
	tunnel_ping(t);
	return t;

err0:
	if (t->ev != NULL)
		event_free(t->ev);
	tunnel_out_free(t);
	free(t);
	return NULL;
}

/* Every stream ends with the tunnel, and never cleanly. */
static void
end_streams(struct tunnel *t)
{
	tunnel_dgram_forget(t);
	for (size_t i = 0; i < t->streams.size; i++) {
		struct stream *s;

		while ((s = t->streams.slot[i]) != NULL) {
			void *owner = s->owner;
			bool dgram = s->dgram;

			stream_drop(s);
			if (owner != NULL && dgram)
				t->ops->dgrams_end(owner, RESET_GONE);
			else if (owner != NULL)
				t->ops->reset(owner, RESET_GONE);
		}
	}
}

void
tunnel_close(struct tunnel *t)
{
	if (t->dead)
		return;
	t->dead = true;
	close_socket(t);
	end_streams(t);
}

void
tunnel_leave(struct tunnel *t)
{
	static const struct timeval most = { TUNNEL_FAREWELL_MS / 1000, 0 };

	if (t->dead)
		return;
	tunnel_out_flush(t);
	t->dead = true;
	if (t->doom == NULL && shutdown(t->fd, SHUT_WR) == 0 &&
	    event_add(t->ev, &most) == 0) {
		t->farewell = true;
		drop_input(t, false);
	} else {
		close_socket(t);
	}
	end_streams(t);
}

void
tunnel_fail(struct tunnel *t, const char *why)
{
	if (t->dead)
		return;
	tunnel_close(t);
	t->ops->ended(t->arg, why);
}

void
tunnel_doom(struct tunnel *t, const char *why)
{
	if (t->dead || t->doom != NULL)
		return;
	t->doom = why;
	turn_end(t->turn, &t->fail);
}

int
tunnel_control(struct tunnel *t, uint8_t type, const void *p, size_t n)
{
	return tunnel_out_frame(t, 0, type, p, n);
}

void
tunnel_ping(struct tunnel *t)
{
	uint8_t payload[8];
	struct buf b;

	t->pinged = turn_now(t->turn);
	t->ping_out = true;
	buf_write(&b, payload, sizeof(payload));
	buf_put_u64(&b, t->pinged);
	tunnel_control(t, FRAME_PING, payload, sizeof(payload));
}

void
tunnel_tick(struct tunnel *t, uint64_t idle_us, uint64_t dead_us)
{
	uint64_t now = turn_now(t->turn);
	struct deadline *late;

	while (!t->dead && (late = deadlines_due(&t->leaving, now)) != NULL)
		stream_end(stream_of_leaving(late), RESET_ABORT);
	if (t->dead)
		return;
	tunnel_dgram_rest(t);
	if (dead_us > 0 && now > t->heard + dead_us) {
		tunnel_fail(t, "no answer from the peer");
		return;
	}
	/* While it is in use the round trip is measured all the time. */
	if ((now > t->heard + idle_us || t->streams.count > 0) &&
	    (!t->ping_out || now > t->pinged + idle_us))
		tunnel_ping(t);
}

uint64_t
tunnel_heard(const struct tunnel *t)
{
	return t->heard;
}

bool
tunnel_busy(const struct tunnel *t)
{
	return t->out.busy;
}

void
tunnel_flush(struct tunnel *t)
{
	tunnel_out_flush(t);
}

bool
tunnel_flushed(const struct tunnel *t)
{
	return t->out.head == t->out.tail && t->out.later.ring.used == 0;
}

size_t
tunnel_streams(const struct tunnel *t)
{
	return t->streams.count;
}

size_t
tunnel_unanswered(const struct tunnel *t)
{
	return t->unanswered;
}

uint32_t
tunnel_rtt_us(const struct tunnel *t)
{
	return t->rtt_us;
}

int
tunnel_fd(const struct tunnel *t)
{
	return t->fd;
}
