/*
 * The private keys of certificates, by a hash of their public halves. What
 * was there before the last load stays until the next: handshakes under way
 * may still want it.
 */
#ifndef KEYRING_H
#define KEYRING_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/crypto/signing.h"

struct keyring;

/* NULL: no memory. */
struct keyring *keyring_new(void);
void keyring_free(struct keyring *k);

/*
 * Load the n bytes at p (crypto/bundle.h). 0, or -1: malformed, or no memory,
 * and nothing has changed.
 */
int keyring_load(struct keyring *k, const void *p, size_t n);

/* The key of this id, or NULL; it stays the ring's. */
EVP_PKEY *keyring_find(
    const struct keyring *k, const uint8_t id[SIGNING_KEY_ID]);

/* Whether the keys are for TLS 1.3 alone. */
bool keyring_floor(const struct keyring *k);

#endif
