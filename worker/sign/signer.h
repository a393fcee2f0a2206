/* One question of a tls worker: is it to be signed, and the signature. */
#ifndef SIGNER_H
#define SIGNER_H

#include <stddef.h>
#include <stdint.h>

#include "worker/sign/keyring.h"

/*
 * Sign what the n bytes at p (the payload of MSG_SIGN) ask for, into
 * sig[SIGNING_SIGNATURE_MAX]; *len becomes its size, which is the key's to
 * say. -1: it is not signed, as it is no content of a server's handshake, the
 * key is not there, or not of that kind.
 */
int signer_sign(const struct keyring *k, const uint8_t *p, size_t n,
    uint8_t *sig, size_t *len);

#endif
