/*
 * The other end of a stream: a connection to the local service. Small, for
 * there may be very many that do nothing.
 */
#ifndef LOCAL_H
#define LOCAL_H

#include <sys/uio.h>

#include "client/engine/engine.h"
#include "common/tunnel/tunnel.h"

/* Callbacks of a tunnel: see struct tunnel_ops. */
void local_open(
    struct engine *e, struct stream *s, const struct tunnel_open *o);
void local_data(void *local, const struct iovec *iov, int n, size_t total);
void local_fin(void *local);
void local_reset(void *local, enum reset reason);
void local_room(void *local);

/*
 * The answer to a dial: a socket that connects, or has connected (or -1: none
 * arrived); or that there is none, with errno. Unknown numbers are fine.
 */
void local_dialed(struct engine *e, uint32_t number, int fd);
void local_refused(struct engine *e, uint32_t number, int err);

/* End those that waited too long. */
void local_tick(struct engine *e);

/* What there is to tell about one. */
struct local_info {
	const char *label; /* its service */
	const struct tunnel *tunnel;
	uint32_t id;	   /* of the stream */
	uint64_t up, down; /* bytes to the service and from it */
	uint64_t dropped;  /* datagrams */
	bool connected;
};

typedef void local_fn(void *arg, const struct local_info *i);

/* Call fn for each. */
void local_each(struct engine *e, local_fn *fn, void *arg);

#endif
