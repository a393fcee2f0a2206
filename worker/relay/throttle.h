/*
 * An upstream under a speed limit: what its service sends is held until it
 * may go on, and what its user sends is not read before. Its window bounds
 * what is held. Upstreams without a limit have none of this.
 */
#ifndef THROTTLE_H
#define THROTTLE_H

#include <sys/uio.h>

#include "common/net/outq.h"
#include "common/tunnel/frame.h"
#include "worker/relay/quota.h"

struct offer;
struct upstream;

/* How it has ended behind what is held. */
enum throttle_end { THROTTLE_OPEN, THROTTLE_FIN, THROTTLE_RESET };

struct throttle {
	struct offer *offer;		     /* its service's limits, or NULL */
	struct meter_wait own[QUOTA_WAYS];   /* for the service's speed */
	struct meter_wait share[QUOTA_WAYS]; /* then for the client's */
	size_t pass[QUOTA_WAYS]; /* bytes that the service's lets through */
	struct outq held;
	uint8_t end; /* enum throttle_end */
	enum reset reason;
};

/* A new upstream, of a service with these limits (held by it); NULL: none. */
void throttle_begin(struct upstream *up, struct offer *o);

/*
 * How many of `want` bytes may go that way. If not all may, the upstream will
 * be called: throttle_push(), or its user goes on reading.
 */
size_t throttle_room(struct upstream *up, enum quota_way way, size_t want);

/* So many have gone. */
void throttle_charge(struct upstream *up, enum quota_way way, size_t n);

/* What comes from the service has to wait, for its speed or for its turn. */
bool throttle_holds(const struct upstream *up);

/* Bytes from the service, to be passed on as they may be. */
void throttle_hold(struct upstream *up, const struct iovec *iov, int n);

/*
 * The service has ended, in order or not; if anything is held that comes after
 * it. Returns whether it has to wait.
 */
bool throttle_fin(struct upstream *up);
bool throttle_reset(struct upstream *up, enum reset why);

/* It has ended, and that waits behind what is held. */
bool throttle_ends(const struct upstream *up);

/* Pass on what may go. */
void throttle_push(struct upstream *up);

/* Its session is gone: no limit holds any more. What is held goes on. */
void throttle_lift(struct upstream *up);

void throttle_free(struct upstream *up);

#endif
