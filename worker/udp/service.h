/*
 * A service with UDP ports: its sockets, its flows, and the flowpipe to the
 * relay that has its client.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include <stdint.h>

#include "worker/udp/udp.h"

/*
 * Serve datagrams over a new flowpipe, which it owns from now on; flows of an
 * earlier one end, ports stay. The service is made if it is not there.
 */
void service_set(struct udp *u, uint32_t number, int fd, uint32_t idle_ms);

/* Serve a bound socket, which it owns from now on, for that service. */
void service_port(
    struct udp *u, uint32_t number, int fd, const struct addr *local);

/* Close that port of it; 0: end the service. */
void service_gone(struct udp *u, uint32_t number, uint16_t port);

/* Close everything. */
void service_end_all(struct udp *u);

/* A flow was ended by a bound or by time: flows_ended_fn. */
void service_flow_ended(void *udp, struct flow *f);

/* Once a second: what was dropped is told; memory is given back. */
void service_tick(struct udp *u);

#endif
