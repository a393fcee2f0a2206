/*
 * What a peer may send in a handshake. The first byte says which message is
 * replaced by the rest of the input; the messages before it are genuine. All
 * keys are fixed, so that a genuine message is a seed: it must be read, and
 * nothing else may be taken from the second message on.
 */
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/noise.h"

#define MESSAGES 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ends_init(struct noise end[2])
{
	uint8_t secret[NOISE_KEY];
	struct noise_key key[4];

	for (int i = 0; i < 4; i++) {
		memset(secret, i + 1, sizeof(secret));
		noise_key_from_secret(&key[i], secret);
	}
	noise_init(&end[0], true, "ptp1", 4, &key[0], &key[1]);
	noise_init(&end[1], false, "ptp1", 4, &key[2], &key[3]);
}

/* What message number i is if nobody touches it. */
static size_t
genuine(struct noise end[2], int i, uint8_t msg[NOISE_MSG_MAX])
{
	size_t n;

	if (noise_write(&end[i % 2], "hello", 5, msg, NOISE_MSG_MAX, &n) == -1)
		abort();
	return n;
}

static void
attack(struct noise *victim, int which, const uint8_t *msg, size_t n,
    const uint8_t *right, size_t right_n)
{
	uint8_t payload[NOISE_MSG_MAX];
	struct noise_cipher tx, rx;
	size_t plen = 0;
	int same = n == right_n && memcmp(msg, right, n) == 0;
	int rc = noise_read(victim, msg, n, payload, sizeof(payload), &plen);

	if (rc == 0 && plen > n)
		abort();
	if (same != (rc == 0) && (same || which > 0))
		abort();
	if (rc == -1 && (noise_done(victim) || noise_remote(victim) != NULL))
		abort();
	if (rc == -1 && noise_split(victim, &tx, &rx) == 0)
		abort();
	if (rc == 0 && which < MESSAGES - 1)
		/* May fail: the key it sent may be of small order. */
		(void)noise_write(
		    victim, NULL, 0, payload, sizeof(payload), &plen);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct noise end[2];
	uint8_t msg[NOISE_MSG_MAX], payload[NOISE_MSG_MAX];
	size_t n, plen;
	int which;

	if (size == 0)
		return 0;
	if (sodium_init() == -1)
		abort();
	which = data[0] % MESSAGES;
	ends_init(end);
	for (int i = 0; i < which; i++) {
		n = genuine(end, i, msg);
		if (noise_read(&end[(i + 1) % 2], msg, n, payload,
			sizeof(payload), &plen) == -1)
			abort();
	}
	n = genuine(end, which, msg);
	attack(&end[(which + 1) % 2], which, data + 1, size - 1, msg, n);
	return 0;
}
