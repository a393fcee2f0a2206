/*
 * Questions to `sign`: what a handshake wants signed leaves through a channel
 * of ours with that process, and the handshake's ASYNC_JOB pauses meanwhile.
 * Nobody waits longer than a second. If `sign` dies, what it has not answered
 * is asked again of the next one.
 */
#ifndef ASKER_H
#define ASKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/deadline.h"
#include "common/base/idmap.h"
#include "worker/convert/provider.h"

struct chan;
struct event_base;

#define ASKER_WAIT_MS 1000

enum ask_state { ASK_NONE, ASK_WAITING, ASK_ANSWERED, ASK_FAILED };

/* A part of whoever has a handshake; all zero at first but for id and fn. */
struct ask {
	struct deadline deadline;      /* first */
	uint32_t id;		       /* not 0 */
	uint8_t state;		       /* enum ask_state */
	void (*resume)(struct ask *a); /* ANSWERED or FAILED: run the job */
	/* While it waits; all on the job's stack, or libssl's. */
	const uint8_t *question;
	size_t len;
	uint8_t *sig;
	size_t n; /* room in it, then bytes of it */
};

struct asker {
	struct event_base *base;
	struct chan *chan; /* NULL: there was none yet */
	bool open;	   /* it has not ended */
	struct idmap waiting;
	struct deadlines deadlines;
	struct ask *running; /* whose job runs now */
	struct provider_signer signer;
};

void asker_init(struct asker *k, struct event_base *base);

/* Use this channel from now on; fd is taken. */
void asker_open(struct asker *k, int fd);

/* Whoever has waited long enough has failed. `now` in microseconds. */
void asker_tick(struct asker *k, uint64_t now);

/* It is not to be answered any more; its job finds that it has failed. */
void asker_forget(struct asker *k, struct ask *a);

#endif
