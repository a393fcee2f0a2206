/* What flow.c (its life) and flow_io.c (its datagrams) share. */
#ifndef FLOW_IO_H
#define FLOW_IO_H

#include <event2/event_struct.h>

#include "client/engine/flow.h"

struct flow {
	struct engine *engine;
	struct rules *rules;
	struct stream *stream; /* NULL once it has ended */
	LIST_ENTRY(flow) link;
	struct event ev;
	struct deadline deadline;
	struct grave grave;
	uint64_t up, down; /* bytes to the service and from it */
	uint64_t dropped;  /* datagrams, either way */
	uint8_t *early;	   /* what came before the socket: length, bytes */
	size_t nearly, early_size;
	uint32_t dial; /* its number while it waits for a socket, else 0 */
	int fd;
	int segment; /* UDP_SEGMENT of the socket, 0: off */
	bool apart;  /* joining does not work on this path */
	bool dead;
};

/* Send n datagrams to the service; what it does not take is lost. */
void flow_io_send(struct flow *f, const struct iovec *iov, int n);

/* The socket has something. */
void flow_io_receive(struct flow *f);

/* flow.c: something moves: the service's timeout begins anew. */
void flow_touch(struct flow *f);

/* flow.c: log it, once in a while. */
void flow_complain(struct flow *f, const char *why);

#endif
