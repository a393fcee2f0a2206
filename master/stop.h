/* The end: what is busy may finish, for a while. */
#ifndef STOP_H
#define STOP_H

#include "common/ipc/ctl_server.h"
#include "master/master.h"

/*
 * Take nobody any more, let connections end, at most timeouts.drain; the
 * second time, end at once. call (NULL: a signal) is answered at the end.
 */
void stop_begin(struct master *m, struct ctl_call *call);

/* End at once. */
void stop_now(struct master *m, struct ctl_call *call);

/* A worker has ended: perhaps it was the last that had anything. */
void stop_worker_gone(struct master *m);

void stop_free(struct master *m);

#endif
