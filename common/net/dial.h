/* Outgoing connections, never waited for. */
#ifndef DIAL_H
#define DIAL_H

#include <sys/socket.h>

/*
 * Begin to connect to a TCP (AF_INET, AF_INET6) or AF_UNIX stream address.
 * Returns a non-blocking, close-on-exec descriptor, with TCP_NODELAY, that
 * becomes writable when the matter is decided; or -1 with errno (AF_UNIX with
 * a full backlog: EAGAIN).
 */
int dial_start(const struct sockaddr *sa, socklen_t len);

/*
 * How it ended, asked once, when fd is writable: 0 if it is connected, or -1
 * with errno (ECONNREFUSED, ETIMEDOUT ...). fd stays the caller's.
 */
int dial_result(int fd);

#endif
