/*
 * Two ends of a tunnel in one process, for tests of the tunnel. Included by
 * exactly one file of each test.
 *
 * A flow is one end of a stream: it sends a number of bytes that both ends
 * can compute, checks what comes, and remembers how it ended.
 */
#ifndef ENDS_H
#define ENDS_H

#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/crypto/record.h"
#include "common/tunnel/scheme.h"
#include "common/tunnel/tunnel.h"
#include "common/tunnel/turn.h"

#define FLOWS 200
#define BUDGET (64u << 20)
#define NOTHING SIZE_MAX /* sends neither bytes nor FIN */

struct flow {
	struct end *end;
	struct stream *stream; /* NULL: none, or ended */
	size_t seed;	       /* of what it sends; the other end has it ^ 1 */
	size_t to_send, sent;
	size_t received, consumed;
	size_t dgrams, last, lost;     /* of a stream of datagrams */
	bool opened, fin, reset, lazy; /* lazy: does not consume */
	bool keep;		       /* no stream_end() by itself */
	enum reset reason;
};

struct end {
	struct ends *ends;
	struct tunnel *tunnel; /* NULL: ended */
	struct tunnel_budget budget;
	struct flow flows[FLOWS];
	size_t n;
	size_t answer; /* what a flow that is opened to us sends, or NOTHING */
	bool refuse;   /* by RESET_REFUSED */
	char why[64];  /* it ended by itself */
	uint8_t control[16]; /* types of frames that came */
	size_t ncontrol;
};

struct ends {
	struct event_base *base;
	struct turn *turn;
	struct end server, client;
	int fds[2];
};

/* Byte number i of what a flow sends. */
static inline uint8_t
pattern(size_t seed, size_t i)
{
	return (uint8_t)(seed * 31 + i + i / 251 + i / 65537);
}

/* Send what there is room for; FIN behind the last byte. */
static inline void
flow_push(struct flow *f)
{
	struct iovec iov[TUNNEL_IOV];
	int n;

	while (f->stream != NULL && f->to_send != NOTHING &&
	    f->sent < f->to_send &&
	    (n = stream_reserve(f->stream, f->to_send - f->sent, iov)) > 0) {
		size_t filled = 0;

		for (int i = 0; i < n; i++) {
			for (size_t k = 0; k < iov[i].iov_len; k++)
				((uint8_t *)iov[i].iov_base)[k] =
				    pattern(f->seed, f->sent + filled + k);
			filled += iov[i].iov_len;
		}
		ck_assert_uint_le(filled, f->to_send - f->sent);
		/* Not always all of it. */
		if (filled > 3 && (f->sent & 1) == 0)
			filled -= 3;
		stream_commit(f->stream, iov, filled);
		f->sent += filled;
	}
	if (f->stream != NULL && f->sent == f->to_send &&
	    !stream_fin_sent(f->stream))
		stream_fin(f->stream);
	if (f->stream != NULL && f->fin && stream_fin_sent(f->stream) &&
	    !f->keep) {
		stream_end(f->stream, RESET_ABORT);
		f->stream = NULL;
	}
}

/* What comes is the pattern of the other end's seed. */
static inline void
on_data(void *owner, const struct iovec *iov, int n, size_t total)
{
	struct flow *f = owner;
	size_t sum = 0;

	ck_assert(!f->fin && !f->reset);
	for (int i = 0; i < n; i++) {
		const uint8_t *p = iov[i].iov_base;

		for (size_t k = 0; k < iov[i].iov_len; k++)
			if (p[k] != pattern(f->seed ^ 1, f->received++))
				ck_abort_msg("byte %zu", f->received - 1);
		sum += iov[i].iov_len;
	}
	ck_assert_uint_eq(sum, total);
	if (!f->lazy) {
		f->consumed += total;
		stream_consumed(f->stream, total);
	}
}

static inline void
on_fin(void *owner)
{
	struct flow *f = owner;

	ck_assert(!f->fin && !f->reset);
	f->fin = true;
	flow_push(f);
}

static inline void
on_reset(void *owner, enum reset reason)
{
	struct flow *f = owner;

	ck_assert(!f->reset);
	f->stream = NULL;
	f->reset = true;
	f->reason = reason;
}

static inline void
on_opened(void *owner)
{
	((struct flow *)owner)->opened = true;
}

static inline void
on_room(void *owner)
{
	struct flow *f = owner;

	flow_push(f);
}

/* A stream was opened to the client: its flow has the service for a seed. */
static inline void
on_open(void *arg, struct stream *s, const struct tunnel_open *o)
{
	struct end *e = arg;
	struct flow *f = &e->flows[e->n++];

	ck_assert_uint_lt(e->n, FLOWS);
	f->end = e;
	f->stream = s;
	f->seed = o->service * 2u + 1;
	f->to_send = o->scheme == SCHEME_UDP ? NOTHING : e->answer;
	if (e->refuse) {
		f->stream = NULL;
		stream_end(s, RESET_REFUSED);
		return;
	}
	stream_set_owner(s, f);
	stream_opened(s);
	flow_push(f);
}

