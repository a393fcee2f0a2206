/*
 * UDP sockets: non-blocking, close-on-exec, with buffers for bursts, and with
 * UDP_GRO where the kernel has it (datagrams of one sender come joined).
 */
#ifndef DATAGRAM_H
#define DATAGRAM_H

#include <sys/socket.h>

#include <stdint.h>

struct addr;

/* Bytes that may wait in a socket each way, if the system allows so many. */
#define DATAGRAM_BUFFER (16 * 1024 * 1024)

/*
 * Bind a port. ADDR_ANY: on all addresses, by one dual-stack IPv6 socket, or
 * an IPv4 one on a machine without IPv6. Each datagram comes with the address
 * that it was sent to (IP_PKTINFO, IPV6_PKTINFO). -1 with errno.
 */
int datagram_open(const struct addr *a);

/* Connect to a service. -1 with errno. */
int datagram_dial(const struct sockaddr *sa, socklen_t len);

/*
 * How many datagrams came that the socket had no room for, since it is there;
 * it begins again at 0 behind the highest number. 0 where the kernel does not
 * tell (before 4.12).
 */
uint32_t datagram_dropped(int fd);

#endif
