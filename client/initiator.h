/*
 * One handshake and login, the client's side of it (PROTOCOL.md section 1;
 * the messages: common/tunnel/login.h). No input or output of its own.
 */
#ifndef INITIATOR_H
#define INITIATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/identity.h"
#include "common/crypto/noise.h"
#include "common/ipc/msg.h"

struct initiator;

/*
 * Takes what a handshake has to say, as frames of the message table: HS_OUT,
 * SERVER_KEY, HS_KEYS, HS_FAIL. It must not free the handshake.
 */
typedef void (*initiator_say)(
    void *arg, uint8_t type, uint32_t conn, const void *p, size_t n);

/*
 * Begin one for the connection `conn`: says message 1. `id`, which must
 * outlive it, is copied from; `fresh` is our static key unless id has one.
 * NULL: no memory, or *s is no use.
 */
struct initiator *initiator_new(uint32_t conn, const struct identity *id,
    const struct noise_key *fresh, const struct identity_start *s,
    initiator_say say, void *arg);

/* Wipe and free. */
void initiator_free(struct initiator *h);

/* A blob came from the server. */
void initiator_blob(struct initiator *h, const uint8_t *p, size_t n);

/* What became of the server's key. Out of order: the handshake ends. */
void initiator_trust(struct initiator *h, enum trust trust);

/* It has said HS_KEYS or HS_FAIL, or may not go on. */
bool initiator_ended(const struct initiator *h);

uint32_t initiator_conn(const struct initiator *h);

#endif
