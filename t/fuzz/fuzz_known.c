/*
 * known_servers as anything. The file is parsed for one server: a key that is
 * found stands there in a line of its own, and the same text without its last
 * newline means the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/known.h"

#define SERVER "example.com:80"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t key[KEYTEXT_KEY] = { 0 }, again[KEYTEXT_KEY] = { 0 };
	char line[sizeof(SERVER) + 1 + KEYTEXT_SIZE] = SERVER " ";
	size_t at, at_again;
	char *copy;
	int found;

	/* Exactly as long as it is, so that the sanitizer sees the end. */
	if ((copy = malloc(size + 1)) == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	found = known_parse(copy, size, SERVER, key, &at);
	if (found < -1 || found > 1)
		abort();
	if (found == 1) {
		keytext_encode(line + strlen(line), key);
		if (memmem(copy, size, line, strlen(line)) == NULL)
			abort();
	}
	if (size > 0 && copy[size - 1] == '\n' &&
	    (known_parse(copy, size - 1, SERVER, again, &at_again) != found ||
		memcmp(key, again, sizeof(key)) != 0))
		abort();
	free(copy);
	return 0;
}
