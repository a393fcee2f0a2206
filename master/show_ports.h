/* `ptpctl show`: clients' public ports as rows. */
#ifndef SHOW_PORTS_H
#define SHOW_PORTS_H

#include <stdint.h>

#include "common/ipc/ctl_server.h"
#include "master/clients.h"
#include "master/master.h"

/* A row for each port, as a route or as a listener. */
void show_ports_routes(struct master *m, struct ctl_call *call);
void show_ports_listeners(struct master *m, struct ctl_call *call);

/* How many ports are open for a client. */
uint64_t show_ports_of(const struct client *client);

#endif
