/* All of the master's tables, as a state file (state.h). */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "master/master.h"
#include "master/state.h"

/*
 * Write the state file. exe_fd and call_fd go into its head. Returns its
 * descriptor, or -1 with errno.
 */
int snapshot_make(struct master *m, int exe_fd, int call_fd);

#endif
