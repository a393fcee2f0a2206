/* HMAC and HKDF with BLAKE2b. */
#include "common/crypto/hkdf.h"

#include <sodium.h>
#include <string.h>

#define BLOCK 128 /* of BLAKE2b (RFC 7693, section 2.1) */
#define IPAD 0x36
#define OPAD 0x5c

_Static_assert(HKDF_HASH == crypto_generichash_BYTES_MAX, "BLAKE2b-512");

static void
hash(uint8_t out[HKDF_HASH], const uint8_t pad[BLOCK], const void *a, size_t an,
    const void *b, size_t bn)
{
	crypto_generichash_state st;

	crypto_generichash_init(&st, NULL, 0, HKDF_HASH);
	crypto_generichash_update(&st, pad, BLOCK);
	crypto_generichash_update(&st, a, an);
	crypto_generichash_update(&st, b, bn);
	crypto_generichash_final(&st, out, HKDF_HASH);
	sodium_memzero(&st, sizeof(st));
}

void
hkdf_hmac(uint8_t out[HKDF_HASH], const uint8_t key[HKDF_HASH], const void *a,
    size_t an, const void *b, size_t bn)
{
	uint8_t inner[HKDF_HASH], ipad[BLOCK], opad[BLOCK];

	/* Keys are shorter than a block: filled up with zeros, not hashed. */
	memset(ipad, IPAD, BLOCK);
	memset(opad, OPAD, BLOCK);
	for (size_t i = 0; i < HKDF_HASH; i++) {
		ipad[i] ^= key[i];
		opad[i] ^= key[i];
	}
	hash(inner, ipad, a, an, b, bn);
	hash(out, opad, inner, HKDF_HASH, NULL, 0);
	sodium_memzero(inner, sizeof(inner));
	sodium_memzero(ipad, sizeof(ipad));
	sodium_memzero(opad, sizeof(opad));
}

void
hkdf_two(uint8_t out1[HKDF_HASH], uint8_t out2[HKDF_HASH],
    const uint8_t ck[HKDF_HASH], const void *ikm, size_t n)
{
	uint8_t temp[HKDF_HASH];

	hkdf_hmac(temp, ck, ikm, n, NULL, 0);
	hkdf_hmac(out1, temp, "\x01", 1, NULL, 0);
	hkdf_hmac(out2, temp, out1, HKDF_HASH, "\x02", 1);
	sodium_memzero(temp, sizeof(temp));
}
