/* What is bounded, by how much, and how much of it is in use, as rows. */
#ifndef SHOW_LIMITS_H
#define SHOW_LIMITS_H

#include "common/ipc/ctl_server.h"
#include "master/master.h"

/* The rows of `show limits`: first the server's, then each client's. */
void show_limits(struct master *m, struct ctl_call *call);

#endif
