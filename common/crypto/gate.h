/*
 * What a client tells the server of a service's secrets (its `basic` and its
 * `token`): a hash that only fits this service (PROTOCOL.md section 3).
 *
 *	key  = BLAKE2b-256("ptp1 gate", id length u8, id, index u16)
 *	hash = BLAKE2b-256(key: key, secret)
 */
#ifndef GATE_H
#define GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GATE_HASH 32

/* The hash of n bytes of secret, for a service of the client `id`. */
void gate_hash(uint8_t hash[GATE_HASH], const char *id, uint16_t index,
    const void *secret, size_t n);

/* Whether they are equal; in constant time. */
bool gate_equal(const uint8_t a[GATE_HASH], const uint8_t b[GATE_HASH]);

#endif
