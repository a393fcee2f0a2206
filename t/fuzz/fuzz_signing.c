/*
 * What a hijacked tls worker asks to have signed: taken apart within its
 * bounds, never both of TLS 1.2 and 1.3, and it writes itself again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/crypto/signing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n + 1), *again = malloc(n + 1);
	struct signing s;
	struct buf b;

	memcpy(copy, data, n);
	buf_read(&b, copy, n);
	if (signing_get(&b, &s) == 0) {
		if (s.n > SIGNING_CONTENT_MAX)
			abort();
		if ((signing_hash(s.scheme) == NULL) !=
		    (signing_key_type(s.scheme) == NULL))
			abort();
		/* Of TLS 1.3 only what begins with its spaces. */
		if (signing_kind(s.content, s.n) == SIGNING_TLS13 &&
		    (s.n < 98 || s.content[0] != ' ' || s.content[64] != 'T'))
			abort();
		buf_write(&b, again, n);
		if (signing_put(&b, &s) == -1 || buf_used(&b) != n ||
		    memcmp(again, data, n) != 0)
			abort();
	}
	(void)signing_kind(copy, n);
	free(copy);
	free(again);
	return 0;
}
