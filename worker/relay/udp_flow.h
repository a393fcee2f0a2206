/*
 * Users of UDP ports, each a flow with a stream of its own, and the flowpipe
 * that all of a service come by. Only what new ones send may wait here, while
 * the client has as many streams to answer as it may have.
 */
#ifndef UDP_FLOW_H
#define UDP_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/net/flowpipe.h"
#include "common/tunnel/late.h"
#include "common/tunnel/tunnel.h"
#include "common/tunnel/turn.h"
#include "worker/relay/datagrams.h"
#include "worker/relay/relay.h"

#define UDP_FLOW_LATE (256 * 1024) /* bytes that wait, of each service */

struct offer;
struct session;

struct flow {
	struct pipe *pipe;
	struct stream *stream; /* NULL: no tunnel would take it so far */
	struct offer *own;     /* limits of the service, while it has one */
	uint32_t id;
	struct addr peer, local;
	uint64_t up, down, dropped;
	uint64_t since; /* turn_now() */
	bool denied;	/* its source may not use the service */
	bool served;	/* it has had a stream */
	unsigned late;	/* datagrams of it that wait for one */
};

/* The flows of one service. */
struct pipe {
	struct pipe *next; /* of the session */
	struct session *session;
	struct relay *relay;
	uint16_t service;
	struct flowpipe *line;
	struct idmap flows;
	struct event *ev;
	struct turn_item flush, again, room;
	struct late late; /* of flows without a stream, so far */
	struct grave grave;
	bool broken; /* ends with this turn */
	bool dead;   /* buried */
};

/* flowpipe_fn of a pipe: a frame from role `udp`. */
int udp_flow_take(void *pipe, const struct flow_frame *in);

/* For its turn_item: those who waited may have streams. */
void udp_flow_room(void *pipe);

/* Whether the service lets nobody in from there. */
bool udp_flow_is_denied(const struct pipe *p, const struct addr *peer);

/* End its stream, if it has one. */
void udp_flow_close(struct flow *f);

/* Forget it: its stream is gone or was never there. */
void udp_flow_free(struct flow *f);

/* tunnel_ops: the owner of a stream of datagrams is its flow. */
void udp_flow_opened(void *flow);
void udp_flow_dgrams(void *flow, const struct iovec *iov, int n);
void udp_flow_ended(void *flow, enum reset reason);
void udp_flow_lost(void *flow);

#endif
