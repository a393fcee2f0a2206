/*
 * Role tls: ends the TLS of users, so that all behind it see plain bytes on a
 * socketpair. Private keys are not here.
 *
 *	tls_conn	 a connection: its beginning and its end
 *	tls_shake	 its handshake, and its first bytes
 *	tls_move	 the bytes of one that both ends are there of
 *	tls_ctx		 which versions and ciphers are spoken
 *	certs, provider	 certificates, and keys whose private half is elsewhere
 *	asker		 questions to the one who has it
 *	tickets		 keys of session tickets
 */
#ifndef TLS_H
#define TLS_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/deadline.h"
#include "common/base/idmap.h"
#include "common/ipc/chan.h"
#include "worker/convert/asker.h"
#include "worker/convert/tickets.h"
#include "common/ipc/serve.h"

#define TLS_SCRATCH 65536 /* bytes moved in one step, at most */
#define TLS_STEPS 16	  /* steps of one connection before others' turn */
#define TLS_TICK_MS 250
#define TLS_LINGER_MS 2000     /* after a refusal, for the peer to read it */
#define TLS_LINGER_BYTES 65536 /* and what it may say until then */
#define TLS_STALL_MS 60000     /* of a peer that takes nothing any more */
#define TLS_LOG_RATE 10	       /* failed handshakes logged in a second */

struct certs;

enum tls_state {
	TLS_PROXIED,   /* a load balancer says first who it is */
	TLS_SHAKING,   /* the handshake */
	TLS_GATHERING, /* its first bytes, until they tell where it belongs */
	TLS_OFFERED,   /* the parent is asked for the plain end */
	TLS_MOVING,
	TLS_LINGERING /* refused: until the peer has read why */
};

/* Bytes on their way in one direction. p is NULL while there are none. */
struct tls_piece {
	uint8_t *p;
	uint32_t at, n;
};

struct tls_conn {
	struct ask ask;		  /* first */
	struct deadline deadline; /* in one of tls's queues, by state */
	struct tls *tls;
	SSL *ssl;
	uint32_t id;
	int net, plain; /* plain: -1 until MOVING */
	struct event net_ev, plain_ev;
	short net_what, plain_what; /* what is waited for; 0: nothing yet */
	uint8_t state;		    /* enum tls_state */
	uint8_t scheme;		    /* enum msg_scheme */
	bool is_api;		    /* of listen.api */
	bool up_end;		    /* close_notify has come */
	bool up_shut;		    /* ... and was passed on */
	bool up_dead;		    /* nobody reads the plain side any more */
	bool down_clean;	    /* the plain side will end in order */
	bool down_end;		    /* ... has ended */
	bool down_shut;		    /* ... and that was passed on */
	bool want_write;	    /* libssl has something to write first */
	struct tls_piece up, down;  /* from the user, and to the user */
	uint32_t discarded;
	uint64_t up_bytes, down_bytes;
	struct addr peer;
};

struct tls {
	struct serve serve; /* first: the common handlers' arg */
	struct asker asker;
	struct tickets tickets;
	struct certs *certs; /* NULL: none have come */
	struct idmap conns;  /* by the parent's number */
	size_t held, max;    /* connections */
	size_t nofile;	     /* descriptors of this process */
	uint32_t head_max;   /* bytes of a request's head */
	bool full, draining;
	struct deadlines shaking, gathering, lingering, stalled;
	struct event tick; /* pending while any connection is held */
	uint64_t log_second;
	unsigned log_lines;
	uint8_t scratch[TLS_SCRATCH]; /* between two calls of ours */
};

/* A connection is gone; its parent was told. */
void tls_let_go(struct tls *t);

/* Whether one more line on a stranger's failure may be logged now. */
bool tls_may_log(struct tls *t);

#endif
