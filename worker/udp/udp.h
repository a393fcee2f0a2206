/*
 * Role `udp`: it has the sockets of the services' UDP ports, parses no
 * payload, and passes datagrams by flow between them and the relays.
 */
#ifndef UDP_H
#define UDP_H

#include <sys/queue.h>

#include "common/base/idmap.h"
#include "common/ipc/boot.h"
#include "common/ipc/msg.h"
#include "common/tunnel/turn.h"
#include "common/ipc/serve.h"
#include "worker/udp/flows.h"

struct batch;

struct udp {
	struct serve serve;
	struct turn *turn;
	struct flows *flows;
	struct batch *batch;
	uint32_t source_max; /* flows of a source; 0: as many as flows.h has */
	uint8_t ntrusted;    /* peers who are not counted */
	struct addr_block trusted[MSG_TRUSTED_MAX];
	uint64_t complained;   /* turn_now() of the last line on that */
	struct idmap services; /* by the master's number */
};

int udp_main(const struct msg_boot *boot);

#endif
