/* Ids that the first secret holds. */
#include "worker/guard/held.h"

#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096 /* a power of two */
#define HASH 32

struct entry {
	struct entry *next;
	uint8_t hash[HASH];
	char id[TEXT_LABEL_MAX + 1];
};

struct held {
	uint8_t *key; /* guarded: of the hashes */
	uint8_t place[crypto_shorthash_KEYBYTES];
	size_t count;
	struct entry *bucket[BUCKETS];
};

struct held *
held_new(void)
{
	struct held *h;

	if ((h = calloc(1, sizeof(*h))) == NULL)
		return NULL;
	if ((h->key = sodium_malloc(crypto_generichash_KEYBYTES)) == NULL) {
		free(h);
		return NULL;
	}
	randombytes_buf(h->key, crypto_generichash_KEYBYTES);
	sodium_mprotect_readonly(h->key);
	crypto_shorthash_keygen(h->place);
	return h;
}

void
held_free(struct held *h)
{
	struct entry *e;

	if (h == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while ((e = h->bucket[i]) != NULL) {
			h->bucket[i] = e->next;
			free(e);
		}
	}
	sodium_free(h->key);
	free(h);
}

size_t
held_count(const struct held *h)
{
	return h->count;
}

/* Where the entry of an id hangs, or would. */
static struct entry **
find(struct held *h, const char *id, size_t n)
{
	uint8_t hash[crypto_shorthash_BYTES];
	struct entry **at;
	uint32_t i;

	crypto_shorthash(hash, (const uint8_t *)id, n, h->place);
	memcpy(&i, hash, sizeof(i));
	for (at = &h->bucket[i % BUCKETS]; *at != NULL; at = &(*at)->next)
		if (strlen((*at)->id) == n && memcmp((*at)->id, id, n) == 0)
			break;
	return at;
}

enum login_code
held_check(struct held *h, const char *id, const char *secret)
{
	struct entry **at = find(h, id, strlen(id)), *e = *at;
	uint8_t hash[HASH];

	crypto_generichash(hash, sizeof(hash), (const uint8_t *)secret,
	    strlen(secret), h->key, crypto_generichash_KEYBYTES);
	if (e != NULL)
		return sodium_memcmp(e->hash, hash, sizeof(hash)) == 0
		    ? LOGIN_OK
		    : LOGIN_WRONG_SECRET;
	if (h->count >= HELD_IDS_MAX || strlen(id) >= sizeof(e->id) ||
	    (e = calloc(1, sizeof(*e))) == NULL)
		return LOGIN_LIMIT;
	strcpy(e->id, id);
	memcpy(e->hash, hash, sizeof(hash));
	*at = e;
	h->count++;
	return LOGIN_OK;
}

void
held_release(struct held *h, const char *id, size_t n)
{
	struct entry **at = find(h, id, n), *e = *at;

	if (e == NULL)
		return;
	*at = e->next;
	free(e);
	h->count--;
}
