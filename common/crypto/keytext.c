/* Keys as text. */
#include "common/crypto/keytext.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

_Static_assert(
    KEYTEXT_SIZE == sodium_base64_ENCODED_LEN(KEYTEXT_KEY, VARIANT), "base64");

char *
keytext_encode(char text[KEYTEXT_SIZE], const uint8_t key[KEYTEXT_KEY])
{
	return sodium_bin2base64(text, KEYTEXT_SIZE, key, KEYTEXT_KEY, VARIANT);
}

/*
 * Encode it again and compare: libsodium 1.0.18 takes bytes above 0x7f for
 * an 'A' where char is signed, and its rules may change.
 */
static int
canonical(const uint8_t key[KEYTEXT_KEY], const char text[KEYTEXT_LEN])
{
	char again[KEYTEXT_SIZE];
	int rc = sodium_memcmp(keytext_encode(again, key), text, KEYTEXT_LEN);

	sodium_memzero(again, sizeof(again));
	return rc;
}

int
keytext_decode(uint8_t key[KEYTEXT_KEY], const char *text, size_t n)
{
	uint8_t bin[KEYTEXT_KEY];
	size_t len;
	int rc = -1;

	if (n == KEYTEXT_LEN &&
	    sodium_base642bin(
		bin, sizeof(bin), text, n, NULL, &len, NULL, VARIANT) == 0 &&
	    len == KEYTEXT_KEY && canonical(bin, text) == 0) {
		memcpy(key, bin, KEYTEXT_KEY);
		rc = 0;
	} else
		errno = EINVAL;
	sodium_memzero(bin, sizeof(bin));
	return rc;
}
