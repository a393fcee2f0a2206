/* The name of a key pair: a hash of its public half. */
#ifndef KEYID_H
#define KEYID_H

#include <stdint.h>

#include <openssl/evp.h>

#include "common/crypto/signing.h"

/* The first bytes of SHA-256 of the SubjectPublicKeyInfo. 0, or -1. */
int keyid_make(uint8_t id[SIGNING_KEY_ID], const EVP_PKEY *key);

#endif
