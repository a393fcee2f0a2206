/*
 * One connection of the tunnel and the streams on it: framing, records,
 * credit, fairness, liveness. Both daemons run this; they differ in who opens
 * streams (the server) and in what an owner does with the bytes.
 *
 * Output collects in one buffer per tunnel and is sealed and written once per
 * turn. Input is decrypted and parsed in place; payloads are handed to the
 * stream's owner where they lie. Nothing here blocks.
 */
#ifndef TUNNEL_H
#define TUNNEL_H

#include <sys/uio.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/tunnel/budget.h"
#include "common/tunnel/frame.h"

struct tunnel;
struct stream;
struct turn;
struct record;

#define TUNNEL_WINDOW 32768	      /* initial credit of a stream */
#define TUNNEL_WINDOW_MAX (4u << 20)  /* it grows with use up to this */
#define TUNNEL_CREDIT_MAX (1u << 30)  /* more outstanding: hostile */
#define TUNNEL_OUT_DATA (256 * 1024)  /* unsent bytes that may be data */
#define TUNNEL_OUT_DGRAM (256 * 1024) /* ... and beside, datagrams */
#define TUNNEL_DGRAM_US 100000 /* more wait: as many as leave in this time, */
#define TUNNEL_DGRAM_LEAST (128 * 1024) /* but not fewer bytes than these, */
#define TUNNEL_DGRAM_MOST (4096 * 1024) /* nor more than these */
#define TUNNEL_OUT_CONTROL (64 * 1024)	/* ... and beyond, control frames */
#define TUNNEL_DGRAM_MAX 65527		/* of UDP over IPv6; 65507 over IPv4 */
#define TUNNEL_GATHER 64		/* pieces that are handed on at once */
#define TUNNEL_LEAVE_US 5000000		/* for the peer's FIN after ours */
#define TUNNEL_FAREWELL_MS 2000
#define TUNNEL_IOV 4 /* frames that one read may fill */

/* OPEN as the server sends it. */
struct tunnel_open {
	uint16_t service;
	uint8_t scheme; /* enum msg_scheme */
	struct addr peer, local;
};

/*
 * Called with the owner of a stream, or with the tunnel's arg. Inside any of
 * them the owner may end any stream, or the tunnel. They are called from the
 * event loop only: nothing below calls them under its caller but
 * tunnel_close() (reset), and tunnel_tick() (reset, ended).
 */
struct tunnel_ops {
	/* Client: a new stream. Set its owner, or refuse by stream_end(). */
	void (*open)(void *arg, struct stream *s, const struct tunnel_open *o);
	/* Server: the client's local connection stands. */
	void (*opened)(void *owner);
	/* n pieces, `total` bytes. Every byte is the owner's concern now; it
	   calls stream_consumed() as they go on. */
	void (*data)(void *owner, const struct iovec *iov, int n, size_t total);
	/* A stream of datagrams (SCHEME_UDP): n of them, each whole, as the
	   peer sent them; they lie there until this returns. And its end, in
	   place of `reset`. No other function is called for such a stream but
	   these. */
	void (*dgrams)(void *owner, const struct iovec *iov, int n);
	/* Server: the client has a socket for it. */
	void (*dgrams_opened)(void *owner);
	void (*dgrams_end)(void *owner, enum reset reason);
	/* One that stream_dgram() took was dropped, to make room for another.
	   It may only be counted here. */
	void (*dgram_lost)(void *owner);
	/* The peer sends no more. */
	void (*fin)(void *owner);
	/* The stream is gone; forget it. `reason` as received, RESET_GONE
	   when the tunnel ended, or RESET_LIMIT if its reader had stalled for
	   longest when the budget was used up. */
	void (*reset)(void *owner, enum reset reason);
	/* stream_reserve() gave too little; it is worth trying again. */
	void (*room)(void *owner);
	/* SERVICES, GRANTED, GOAWAY, TICKET. -1: malformed, ends it all. */
	int (*control)(void *arg, uint8_t type, const uint8_t *p, size_t n);
	/* The tunnel has ended and frees itself after this turn. */
	void (*ended)(void *arg, const char *why);
};

/*
 * Serve fd, which the tunnel owns from here on. `tx` and `rx` seal and open
 * records and are owned as well; both NULL: frames go bare. Returns NULL
 * with errno if memory fails; fd,
 * tx and rx are then still the caller's.
 */
