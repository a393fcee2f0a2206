/*
 * Datagrams of a UDP port, many at a time. What the kernel has joined
 * (UDP_GRO) is taken apart; what goes to one user in equal sizes is joined
 * (UDP_SEGMENT), where the kernel and the network card can do that.
 */
#ifndef BATCH_H
#define BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"

struct batch;

/* Space for both directions; for one port at a time. NULL: no memory. */
struct batch *batch_new(void);
void batch_free(struct batch *b);

/*
 * Called for n bytes that came from peer to local (port included), which are
 * one datagram, or several of `size` bytes each but for the last.
 */
typedef void batch_fn(void *arg, const struct addr *peer,
    const struct addr *local, const uint8_t *p, size_t n, size_t size);

/*
 * Receive once what waits at fd, which is bound to `port`. Returns how many
 * messages came; 0: none wait. Errors that the network reports to a socket
 * are passed over.
 */
size_t batch_receive(
    struct batch *b, int fd, uint16_t port, batch_fn *fn, void *arg);

/*
 * Have n bytes at p, which must stay there, sent from `local` to `peer` by
 * fd (`six`: a socket of IPv6), at the next batch_send() or before. Returns how
 * many datagrams could not be sent on the way.
 */
size_t batch_add(struct batch *b, int fd, bool six, const struct addr *peer,
    const struct addr *local, const void *p, size_t n);

/* Send them. Returns how many datagrams could not be. */
size_t batch_send(struct batch *b);

#endif
