/* `ptpctl show users`: who may log in, and what each may have. */
#ifndef SHOW_USERS_H
#define SHOW_USERS_H

#include "common/ipc/ctl_server.h"
#include "master/master.h"

/* The rows alone; the caller ends the call. */
void show_users(struct master *m, struct ctl_call *call);

#endif
