/*
 * A tunnel against a peer that sends anything. The first byte says which end
 * we are, whether the bytes come sealed, how they are cut, and what we do
 * with streams; the rest is what the peer sends.
 *
 * Whatever comes: no stream outlives its tunnel, no budget is overdrawn, and
 * everything is given back.
 */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdbool.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/crypto/record.h"
#include "common/tunnel/scheme.h"
#include "common/tunnel/tunnel.h"
#include "common/tunnel/turn.h"

#define STREAMS 64 /* that we keep; others are refused */
#define OWN 3	   /* that we open, as a server */
#define TURNS 6	   /* until everything that came has been dealt with */

enum { AS_SERVER = 1, SEALED = 2, ANSWER = 4, LAZY = 8, SLOW = 16, LEAVE = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct owner {
	struct peer *peer;
	struct stream *stream; /* NULL: free */
	bool dgram;
};

struct peer {
	struct tunnel *tunnel; /* NULL: it has ended */
	struct owner owners[STREAMS];
	unsigned how;
};

static void
open_stream(void *arg, struct stream *s, const struct tunnel_open *o)
{
	struct peer *p = arg;

	for (size_t i = 0; i < STREAMS; i++) {
		if (p->owners[i].stream != NULL)
			continue;
		p->owners[i].peer = p;
		p->owners[i].stream = s;
		p->owners[i].dgram = o->scheme == SCHEME_UDP;
		stream_set_owner(s, &p->owners[i]);
		if (o->service & 1)
			stream_opened(s);
		return;
	}
	stream_end(s, RESET_LIMIT);
}

static void
opened(void *owner)
{
	if (((struct owner *)owner)->stream == NULL)
		abort();
}

static void
data(void *owner, const struct iovec *iov, int n, size_t total)
{
	struct owner *o = owner;
	size_t sum = 0;

	for (int i = 0; i < n; i++) {
		sum += iov[i].iov_len;
		/* Read all of it, for the sanitizer. */
		if (sodium_is_zero(iov[i].iov_base, iov[i].iov_len) == -1)
			abort();
	}
	if (o->stream == NULL || sum != total || total == 0)
		abort();
	if ((o->peer->how & ANSWER) != 0)
		stream_write(o->stream, iov->iov_base, iov->iov_len);
	if ((o->peer->how & LAZY) == 0)
		stream_consumed(o->stream, total);
}

static void
fin(void *owner)
{
	struct owner *o = owner;
	struct stream *s = o->stream;

	if (s == NULL || !stream_fin_received(s))
		abort();
	if ((o->peer->how & ANSWER) != 0)
		stream_fin(s);
	o->stream = NULL;
	if ((o->peer->how & LEAVE) != 0)
		stream_leave(s);
	else
		stream_end(s, RESET_ABORT);
}

static void
reset(void *owner, enum reset reason)
{
	struct owner *o = owner;

	(void)reset_text(reason);
	if (o->stream == NULL)
		abort();
	o->stream = NULL;
}

static void
room(void *owner)
{
	struct owner *o = owner;

	if (o->stream == NULL)
		abort();
	stream_write(o->stream, "more", 4);
}

static void
dgrams(void *owner, const struct iovec *iov, int n)
{
	struct owner *o = owner;

	if (o->stream == NULL || !o->dgram || n < 1 || n > TUNNEL_GATHER)
		abort();
	for (int i = 0; i < n; i++) {
		/* Read all of it, for the sanitizer. */
		if (iov[i].iov_len > TUNNEL_DGRAM_MAX ||
		    (iov[i].iov_len > 0 &&
			sodium_is_zero(iov[i].iov_base, iov[i].iov_len) == -1))
			abort();
		if ((o->peer->how & ANSWER) != 0)
			stream_dgram(
			    o->stream, iov[i].iov_base, iov[i].iov_len);
	}
	if ((o->peer->how & LEAVE) == 0)
		return;
	stream_end(o->stream, RESET_TIMEOUT);
	o->stream = NULL;
}

static void
dgrams_end(void *owner, enum reset reason)
{
	if (!((struct owner *)owner)->dgram)
		abort();
	reset(owner, reason);
}

static int
control(void *arg, uint8_t type, const uint8_t *p, size_t n)
{
	(void)arg;
	(void)frame_name(type);
	return n > 0 && p[0] == 0xff ? -1 : 0;
}

static void
ended(void *arg, const char *why)
{
	struct peer *p = arg;

	if (why == NULL || p->tunnel == NULL)
		abort();
	p->tunnel = NULL;
	for (size_t i = 0; i < STREAMS; i++) {
		if (p->owners[i].stream != NULL)
			abort();
	}
}

static void
dgram_lost(void *owner)
{
	if (!((struct owner *)owner)->dgram)
		abort();
}

static const struct tunnel_ops ops = {
	.open = open_stream,
	.opened = opened,
	.data = data,
	.dgrams = dgrams,
	.dgrams_end = dgrams_end,
	.dgrams_opened = dgram_lost,
	.dgram_lost = dgram_lost,
	.fin = fin,
	.reset = reset,
	.room = room,
	.control = control,
	.ended = ended,
};

static void
turns(struct event_base *base, struct turn *turn, int n)
{
	while (n-- > 0) {
		event_base_loopexit(base, &(struct timeval){ 0, 0 });
		if (turn_once(turn) == -1)
			abort();
	}
}

static struct record *
key(unsigned how, uint8_t number)
{
	uint8_t bytes[RECORD_KEY] = { number };
	struct record *r;

	if ((how & SEALED) == 0)
		return NULL;
	if ((r = record_new(RECORD_CHACHA20_POLY1305, bytes)) == NULL)
		abort();
	return r;
}

/* Let the peer send; what the socket does not take is lost. */
static void
send_all(int fd, const uint8_t *p, size_t n, unsigned how, struct event_base *b,
    struct turn *turn)
{
	uint8_t record[RECORD_HEAD + RECORD_MAX];
	struct record *tx = key(how, 1);

