/*
 * Services with UDP ports: the relay's end of the flowpipe from role `udp`,
 * whose flows (udp_flow.h) have streams of datagrams. What a tunnel has no room
 * for is dropped, the oldest first, and counted.
 */
#ifndef DATAGRAMS_H
#define DATAGRAMS_H

#include <stdint.h>

#include "common/tunnel/tunnel.h"
#include "worker/relay/relay.h"

#define DATAGRAMS_FLOWS_MAX 16384 /* of one service: more is not believed */

struct session;

/*
 * Take over our end of a service's flowpipe; one of that service that was
 * there before ends. Closes fd if memory is short or there is no session.
 */
void datagrams_serve(
    struct relay *r, struct session *s, uint16_t service, int fd);

/* Its streams on tunnels that leave end; the next datagram opens others. */
void datagrams_release(struct session *s);

/* What it offers has changed: whom its services let through may have, too. */
void datagrams_review(struct session *s);

/* The session is being freed: its flowpipes end. */
void datagrams_forget_session(struct session *s);

/* What there is to tell about a flow. */
struct datagrams_info {
	const struct session *session;
	struct addr peer, local;
	uint64_t up, down; /* bytes */
	uint64_t dropped;  /* datagrams */
	uint64_t seconds;  /* since its first */
};

typedef void datagrams_fn(void *arg, const struct datagrams_info *i);

/* Call fn for each flow. */
void datagrams_each(struct relay *r, datagrams_fn *fn, void *arg);

#endif
