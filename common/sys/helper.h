/*
 * A child that does what its parent shall not do, or not wait for. It is made
 * before the parent's own sandbox, locked into one, and spoken to through a
 * socketpair, packet by packet (SOCK_SEQPACKET).
 */
#ifndef HELPER_H
#define HELPER_H

struct sandbox;

/*
 * Fork it. Call this before event bases and channels exist: the child closes
 * descriptor `close_fd` (-1: none), so that the parent's channel ends with the
 * parent, enters `box` (NULL: none, for tests), serves its end of the
 * socketpair, and exits when serve() returns: at the latest when the parent
 * has closed the other. Returns that other end, or -1 with errno.
 */
int helper_fork(const struct sandbox *box, int close_fd, void (*serve)(int fd));

#endif