static inline int
on_control(void *arg, uint8_t type, const uint8_t *p, size_t n)
{
	struct end *e = arg;

	(void)p;
	(void)n;
	if (e->ncontrol < sizeof(e->control))
		e->control[e->ncontrol++] = type;
	return 0;
}

static inline void
on_ended(void *arg, const char *why)
{
	struct end *e = arg;

	e->tunnel = NULL;
	strncpy(e->why, why, sizeof(e->why) - 1);
}

/* Datagrams of a flow: how many came, and the sum of their sizes. */
static inline void
on_dgrams(void *owner, const struct iovec *iov, int n)
{
	struct flow *f = owner;

	for (int i = 0; i < n; i++) {
		const uint8_t *p = iov[i].iov_base;

		for (size_t k = 0; k < iov[i].iov_len; k++)
			if (p[k] != pattern(iov[i].iov_len, k))
				ck_abort_msg("byte %zu", k);
		f->received += iov[i].iov_len;
		f->last = iov[i].iov_len;
		f->dgrams++;
	}
}

static inline void
on_lost(void *owner)
{
	((struct flow *)owner)->lost++;
}

static const struct tunnel_ops end_ops = {
	.dgrams = on_dgrams,
	.dgrams_opened = on_opened,
	.dgram_lost = on_lost,
	.dgrams_end = on_reset,
	.open = on_open,
	.opened = on_opened,
	.data = on_data,
	.fin = on_fin,
	.reset = on_reset,
	.room = on_room,
	.control = on_control,
	.ended = on_ended,
};

/* Two sockets, with buffers of so many bytes (0: as they come). */
static inline void
ends_sockets(int fds[2], int buffer)
{
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	for (int i = 0; i < 2 && buffer > 0; i++) {
		setsockopt(
		    fds[i], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
		setsockopt(
		    fds[i], SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	}
}

static inline struct record *
ends_record(enum record_cipher c, uint8_t number)
{
	uint8_t key[RECORD_KEY] = { number };

	return c == RECORD_NONE ? NULL : record_new(c, key);
}

static inline void
end_init(
    struct ends *x, struct end *e, int fd, bool server, enum record_cipher c)
{
	e->ends = x;
	e->budget.limit = BUDGET;
	e->answer = NOTHING;
	e->tunnel = tunnel_new(x->turn, fd, server, ends_record(c, server),
	    ends_record(c, !server), &e->budget, &end_ops, e);
	ck_assert_ptr_nonnull(e->tunnel);
}

static inline void
ends_prepare(struct ends *x)
{
	memset(x, 0, sizeof(*x));
	ck_assert_int_eq(sodium_init() == -1 || record_init() == -1, 0);
	ck_assert_ptr_nonnull(x->base = event_base_new());
	ck_assert_ptr_nonnull(x->turn = turn_new(x->base));
}

static inline void
ends_init(struct ends *x, enum record_cipher c, int buffer)
{
	ends_prepare(x);
	ends_sockets(x->fds, buffer);
	end_init(x, &x->server, x->fds[0], true, c);
	end_init(x, &x->client, x->fds[1], false, c);
}

/* Turns until done() says so; Check's timeout is the bound. */
static inline void
ends_run(struct ends *x, bool (*done)(struct ends *x))
{
	while (!done(x))
		ck_assert_int_eq(turn_once(x->turn), 0);
}

/* A number of turns that do not wait for anything. */
static inline void
ends_turns(struct ends *x, int n)
{
	for (int i = 0; i < n; i++) {
		event_base_loopexit(x->base, &(struct timeval){ 0, 0 });
		ck_assert_int_eq(turn_once(x->turn), 0);
	}
}

static inline struct flow *
ends_open(struct ends *x, size_t bytes)
{
	struct end *e = &x->server;
	struct flow *f = &e->flows[e->n];
	struct tunnel_open o = { .service = (uint16_t)e->n++ };

	ck_assert_uint_lt(e->n, FLOWS);
	f->end = e;
	f->seed = o.service * 2u;
	f->to_send = bytes;
	f->stream = tunnel_open(e->tunnel, &o, f);
	ck_assert_ptr_nonnull(f->stream);
	flow_push(f);
	return f;
}

static inline void
ends_free(struct ends *x)
{
	if (x->server.tunnel != NULL)
		tunnel_close(x->server.tunnel);
	if (x->client.tunnel != NULL)
		tunnel_close(x->client.tunnel);
	ends_turns(x, 1); /* what has ended is freed */
	event_base_free(x->base);
	turn_free(x->turn);
}

#endif
