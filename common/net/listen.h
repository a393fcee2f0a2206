/*
 * Listeners: bound once, kept for ever.
 *
 * Every listener is non-blocking and close-on-exec, with SO_REUSEADDR and a
 * backlog of LISTEN_BACKLOG, and has SO_LINGER {1, 0} and TCP_NODELAY, which
 * accepted sockets inherit: who dies with a connection in hand thereby resets
 * it (DESIGN.md section 2.1).
 */
#ifndef LISTEN_H
#define LISTEN_H

#include <stdbool.h>

struct addr;

#define LISTEN_BACKLOG 4096 /* the kernel's own default limit */
#define LISTEN_WHY 160	    /* bytes for a reason, with its terminator */

/*
 * Listen on an address. ADDR_ANY: on all, by one dual-stack IPv6 socket, or an
 * IPv4 one on a machine without IPv6; ADDR_V6 is IPv6 alone. Port 0 takes any
 * free one. `defer`: TCP_DEFER_ACCEPT 1, only where the peer speaks first.
 *
 * Returns the descriptor, or -1 with errno and its reason, address included
 * ("127.0.0.1:80: Permission denied (ports below 1024 need root)"), in why.
 */
int listen_open(const struct addr *a, bool defer, char why[static LISTEN_WHY]);

/*
 * The bound address of a listener, or the local one of a connection, which
 * has the real port. Returns 0, or -1 with errno.
 */
int listen_local(int fd, struct addr *a);

#endif