	while (n > 0) {
		size_t len = (how & SLOW) != 0 ? 1 + p[0] % 7u : n;
		ssize_t sealed;

		if (len > n)
			len = n;
		if (tx == NULL) {
			if (write(fd, p, len) == -1 && errno != EAGAIN &&
			    errno != EPIPE)
				abort();
		} else {
			if (len > RECORD_PLAIN_MAX)
				len = RECORD_PLAIN_MAX;
			memcpy(record + RECORD_HEAD, p, len);
			sealed = record_seal(tx, record, len);
			if (write(fd, record, (size_t)sealed) == -1 &&
			    errno != EAGAIN && errno != EPIPE)
				abort();
		}
		p += len;
		n -= len;
		if ((how & SLOW) != 0)
			turns(b, turn, 1);
	}
	record_free(tx);
}

/* Once per process. */
static void
prepare(struct event_base **base, struct turn **turn)
{
	if (*base != NULL)
		return;
	signal(SIGPIPE, SIG_IGN);
	if (sodium_init() == -1 || record_init() == -1 ||
	    (*base = event_base_new()) == NULL ||
	    (*turn = turn_new(*base)) == NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct event_base *base;
	static struct turn *turn;
	struct tunnel_budget budget = { .limit = 1u << 20 };
	struct peer p = { 0 };
	int fds[2];

	if (size < 1 || size > 60000)
		return 0;
	prepare(&base, &turn);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == -1)
		abort();
	p.how = bytes[0];
	p.tunnel = tunnel_new(turn, fds[0], (p.how & AS_SERVER) != 0,
	    key(p.how, 2), key(p.how, 1), &budget, &ops, &p);
	if (p.tunnel == NULL)
		abort();
	for (int i = 0; i < OWN && (p.how & AS_SERVER) != 0; i++) {
		struct tunnel_open o = { .service = (uint16_t)i,
			.scheme = i == OWN - 1 ? SCHEME_UDP : SCHEME_HTTP };

		p.owners[i].peer = &p;
		p.owners[i].dgram = o.scheme == SCHEME_UDP;
		p.owners[i].stream = tunnel_open(p.tunnel, &o, &p.owners[i]);
	}
	send_all(fds[1], bytes + 1, size - 1, p.how, base, turn);
	turns(base, turn, TURNS);
	if (budget.used > budget.limit)
		abort();
	close(fds[1]);
	turns(base, turn, TURNS);
	if (p.tunnel != NULL) /* the end of the peer is the end of it */
		abort();
	if (budget.used != 0)
		abort();
	return 0;
}
