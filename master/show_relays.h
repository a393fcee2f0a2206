/*
 * The figures that only relays know, beside what the master knows of the same
 * connections: rows for `show streams` and `show tunnels`.
 */
#ifndef SHOW_RELAYS_H
#define SHOW_RELAYS_H

#include "common/ipc/chan.h"
#include "common/ipc/ctl_server.h"
#include "master/master.h"

#define SHOW_RELAYS_MS 2000 /* a relay that has not answered is left out */
#define SHOW_RELAYS_MAX 16  /* questions at a time */

/* Ask every relay, answer `call` as they do, and end it. */
void show_relays(struct master *m, struct ctl_call *call, enum msg_show what);

/* Forget all questions; their calls are gone. */
void show_relays_free(struct master *m);

/* MSG_ROW of a relay. */
int show_on_row(void *arg, const struct msg *msg);

#endif
