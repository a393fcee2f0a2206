/*
 * Certificates and keys as they come to tls and sign: whatever comes is read
 * within its bounds, and what could be read writes itself again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int
again_certs(struct bundle *x, struct buf *out)
{
	struct bundle_cert c;
	int more;

	bundle_put_head(out, BUNDLE_CERTS, x->floor, x->left);
	while ((more = bundle_cert(x, &c)) == 1) {
		bundle_put_name(out, c.name, c.depth);
		for (size_t i = 0; i < c.depth; i++)
			bundle_put_der(out, c.chain[i].p, c.chain[i].n);
	}
	return more;
}

static int
again_keys(struct bundle *x, struct buf *out)
{
	struct bundle_der k;
	int more;

	bundle_put_head(out, BUNDLE_KEYS, x->floor, x->left);
	while ((more = bundle_key(x, &k)) == 1)
		bundle_put_der(out, k.p, k.n);
	return more;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n + 1), *again = malloc(n + 1);
	struct bundle x;
	struct buf out;
	int end = -1;

	memcpy(copy, data, n);
	buf_write(&out, again, n);
	if (bundle_read(&x, BUNDLE_CERTS, copy, n) == 0)
		end = again_certs(&x, &out);
	else if (bundle_read(&x, BUNDLE_KEYS, copy, n) == 0)
		end = again_keys(&x, &out);
	if (end == 0 &&
	    (!buf_ok(&out) || buf_used(&out) != n ||
		memcmp(again, data, n) != 0))
		abort();
	free(copy);
	free(again);
	return 0;
}
