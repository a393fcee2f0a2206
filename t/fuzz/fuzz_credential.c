/* What parses is the one meaning of its value; what does not is wiped. */
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/http/credential.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct head_view value = { (const char *)data, size };
	char again[2048] = "Basic ";
	struct credential c, d;
	struct head_view token;

	if (sodium_init() == -1)
		abort();
	if (credential_parse(&c, value) == -1) {
		if (c.n != 0 ||
		    !sodium_is_zero((const uint8_t *)c.text, sizeof(c.text)))
			abort();
		return 0;
	}
	token = credential_token(&c);
	if (c.n == 0 || c.n > CREDENTIAL_MAX || c.password > c.n ||
	    token.n != c.n - c.password || strlen(c.text) != c.n)
		abort();
	if (c.kind != CREDENTIAL_BASIC)
		return 0;
	sodium_bin2base64(again + 6, sizeof(again) - 6,
	    (const unsigned char *)c.text, c.n, sodium_base64_VARIANT_ORIGINAL);
	value.p = again;
	value.n = strlen(again);
	if (credential_parse(&d, value) == -1 || memcmp(&c, &d, sizeof(c)) != 0)
		abort();
	return 0;
}
