/* What local.c (its life) and local_io.c (its bytes) share. */
#ifndef LOCAL_IMPL_H
#define LOCAL_IMPL_H

#include <event2/event_struct.h>

#include "client/engine/edit.h"
#include "client/engine/local.h"
#include "client/engine/rules.h"
#include "common/net/outq.h"

enum local_state {
	LOCAL_DIALING,	  /* the parent opens a socket */
	LOCAL_CONNECTING, /* it is there, and connects */
	LOCAL_UP,
	LOCAL_DEAD /* will be freed at the end of the turn */
};

struct local {
	struct engine *engine;
	struct rules *rules;
	struct stream *stream; /* NULL once it has ended */
	LIST_ENTRY(local) link;
	LIST_ENTRY(local) doubt; /* see local_io_check() */
	struct event ev;
	struct turn_item item; /* read on; at last, free */
	struct outq out;       /* for the service */
	struct edit *edit;     /* NULL: bytes pass untouched */
	struct deadline deadline;
	uint64_t up, down; /* bytes to the service and from it */
	size_t owed;	   /* received, in `out`, without credit yet (edit) */
	uint32_t dial;	   /* its number while LOCAL_DIALING */
	int fd;
	uint16_t port; /* the public one that its user came to; 0: none */
	int err;       /* how the last attempt to connect has failed */
	uint8_t state, attempt;
	uint8_t own;   /* bytes first in `out` that are ours: the header */
	bool raw;      /* TLS that is passed through: it is not to be ended */
	bool pair;     /* fd is a converter's end */
	bool doubtful; /* it is in the list */
	bool deaf;     /* it takes no more; what it has said is passed on */
	bool closed;   /* the service's end was announced: read on to it */
	bool eof;      /* ... and read: FIN was sent */
	bool fin;      /* FIN was received */
	bool shut;     /* ... and passed on */
	bool large;    /* the last read brought much */
};

/* local.c: end both sides, telling the server why. */
void local_abandon(struct local *l, enum reset reason);

/* Both directions have ended in order. */
void local_finish(struct local *l);

/* Something moves: the service's timeout begins anew. */
void local_touch(struct local *l);

/* local_io.c: a turn_item's function: read on. */
void local_io_turn(void *local);

/* The socket has something for us; LOCAL_UP. */
void local_io_event(struct local *l, short what);

/*
 * Send what waits, and then what had to wait behind it. -1: that has ended l.
 */
int local_io_push(struct local *l);

/* Once a second: what was read from lately may have been reset as well. */
void local_io_check(struct engine *e);

#endif
