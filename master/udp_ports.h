/*
 * Clients' UDP ports: role `udp` gets the sockets, and for each service that
 * has some a socketpair to the relay of its session. Which ports those are is
 * in ports.h; this only sees to it that role `udp` has just them.
 */
#ifndef UDP_PORTS_H
#define UDP_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ipc/chan.h"
#include "master/master.h"

struct port;
struct session;
struct udp_ports;

#define UDP_PORTS_RETRY_MS 1000 /* after a socketpair has ended */
#define UDP_PORTS_IDLE_MS 60000 /* of a flow, if its service says nothing */

/* For struct master. */
struct udp_ports *udp_ports_new(struct master *m);
void udp_ports_free(struct udp_ports *t);

/* Some user may have a UDP port: role `udp` is needed. */
bool udp_ports_wanted(const struct master *m);

/* The session was granted ports, or has others now. */
void udp_ports_update(struct master *m, struct session *s);

/* That port is being closed. */
void udp_ports_closing(struct port *p);

/* A new worker of role `udp` is ready; or the one there was is gone. */
void udp_ports_ready(struct master *m);
void udp_ports_worker_gone(struct master *m);

/* Datagrams dropped by role `udp` for the service of that port. */
uint64_t udp_ports_dropped(const struct port *p);

/* Frames of role `udp`. */
int udp_ports_on_lost(void *worker, const struct msg *msg);
int udp_ports_on_drops(void *worker, const struct msg *msg);

#endif
