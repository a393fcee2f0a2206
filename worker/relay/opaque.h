/*
 * Users whose bytes are nobody's business: those of tcp ports, of TLS that is
 * passed through, of CONNECT. Such a user (u->opaque) has one upstream, from
 * the beginning, for it may be the service that speaks first. Whatever cannot
 * be answered is a reset.
 */
#ifndef OPAQUE_H
#define OPAQUE_H

#include "common/tunnel/frame.h"
#include "worker/relay/user.h"

/*
 * Begin, with the service of that session; s may be NULL: it has just died,
 * and the master is asked where it is now. -1: no memory.
 */
int opaque_start(
    struct user *u, struct session *s, uint16_t service, const char *name);

/*
 * Pass the n bytes at p on, as request_feed() does; n may be 0. The user may
 * be dead then.
 */
size_t opaque_feed(struct user *u, const uint8_t *p, size_t n);

/* Its upstream is gone: so is the user, unless nothing had been sent yet. */
void opaque_lost(struct user *u, enum reset reason);

/* It cannot be served. `text` may be NULL. The user is dead then. */
void opaque_refuse(struct user *u, int status, const char *text);

#endif
