/* A frame of verifiers: what decodes encodes to the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/conf/verifier.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[1024];
	struct verifier v;
	struct buf b, out;
	uint32_t total;

	buf_read(&b, data, size);
	if (buf_get_u32(&b, &total) == -1)
		return 0;
	while (buf_left(&b) > 0) {
		size_t from = buf_used(&b);

		if (verifier_get(&b, &v) == -1)
			break;
		buf_write(&out, again, sizeof(again));
		if (verifier_put(&out, &v) == -1 ||
		    buf_used(&out) != buf_used(&b) - from ||
		    memcmp(again, data + from, buf_used(&out)) != 0)
			abort();
	}
	return 0;
}
