/* Names to addresses: asked of the role `resolve`, which is started for it. */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"

struct lookup;
struct parent;

#define LOOKUP_MAX 16 /* addresses of an answer; RESOLVE_MAX */

/* n addresses; or 0, and why. They live until it returns. */
typedef void (*lookup_fn)(
    void *arg, const struct addr *list, size_t n, const char *why);

/*
 * Ask for the addresses of host, each with that port. fn is called later,
 * once, and never before this returns. NULL with errno: there is no resolver.
 */
struct lookup *lookup_start(
    struct parent *p, const char *host, uint16_t port, lookup_fn fn, void *arg);

/* Forget it; fn will not be called. NULL is allowed. */
void lookup_cancel(struct lookup *l);

/* Forget all. */
void lookup_free_all(struct parent *p);

#endif
