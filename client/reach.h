/* A connection to a host: resolved, then each of its addresses in turn. */
#ifndef REACH_H
#define REACH_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"

struct parent;
struct reach;

/* While there are other addresses one of them may take so long. */
#define REACH_NEXT_MS 3000

/* fd is connected and the owner's, at *to; or -1, and why (and errno). */
typedef void (*reach_fn)(
    void *arg, int fd, const struct addr *to, const char *why);

/*
 * Connect to host:port, by name or by address, within timeout ms. fn is
 * called once, and never before this returns; then it is over and freed.
 * NULL: no memory.
 */
struct reach *reach_start(struct parent *p, const char *host, uint16_t port,
    uint64_t timeout, reach_fn fn, void *arg);

/* The same to the first of n addresses, at most LOOKUP_MAX, that answers. */
struct reach *reach_start_list(struct parent *p, const struct addr *list,
    size_t n, uint64_t timeout, reach_fn fn, void *arg);

/* Forget it; fn will not be called. NULL is allowed. */
void reach_cancel(struct reach *r);

#endif
