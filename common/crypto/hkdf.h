/*
 * HMAC (RFC 2104) and HKDF (RFC 5869) with unkeyed BLAKE2b-512 as the hash,
 * as Noise wants them (section 4.3): BLAKE2b's own keyed mode is another
 * function.
 */
#ifndef HKDF_H
#define HKDF_H

#include <stddef.h>
#include <stdint.h>

#define HKDF_HASH 64 /* bytes of a hash, and of a key here */

/*
 * HMAC under key of the an bytes at a, then the bn bytes at b (either may be
 * NULL, 0). out may be any of the arguments.
 */
void hkdf_hmac(uint8_t out[HKDF_HASH], const uint8_t key[HKDF_HASH],
    const void *a, size_t an, const void *b, size_t bn);

/*
 * HKDF with two outputs, of the chaining key ck and the n bytes of input key
 * material at ikm (NULL, 0: none). out1 may be ck; out2 may not.
 */
void hkdf_two(uint8_t out1[HKDF_HASH], uint8_t out2[HKDF_HASH],
    const uint8_t ck[HKDF_HASH], const void *ikm, size_t n);

#endif
