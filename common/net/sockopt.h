/*
 * Socket options, each (level, option) of which the sandbox names too
 * (common/sys/sandbox_calls.c). On sockets that are not TCP (socketpairs,
 * AF_UNIX) TCP's options are passed over.
 */
#ifndef SOCKOPT_H
#define SOCKOPT_H

#include <stdbool.h>

/* Unsent bytes in the kernel below which a tunnel is writable again. */
#define SOCKOPT_TUNNEL_LOWAT (128 * 1024)

/* A silent tunnel is probed after this, and given up after three probes. */
#define SOCKOPT_KEEPALIVE_IDLE 60  /* seconds */
#define SOCKOPT_KEEPALIVE_EVERY 15 /* seconds */
#define SOCKOPT_KEEPALIVE_COUNT 3
#define SOCKOPT_USER_TIMEOUT 105000 /* ms without an ACK: the same time */

/*
 * What a tunnel's socket needs: TCP_NODELAY, TCP_NOTSENT_LOWAT, keepalive,
 * TCP_USER_TIMEOUT. Returns 0, or -1 with errno.
 */
int sockopt_tunnel(int fd);

/*
 * TCP_CONGESTION `name`. Returns 0, or -1 with errno: ENOENT if the kernel
 * has none of the name, EPERM if an unprivileged process may not choose it.
 * Whoever still has privilege (the master, before it passes a tunnel on) does
 * this; a listener's choice is inherited.
 */
int sockopt_congestion(int fd, const char *name);

int sockopt_nodelay(int fd);

/* close() resets (true: SO_LINGER {1, 0}) or ends in order (false). */
int sockopt_reset_on_close(int fd, bool reset);

/* Hold back what is not a full segment (true), or let it go (false). */
int sockopt_cork(int fd, bool on);

#endif
