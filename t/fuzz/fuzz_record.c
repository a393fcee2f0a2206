/*
 * A stream of records from a peer, and records that were touched. The first
 * byte picks the cipher; the rest is opened as a stream, then sealed, changed
 * in one bit and opened.
 */
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/record.h"

#define CIPHERS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t split_key[RECORD_KEY] = { 1 };

/* Every record of the stream, each from an allocation of its exact size. */
static void
open_stream(enum record_cipher c, const uint8_t *data, size_t size)
{
	struct record *r = record_new(c, split_key);
	ssize_t total, n = 0;
	uint8_t *copy;

	if (r == NULL)
		abort();
	while (n >= 0 && (total = record_length(data, size)) > 0 &&
	    (size_t)total <= size) {
		if (total > RECORD_HEAD + RECORD_MAX)
			abort();
		if ((copy = malloc((size_t)total)) == NULL)
			abort();
		memcpy(copy, data, (size_t)total);
		n = record_open(r, copy, (size_t)total);
		if (n == 0 || n > RECORD_PLAIN_MAX || n >= total)
			abort();
		free(copy);
		data += total;
		size -= (size_t)total;
	}
	record_free(r);
}

/* Seal the input; it opens as it was, but not with the bit `flip` changed. */
static void
seal_and_open(
    enum record_cipher c, const uint8_t *data, size_t size, size_t flip)
{
	struct record *tx = record_new(c, split_key);
	struct record *rx = record_new(c, split_key);
	struct record *bad = record_new(c, split_key);
	uint8_t *p = malloc(RECORD_HEAD + size + RECORD_TAG);
	uint8_t *q = malloc(RECORD_HEAD + size + RECORD_TAG);
	ssize_t total;

	if (tx == NULL || rx == NULL || bad == NULL || p == NULL || q == NULL)
		abort();
	memcpy(p + RECORD_HEAD, data, size);
	total = record_seal(tx, p, size);
	if (total != (ssize_t)(size + record_overhead(tx)))
		abort();
	memcpy(q, p, (size_t)total);
	if (record_open(rx, p, (size_t)total) != (ssize_t)size ||
	    memcmp(p + RECORD_HEAD, data, size) != 0)
		abort();
	flip %= 8 * (size_t)total;
	q[flip / 8] ^= (uint8_t)(1 << flip % 8);
	if (record_open(bad, q, (size_t)total) != -1 && c != RECORD_NONE)
		abort();
	record_free(tx);
	record_free(rx);
	record_free(bad);
	free(p);
	free(q);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum record_cipher c;

	if (size < 3)
		return 0;
	if (sodium_init() == -1 || record_init() == -1)
		abort();
	c = (enum record_cipher)(data[0] % CIPHERS);
	open_stream(c, data + 1, size - 1);
	if (size - 2 <= RECORD_PLAIN_MAX)
		seal_and_open(c, data + 2, size - 2, data[1] * size);
	return 0;
}
