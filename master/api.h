/* Role api: its connections, and what it asks about our tables. */
#ifndef MASTER_API_H
#define MASTER_API_H

#include "common/ipc/chan.h"
#include "master/master.h"

/* A connection of listen.api (fd is owned): to the worker, or closed. */
void api_take(struct master *m, int fd);

/* Whether listen.api speaks TLS. */
bool api_is_secure(const struct master *m);

/* MSG_QUERY. */
int api_on_query(void *arg, const struct msg *msg);

#endif
