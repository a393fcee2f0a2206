/*
 * A new configuration, taken over whole or not at all: read, its addresses
 * bound, its users loaded by `auth`; only then does anything change.
 */
#ifndef RELOAD_H
#define RELOAD_H

#include "common/ipc/ctl_server.h"
#include "master/master.h"

/* Begin, for call (NULL: a signal; faults then go to the log). */
void reload_begin(struct master *m, struct ctl_call *call);

/* We stop: forget one that goes on. */
void reload_cancel(struct master *m);

#endif
