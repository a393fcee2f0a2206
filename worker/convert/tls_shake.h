/*
 * One connection of the role tls, until its plain end is asked for: the header
 * of a load balancer, the handshake, the first bytes. Each of these may end
 * the connection.
 */
#ifndef TLS_SHAKE_H
#define TLS_SHAKE_H

#include "worker/convert/tls_conn.h"

/* Take the header out in front of the handshake, once it is whole. */
void tls_shake_header(struct tls_conn *c);

/* Go on with the handshake. */
void tls_shake_go(struct tls_conn *c);

/* Its signature has come, or will not come: struct ask is in a tls_conn. */
void tls_shake_answered(struct ask *a);

/*
 * Behind us an edge will look at the first bytes without taking them, out of
 * a socketpair that holds few writes: so they come to it in one piece.
 */
void tls_shake_gather(struct tls_conn *c);

/* Tell the parent who that is, and ask for the plain end. */
void tls_shake_offer(struct tls_conn *c, bool late);

/* A line on what went wrong, if there are not too many. */
void tls_shake_log(struct tls_conn *c, const char *why);

#endif
