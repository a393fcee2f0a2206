/*
 * Role `udp`: it has the sockets of the services' UDP ports, parses no
 * payload, and passes datagrams by flow between them and the relays.
 */
#ifndef UDP_H
#define UDP_H

#include <sys/queue.h>

#include "common/base/idmap.h"
#include "common/ipc/boot.h"
#include "common/tunnel/turn.h"
#include "common/ipc/serve.h"
#include "worker/udp/flows.h"

struct batch;

struct udp {
	struct serve serve;
	struct turn *turn;
	struct flows *flows;
	struct batch *batch;
	struct idmap services; /* by the master's number */
};

int udp_main(const struct msg_boot *boot);

#endif
