/* What tunnel.c, tunnel_out.c, tunnel_in.c, stream.c and credit.c share. */
#ifndef TUNNEL_IMPL_H
#define TUNNEL_IMPL_H

#include "common/base/deadline.h"
#include "common/tunnel/late.h"
#include "common/tunnel/tunnel.h"
#include "common/tunnel/turn.h"

struct event;

/* Collected output: [head, tail) is unsent, from `rec` on unsealed. */
struct tunnel_out {
	uint8_t *p; /* NULL while nothing is queued */
	size_t cap, head, tail;
	size_t rec;	   /* where the open record begins */
	size_t dgram;	   /* bytes for datagrams since nothing was unsent */
	struct late later; /* datagrams that have to wait */
	size_t later_most; /* bytes of them; 0: not known yet */
	bool later_used;   /* lately */
	bool limited;	   /* something has had to wait for the line ... */
	uint64_t since;	   /* ... from then on */
	size_t taken;	   /* bytes that it has taken since */
	bool open;	   /* there is an open record */
	bool busy;	   /* the kernel took less than all */
};

/* Streams by number: chained hash of a power of two. */
struct stream_table {
	struct stream **slot;
	size_t size, count;
};

struct stream {
	struct tunnel *tunnel;
	struct stream *chain; /* in the table */
	/* Very many are idle, so what excludes each other shares its place. */
	union {
		struct { /* while it has an owner */
			struct stream *wait_next, **wait_prev; /* for room */
			uint64_t wait_turn; /* its place in the queue */
		};
		struct deadline leaving; /* `left`: for the peer's FIN */
	};
	void *owner;
	uint32_t id;
	uint32_t tx_credit; /* what we may send */
	uint32_t rx_left;   /* what the peer may send */
	uint32_t rx_owed;   /* consumed, not yet granted again */
	uint32_t window;    /* rx_left + buffered + rx_owed */
	uint32_t epoch;	    /* bytes granted since epoch_at */
	uint32_t epoch_at;  /* microseconds, modulo 2^32 */
	bool fin_sent : 1, fin_received : 1, answered : 1;
	bool starved : 1; /* its owner waits for room or credit */
	bool called : 1;  /* it was woken, and has taken nothing since */
	bool left : 1;	  /* its owner is gone */
	bool dgram : 1;	  /* it carries datagrams */
	struct budget_stall stall;
};

struct tunnel {
	struct turn *turn;
	const struct tunnel_ops *ops;
	void *arg;
	int fd;
	bool server, dead, ping_out;
	bool farewell;	  /* dead, but the socket is still there */
	const char *doom; /* why it will end after this turn, or NULL */
	struct event *ev;
	struct record *tx, *rx;
	struct tunnel_out out;
	struct tunnel_budget *budget;
	uint8_t *partial; /* the beginning of a record or frame */
	size_t npartial;
	struct stream_table streams;
	struct stream *waiting, **waiting_tail; /* for room, in order */
	uint64_t wait_turns;
	struct deadlines leaving;
	size_t unanswered;
	uint32_t last_id; /* highest opened, by whom it may be */
	uint32_t rtt_us;
	uint64_t heard, pinged;
	struct turn_item flush, again, wake, fail, bury;
	struct turn_item relieve; /* the budget was used up */
	/* Consecutive DATA or DGRAM of one stream, handed on together. */
	struct stream *gather;
	struct iovec gathered[TUNNEL_GATHER];
	int ngathered;
	size_t gather_bytes;
	/* The pieces of a datagram so far, and whose it is. */
	uint8_t *part; /* NULL: none */
	size_t npart;
	uint32_t part_id;
};

/* tunnel.c: end it, telling streams and owner. */
void tunnel_fail(struct tunnel *t, const char *why);

/*
 * The same at the end of this turn, so that nothing that only sends can end
 * tunnel, streams or owners under its caller. `why` is static.
 */
void tunnel_doom(struct tunnel *t, const char *why);

/* tunnel_out.c */
int tunnel_out_init(struct tunnel *t); /* 0, or -1 if memory is short */
int tunnel_out_frame(
    struct tunnel *t, uint32_t stream, uint8_t type, const void *p, size_t n);
void tunnel_out_compact(struct tunnel_out *o); /* unsent to the front */
void tunnel_out_flush(void *tunnel);
void tunnel_out_wake(void *tunnel);
void tunnel_out_free(struct tunnel *t);

/* tunnel_in.c: read what there is, or as much as a turn allows. */
void tunnel_in_read(struct tunnel *t);
/* Hand on n bytes at p, soon, with others of s. -1: that has ended t. */
int tunnel_in_gather(struct tunnel *t, struct stream *s, uint8_t *p, size_t n);
void tunnel_in_hand_on(struct tunnel *t); /* what was gathered, now */
void tunnel_in_answer(struct tunnel *t, struct stream *s); /* it came */

struct frame;

/*
 * tunnel_dgram.c: a frame came, of any type. 1: it was (a piece of) a
 * datagram and is dealt with; 0: it is for others; -1: it has ended t.
 */
int tunnel_dgram_frame(struct tunnel *t, const struct frame *f, uint8_t *p);

/* Of the bytes that wait the line has taken n: how fast is it? */
void tunnel_dgram_learn(struct tunnel *t, size_t n);

/* What waits goes into the output, as much as there is room for. */
void tunnel_dgram_move(struct tunnel *t);

/* About once a second: give back memory that a burst has needed. */
void tunnel_dgram_rest(struct tunnel *t);

/* The tunnel ends: nothing waits any more. */
void tunnel_dgram_forget(struct tunnel *t);

/* Any other frame of a stream of datagrams. 0, or -1: that has ended t. */
int tunnel_dgram_control(struct tunnel *t, struct stream *s,
    const struct frame *f, const uint8_t *p);

/* stream.c */
struct stream *stream_find(const struct tunnel *t, uint32_t id);
struct stream *stream_new(struct tunnel *t, uint32_t id, uint32_t window);
void stream_drop(struct stream *s); /* free, saying nothing to anyone */
void stream_wait(struct stream *s); /* until there is room or credit */
struct stream *stream_of_leaving(struct deadline *d);
void stream_wake(struct stream *s); /* call `room` */

/* credit.c */
void stream_held(struct stream *s); /* DATA has come for it */
/* Have somebody go, so that there is room for n bytes. Whether one did. */
bool stream_relieve(struct tunnel *t, uint64_t n);

#endif