struct tunnel *tunnel_new(struct turn *turn, int fd, bool server,
    struct record *tx, struct record *rx, struct tunnel_budget *budget,
    const struct tunnel_ops *ops, void *arg);

/* Close: streams get reset(RESET_GONE); `ended` is not called. */
void tunnel_close(struct tunnel *t);

/*
 * The same in order, so that the peer learns what was said last: what is
 * queued is written, and input dropped until the peer closes too, for
 * TUNNEL_FAREWELL_MS at most.
 */
void tunnel_leave(struct tunnel *t);

/*
 * Queue a frame of stream 0. 0, or -1 when the peer reads nothing and the
 * room for control frames is used up: the tunnel then ends by itself, after
 * this turn.
 */
int tunnel_control(struct tunnel *t, uint8_t type, const void *p, size_t n);

/*
 * Call it about every second: sends PING after `idle_us` without a byte
 * received, and ends the tunnel after `dead_us` of them.
 */
void tunnel_tick(struct tunnel *t, uint64_t idle_us, uint64_t dead_us);

/* Ask for a sign of life now; then watch tunnel_heard(). */
void tunnel_ping(struct tunnel *t);

/* When a byte was last received, microseconds of turn_now(). */
uint64_t tunnel_heard(const struct tunnel *t);

/* Bytes wait to be written that the kernel did not take. */
bool tunnel_busy(const struct tunnel *t);

size_t tunnel_streams(const struct tunnel *t);

/* Streams opened that the client has not answered yet. */
size_t tunnel_unanswered(const struct tunnel *t);

uint32_t tunnel_rtt_us(const struct tunnel *t);
int tunnel_fd(const struct tunnel *t);

/* Write what is queued now rather than at the end of the turn. */
void tunnel_flush(struct tunnel *t);

/* Nothing is queued for sending. */
bool tunnel_flushed(const struct tunnel *t);

/*
 * Server: open a stream. NULL if memory or numbers are used up, or the budget:
 * then who has stalled longest will have to go, and it may be tried again.
 */
struct stream *tunnel_open(
    struct tunnel *t, const struct tunnel_open *o, void *owner);

void stream_set_owner(struct stream *s, void *owner);
struct tunnel *stream_tunnel(const struct stream *s);
uint32_t stream_id(const struct stream *s);

/* Client: say that the local connection stands. */
void stream_opened(struct stream *s);

/*
 * Where up to `want` bytes of payload may be put: fills iov[TUNNEL_IOV] and
 * returns how many pieces, 0 if there is no credit or the tunnel is busy;
 * `room` is called when that changes. Nothing else may be called on the
 * tunnel until stream_commit(), or until the pieces are given up by not
 * committing.
 */
int stream_reserve(struct stream *s, size_t want, struct iovec *iov);

/* The first n bytes of the reserved pieces are filled: they are DATA. */
void stream_commit(struct stream *s, const struct iovec *iov, size_t n);

/* Copy up to n bytes in; returns how many were taken (0: wait for room). */
size_t stream_write(struct stream *s, const void *p, size_t n);

/* How many bytes stream_write() would take now. */
size_t stream_room(struct stream *s);

/*
 * A stream of SCHEME_UDP carries datagrams instead of bytes, without credit:
 * queue one of n bytes (0 to TUNNEL_DGRAM_MAX), copied, whole or not at all.
 * 0; or -1: it is too large, or the budget is used up; it is lost then, which
 * the caller counts. More than may wait (TUNNEL_DGRAM_US) are too many: the
 * oldest are dropped (dgram_lost). Neither they nor the bytes of other streams
 * can take each other's room.
 */
int stream_dgram(struct stream *s, const void *p, size_t n);

/* No more DATA from us. */
void stream_fin(struct stream *s);

/* n received bytes have left for good: grants credit as needed. */
void stream_consumed(struct stream *s, size_t n);

/*
 * Done with it: sends RESET(reason) unless both directions have ended, and
 * frees it.
 */
void stream_end(struct stream *s, enum reset reason);

/*
 * Done with it, in order: sends FIN if that is still due, and lets the peer
 * end too, for TUNNEL_LEAVE_US; what it sends meanwhile is dropped.
 */
void stream_leave(struct stream *s);

bool stream_fin_sent(const struct stream *s);
bool stream_fin_received(const struct stream *s);

#endif
