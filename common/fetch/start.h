/* What every process of role `fetch` begins with. */
#ifndef START_H
#define START_H

#include <stddef.h>

#include "common/ipc/msg.h"

struct http;

/*
 * Fork the child that looks names up, in a sandbox like ours will be; see
 * lookup_fork().
 */
int start_lookup(const struct msg_boot *boot);

/* MSG_FETCH_CA: certificates out of fd, which is closed. -1: no such set. */
int start_take_ca(struct http *h, uint32_t which, int fd);

#endif
