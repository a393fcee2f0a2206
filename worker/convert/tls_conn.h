/*
 * One connection of the role tls.
 *
 * A socketpair knows no reset. So the clean end of a direction is SHUT_WR,
 * and nobody closes before both directions are shut: whoever closes earlier
 * means a reset (PROTOCOL.md section 3). Towards the user a clean end is
 * close_notify; a bare FIN is a reset.
 */
#ifndef TLS_CONN_H
#define TLS_CONN_H

#include "common/ipc/msg.h"
#include "worker/convert/tls.h"

/*
 * Take over an accepted connection; flags: enum msg_edge_flag. It frees itself
 * when it has ended.
 */
void tls_conn_new(struct tls *t, uint32_t id, int fd,
    const struct msg_conn *who, uint8_t flags);

/* The plain end has come, or (-1) none is to be had. */
void tls_conn_plain(struct tls_conn *c, int fd);

/* The parent does not want it. */
void tls_conn_refuse(struct tls_conn *c);

/* The deadline of the queue that it was in has passed. */
void tls_conn_expired(struct tls_conn *c);

/* End it now, as if the network had reset it (`reset`), or in order. */
void tls_conn_end(struct tls_conn *c, enum msg_end why, bool reset);

/* Our last word is out: our end, and time for the peer to read it. */
void tls_conn_linger(struct tls_conn *c);

/*
 * Wait for these on its two sockets (EV_READ, EV_WRITE); 0, and on the plain
 * one all but EV_READ: for whatever happens, edge triggered.
 */
void tls_conn_watch(struct tls_conn *c, short net, short plain);

/* Keep the n bytes at p, behind those that it has. -1: no memory. */
int tls_piece_add(struct tls_piece *x, const void *p, size_t n);
void tls_piece_clear(struct tls_piece *x);

/*
 * tls_move.c: move what can be moved in these directions. *c may be gone
 * afterwards.
 */
void tls_move_run(struct tls_conn *c, bool up, bool down);

#endif
