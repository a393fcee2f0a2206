/* Secrets of services, hashed. */
#include "common/crypto/gate.h"

#include <sodium.h>
#include <string.h>

void
gate_hash(uint8_t hash[GATE_HASH], const char *id, uint16_t index,
    const void *secret, size_t n)
{
	static const char label[] = "ptp1 gate";
	uint8_t key[GATE_HASH], length = (uint8_t)strlen(id);
	uint8_t number[2] = { (uint8_t)(index >> 8), (uint8_t)index };
	crypto_generichash_state st;

	crypto_generichash_init(&st, NULL, 0, sizeof(key));
	crypto_generichash_update(
	    &st, (const uint8_t *)label, sizeof(label) - 1);
	crypto_generichash_update(&st, &length, 1);
	crypto_generichash_update(&st, (const uint8_t *)id, length);
	crypto_generichash_update(&st, number, sizeof(number));
	crypto_generichash_final(&st, key, sizeof(key));
	crypto_generichash(hash, GATE_HASH, secret, n, key, sizeof(key));
	sodium_memzero(key, sizeof(key));
}

bool
gate_equal(const uint8_t a[GATE_HASH], const uint8_t b[GATE_HASH])
{
	return sodium_memcmp(a, b, GATE_HASH) == 0;
}
