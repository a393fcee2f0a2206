/* An address of a server that parses prints as one that parses to the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf/server_addr.h"

#define TEXT_MAX 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char s[TEXT_MAX + 1], text[SERVER_ADDR_MAX], again[SERVER_ADDR_MAX];
	struct server_addr a, back;

	if (size > TEXT_MAX)
		size = TEXT_MAX;
	memcpy(s, data, size);
	s[size] = '\0';
	if (server_addr_parse(&a, s) != NULL)
		return 0;
	server_addr_format(text, &a, true);
	if (server_addr_parse(&back, text) != NULL ||
	    memcmp(&a, &back, sizeof(a)) != 0)
		abort();
	server_addr_format(again, &a, false);
	if (strlen(again) > strlen(text))
		abort();
	return 0;
}
