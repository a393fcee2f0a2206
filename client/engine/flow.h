/*
 * The other end of a stream of datagrams: a connected UDP socket at the local
 * service, of its own, so that the service tells flows apart by our port.
 * Datagrams are sent or lost; nothing waits for the service or the tunnel.
 */
#ifndef FLOW_H
#define FLOW_H

#include <sys/uio.h>

#include "client/engine/engine.h"
#include "client/engine/local.h"
#include "common/tunnel/tunnel.h"

#define FLOW_MAX 16384		   /* at a time, each with a socket */
#define FLOW_EARLY_MAX (1u << 20)  /* bytes kept until its socket is there */
#define FLOW_EARLY_ALL (16u << 20) /* ... of all flows together */
#define FLOW_BATCH 16		   /* messages received at a time */
#define FLOW_COMPLAIN_US 10000000  /* between two lines on one service */

struct flow;

/* A stream of SCHEME_UDP was opened. */
void flow_open(struct engine *e, struct stream *s, const struct tunnel_open *o);

/* Callbacks of a tunnel: see struct tunnel_ops. */
void flow_dgrams(void *flow, const struct iovec *iov, int n);
void flow_reset(void *flow, enum reset reason);
void flow_lost(void *flow);

/* The answer to a dial: as in local.h. false: it is no flow's. */
bool flow_dialed(struct engine *e, uint32_t number, int fd);
bool flow_refused(struct engine *e, uint32_t number, int err);

/* Its service's timeout has passed without a datagram. */
void flow_expired(struct deadline *d);

/* End those whose socket did not come in time. */
void flow_tick(struct engine *e);

/* Call fn for each. */
void flow_each(struct engine *e, local_fn *fn, void *arg);

#endif
