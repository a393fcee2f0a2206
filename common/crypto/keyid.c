/* The name of a key pair. */
#include "common/crypto/keyid.h"

#include <openssl/sha.h>
#include <openssl/x509.h>
#include <string.h>

int
keyid_make(uint8_t id[SIGNING_KEY_ID], const EVP_PKEY *key)
{
	uint8_t hash[SHA256_DIGEST_LENGTH], *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	if (n <= 0)
		return -1;
	SHA256(der, (size_t)n, hash);
	OPENSSL_free(der);
	memcpy(id, hash, SIGNING_KEY_ID);
	return 0;
}
