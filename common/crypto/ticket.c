/* Tickets of further connections: keys, proofs, record keys. */
#include "common/crypto/ticket.h"

#include <sodium.h>
#include <string.h>

#define LABEL_ROOT "ptp1 ticket root"
#define LABEL_CLIENT "ptp1 ticket client"
#define LABEL_SERVER "ptp1 ticket server"
#define LABEL_SPLIT "ptp1 ticket split"

_Static_assert(2 * TICKET_KEY <= crypto_generichash_KEYBYTES_MAX, "root");
_Static_assert(2 * TICKET_KEY <= crypto_generichash_BYTES_MAX, "split");

/* BLAKE2b-256 of a label under one key. */
static void
derive(uint8_t out[TICKET_KEY], const uint8_t *key, size_t n, const char *label)
{
	crypto_generichash(
	    out, TICKET_KEY, (const uint8_t *)label, strlen(label), key, n);
}

static void
begin(crypto_generichash_state *st, const uint8_t key[TICKET_KEY], size_t out,
    const char *label)
{
	crypto_generichash_init(st, key, TICKET_KEY, out);
	crypto_generichash_update(st, (const uint8_t *)label, strlen(label));
}

/* lv(x): the length keeps one field's end from being another's start. */
static void
add(crypto_generichash_state *st, const void *x, size_t n)
{
	uint8_t length[8];
	uint64_t left = n;

	for (size_t i = sizeof(length); i > 0; i--, left >>= 8)
		length[i - 1] = (uint8_t)left;
	crypto_generichash_update(st, length, sizeof(length));
	crypto_generichash_update(st, x, n);
}

static void
add_transcript(crypto_generichash_state *st, const struct ticket_flight *f)
{
	add(st, f->preface, f->preface_len);
	add(st, f->transport, f->transport_len);
	add(st, f->exporter, f->exporter_len);
	crypto_generichash_update(st, f->client_nonce, TICKET_NONCE);
}

static void
end(crypto_generichash_state *st, uint8_t *out, size_t n)
{
	crypto_generichash_final(st, out, n);
	sodium_memzero(st, sizeof(*st));
}

void
ticket_root(uint8_t root[TICKET_KEY], const uint8_t c2s[TICKET_KEY],
    const uint8_t s2c[TICKET_KEY])
{
	uint8_t both[2 * TICKET_KEY];

	memcpy(both, c2s, TICKET_KEY);
	memcpy(both + TICKET_KEY, s2c, TICKET_KEY);
	derive(root, both, sizeof(both), LABEL_ROOT);
	sodium_memzero(both, sizeof(both));
}

void
ticket_next(uint8_t root[TICKET_KEY], uint8_t key[TICKET_KEY])
{
	uint8_t next[TICKET_KEY];

	derive(key, root, TICKET_KEY, "ticket");
	derive(next, root, TICKET_KEY, "next");
	memcpy(root, next, TICKET_KEY);
	sodium_memzero(next, sizeof(next));
}

void
ticket_nonce(uint8_t nonce[TICKET_NONCE])
{
	randombytes_buf(nonce, TICKET_NONCE);
}

void
ticket_client_mac(uint8_t mac[TICKET_MAC], const uint8_t key[TICKET_KEY],
    const struct ticket_flight *f)
{
	crypto_generichash_state st;

	begin(&st, key, TICKET_MAC, LABEL_CLIENT);
	add_transcript(&st, f);
	end(&st, mac, TICKET_MAC);
}

void
ticket_server_mac(uint8_t mac[TICKET_MAC], const uint8_t key[TICKET_KEY],
    const struct ticket_flight *f)
{
	crypto_generichash_state st;

	begin(&st, key, TICKET_MAC, LABEL_SERVER);
	add_transcript(&st, f);
	crypto_generichash_update(&st, f->server_nonce, TICKET_NONCE);
	end(&st, mac, TICKET_MAC);
}

int
ticket_mac_verify(
    const uint8_t mac[TICKET_MAC], const uint8_t expected[TICKET_MAC])
{
	return sodium_memcmp(mac, expected, TICKET_MAC);
}

void
ticket_split(const uint8_t key[TICKET_KEY], const struct ticket_flight *f,
    uint8_t c2s[TICKET_KEY], uint8_t s2c[TICKET_KEY])
{
	crypto_generichash_state st;
	uint8_t both[2 * TICKET_KEY];

	begin(&st, key, sizeof(both), LABEL_SPLIT);
	crypto_generichash_update(&st, f->client_nonce, TICKET_NONCE);
	crypto_generichash_update(&st, f->server_nonce, TICKET_NONCE);
	end(&st, both, sizeof(both));
	memcpy(c2s, both, TICKET_KEY);
	memcpy(s2c, both + TICKET_KEY, TICKET_KEY);
	sodium_memzero(both, sizeof(both));
}
