/*
 * What one client may use of a relay, all its sessions there together: memory
 * for its streams, and bytes per second each way. The speed is kept over all
 * relays: what the others have moved for this client is in their counters.
 */
#ifndef QUOTA_H
#define QUOTA_H

#include <stdint.h>

#include "common/tunnel/tunnel.h"
#include "worker/relay/meter.h"
#include "worker/relay/relay.h"

#define QUOTA_BUDGET (UINT64_C(64) << 20) /* bytes its streams may hold, */
#define QUOTA_SHARE 4 /* and one in so many of what the relay may */

enum quota_way { QUOTA_UP, QUOTA_DOWN, QUOTA_WAYS };

struct quota_meter {
	struct meter meter;
	struct quota *quota;
	enum counter counter;
	uint64_t seen; /* sum of the others' counters, taken into account */
};

struct quota {
	struct relay *relay;
	uint32_t client; /* its row in the counters */
	uint32_t users;	 /* sessions that hold it */
	struct quota_meter way[QUOTA_WAYS];
	struct tunnel_budget budget;
};

/* That of a client, held once more. NULL if memory is short. */
struct quota *quota_take(struct relay *r, uint32_t client);

/* Let go of it; the last one frees it. */
void quota_give(struct quota *q);

/* Bytes per second each way, 0: any number. Holds at once. */
void quota_speed(struct quota *q, uint64_t speed);

/*
 * The counters of relay `index`, which are owned from now on: they replace
 * those that it had before. NULL: it has none any more.
 */
void quota_peer(struct relay *r, unsigned index, const struct counters *c);

/* Forget all of them. */
void quota_forget_peers(struct relay *r);

#endif
