/*
 * A new binary takes over under the same pid (PROTOCOL.md section 3).
 */
#ifndef RESTART_H
#define RESTART_H

#include "common/ipc/ctl_server.h"
#include "master/master.h"

/* Begin, for call. Returns only if the old binary stays for now. */
void restart_begin(struct master *m, struct ctl_call *call);

#endif
