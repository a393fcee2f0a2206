/*
 * The relay: owns clients' tunnels and users' connections and moves bytes
 * between them. It sees plain stream sockets, our frames, and where HTTP/1
 * messages begin and end; nothing else.
 *
 *	carry	 a client's connection until its session knows it
 *	session	 a logged-in client: its links (tunnels) and tickets
 *	quota	 what all sessions of a client may use: memory, speed; meter.c
 *		 is a speed limit, throttle.c an upstream that is under one
 *	user	 a user's connection; input.c, request.c and answer.c are its
 *		 two directions, opaque.c both of what is not HTTP, upstream.c
 *		 and pair.c what it is connected to, ask.c how it finds out
 */
#ifndef RELAY_H
#define RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/deadline.h"
#include "common/base/idmap.h"
#include "common/ipc/chan.h"
#include "common/ipc/counters.h"
#include "common/ipc/msg.h"
#include "common/tunnel/budget.h"
#include "common/tunnel/turn.h"
#include "worker/relay/directory.h"

#define RELAY_ASKS_MAX 64 /* questions to the master without an answer */
#define RELAY_FD_OWN 16	  /* epoll, channel, log, and on their way */
#define RELAY_BUDGET (UINT64_C(512) << 20) /* bytes that streams may hold, */
#define RELAY_MEMORY_SHARE 8 /* and one in so many of the machine's */
#define RELAY_PEERS 64	     /* relays that there may be: WORKERS_RELAY_MAX */

struct event;
struct event_base;
struct quota;
struct grave;
struct journal;
struct session;
struct user;

/* What a connection's number leads to. First member of each kind. */
struct conn {
	uint32_t id;
	uint8_t kind; /* enum conn_kind */
};

enum conn_kind { CONN_CARRY = 1, CONN_LINK, CONN_USER };

struct relay {
	struct event_base *base;
	struct turn *turn;
	struct chan *chan;
	struct msg_relay_conf conf;
	struct counters *counters; /* never NULL */
	struct counters *early;	   /* private ones, until MSG_COUNTERS */
	const struct counters *peers[RELAY_PEERS]; /* the other relays' */
	struct journal *journal; /* the access log; NULL: none */
	struct idmap conns;
	struct session *sessions;    /* list */
	struct directory directory;  /* the same, to be found */
	struct idmap quotas;	     /* by client + 1 */
	struct tunnel_budget budget; /* of all clients together */
	struct event *tick;	     /* every TICK_MS */
	uint64_t second;	     /* when the once-a-second work is due */
	unsigned probing;	     /* sessions that are being probed */
	/* Users by what they wait for; see user.h. */
	struct deadlines heads, idles, endings, lingers, handshakes;
	struct deadlines looks; /* users whose sockets are to be read again */
	unsigned waiting;	/* upstreams that wait for a stream */
	unsigned asks;		/* questions without an answer */
	struct user *ask_queue; /* users that want to ask */
	struct user **ask_tail;
	/* What has ended may still be in use up the stack: freed at the end
	   of the turn. */
	struct grave *graves;
	struct turn_item bury;
	unsigned index;
	unsigned pairs; /* descriptors beside those of conns: pair.c, UDP */
	size_t nofile;	/* descriptors it may have, 0: nobody has said */
	bool draining, full;
};

/* Embedded in what is buried. */
struct grave {
	struct grave *next;
	void *dead;
};

/*
 * Make *r, all zero before: event base, turns, tick, everything but the
 * channel and its index. 0, or -1: the process ends then.
 */
int relay_init(struct relay *r);

/* End whatever is left, and free all of it and the channel. */
void relay_free(struct relay *r);

/* free(dead) at the end of this turn; g lies in it. */
void relay_bury(struct relay *r, struct grave *g, void *dead);

/*
 * There is one descriptor more, or some may have gone: FULL at the reserve,
 * ROOM when twice as much is free.
 */
void relay_room(struct relay *r);

/* Tell the master that a connection has ended. */
void relay_closed(struct relay *r, uint32_t conn, enum msg_end why, uint64_t up,
    uint64_t down);

/*
 * Take nothing new, and let what is there end: whoever asks for something gets
 * its answer as the last one. Users who have asked for nothing within a second
 * are ended as idle, not before: what a user has just sent may be on its way,
 * and must not meet our FIN.
 */
void relay_drain(struct relay *r);

/*
 * After the end of input on a socketpair: its other end has been closed, not
 * just shut for writing.
 */
bool relay_hung_up(int fd);

/* dispatch.c: what the master may send us, for chan_new(). */
extern const chan_handler relay_handlers[MSG_TYPES];

#endif
