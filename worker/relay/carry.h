/*
 * A client's connection before it is a tunnel. The relay only carries the
 * handshake: blobs of u16 length between the client and `keys`, which it can
 * neither make nor read. Further tunnels of a session prove a ticket instead.
 *
 * Every read asks for exactly what is expected next, so that nothing of the
 * session that follows is ever read too early.
 */
#ifndef CARRY_H
#define CARRY_H

#include "worker/relay/relay.h"

/* Take over a client's descriptor; `kind` and `transport` from the master. */
void carry_new(struct relay *r, uint32_t conn, int fd, const struct msg_conn *c,
    uint8_t kind, uint8_t transport);

/* MSG_HS_OUT, MSG_CLIENT, MSG_HS_KEYS, MSG_HS_FAIL. -1: not now. */
int carry_out(struct conn *c, const uint8_t *p, size_t n);
int carry_client(struct conn *c, uint64_t generation, uint32_t client,
    const char *id, uint32_t streams_max, uint64_t speed);
int carry_keys(struct conn *c, uint8_t cipher, const uint8_t tx[32],
    const uint8_t rx[32], const uint8_t root[32]);
void carry_fail(struct conn *c);

/* The handshake has taken too long; d is in relay->handshakes. */
void carry_expired(struct deadline *d);

#endif
