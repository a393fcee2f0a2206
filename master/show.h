/* `ptpctl show`: the master's tables as rows, the relays' figures with them. */
#ifndef SHOW_H
#define SHOW_H

#include "common/ipc/ctl_server.h"
#include "master/master.h"

/* Answer `show what`. -1: there is no such thing; call is still open. */
int show(struct master *m, struct ctl_call *call, const char *what);

/* Answer `status`. */
void show_status(struct master *m, struct ctl_call *call);

#endif
