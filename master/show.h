/* `ptpctl show`: the master's tables as rows, the relays' figures with them. */
#ifndef SHOW_H
#define SHOW_H

#include "common/ipc/ctl_server.h"
#include "master/master.h"

struct client;

/* Answer `show what`. -1: there is no such thing; call is still open. */
int show(struct master *m, struct ctl_call *call, const char *what);

/* How many users of its UDP ports the client has, as relays count them. */
uint64_t show_flows_of(const struct master *m, const struct client *client);

/* Answer `status`. */
void show_status(struct master *m, struct ctl_call *call);

#endif
