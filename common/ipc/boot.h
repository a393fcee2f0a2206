/*
 * The first steps of every worker: BOOT, the sandbox, READY. Its main then
 * reads top to bottom: boot_receive, libraries, event base, boot_enter, loop.
 */
#ifndef BOOT_H
#define BOOT_H

#include "common/ipc/chan.h"
#include "common/ipc/msg.h"

/*
 * Wait for the BOOT frame on MSG_CHANNEL_FD, at most 10 s. 0, or -1: there is
 * none, or it is malformed; the process ends then.
 */
int boot_receive(struct msg_boot *m);

/*
 * Open the channel, send the log up it, enter the sandbox of that role and
 * say READY. Everything that the sandbox forbids to make must exist. Returns
 * the channel, or NULL: the process ends then.
 */
struct chan *boot_enter(struct event_base *base, const struct msg_boot *m,
    const struct chan_ops *ops, void *arg);

#endif
