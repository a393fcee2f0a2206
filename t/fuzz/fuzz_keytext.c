/* A text that decodes is the one text of its key. */
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/keytext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t key[KEYTEXT_KEY];
	char text[KEYTEXT_SIZE];

	if (sodium_init() == -1)
		abort();
	if (keytext_decode(key, (const char *)data, size) == 0 &&
	    (size != KEYTEXT_LEN ||
		memcmp(keytext_encode(text, key), data, size) != 0))
		abort();
	if (size < KEYTEXT_KEY)
		return 0;
	keytext_encode(text, data);
	if (keytext_decode(key, text, KEYTEXT_LEN) == -1 ||
	    memcmp(key, data, KEYTEXT_KEY) != 0)
		abort();
	return 0;
}
