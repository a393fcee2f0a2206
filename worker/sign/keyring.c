/* The private keys of certificates. */
#include "worker/sign/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "common/crypto/bundle.h"
#include "common/crypto/keyid.h"

struct entry {
	uint8_t id[SIGNING_KEY_ID];
	EVP_PKEY *key;
};

struct set {
	struct entry v[BUNDLE_ENTRIES];
	size_t n;
};

struct keyring {
	struct set *now, *before;
	bool floor;
};

static void
free_set(struct set *s)
{
	for (size_t i = 0; s != NULL && i < s->n; i++)
		EVP_PKEY_free(s->v[i].key);
	free(s);
}

struct keyring *
keyring_new(void)
{
	return calloc(1, sizeof(struct keyring));
}

void
keyring_free(struct keyring *k)
{
	if (k == NULL)
		return;
	free_set(k->now);
	free_set(k->before);
	free(k);
}

static int
fill(struct set *s, struct bundle *x)
{
	const unsigned char *at;
	struct bundle_der der;
	struct entry *e;
	int more;

	while ((more = bundle_key(x, &der)) == 1) {
		if (s->n == BUNDLE_ENTRIES)
			return -1;
		e = &s->v[s->n];
		at = der.p;
		if ((e->key = d2i_AutoPrivateKey(NULL, &at, (long)der.n)) ==
		    NULL)
			return -1;
		s->n++;
		if (keyid_make(e->id, e->key) == -1)
			return -1;
	}
	return more;
}

int
keyring_load(struct keyring *k, const void *p, size_t n)
{
	struct bundle x;
	struct set *s;

	if (bundle_read(&x, BUNDLE_KEYS, p, n) == -1 ||
	    (s = calloc(1, sizeof(*s))) == NULL)
		return -1;
	if (fill(s, &x) == -1) {
		free_set(s);
		return -1;
	}
	free_set(k->before);
	k->before = k->now;
	k->now = s;
	k->floor = x.floor;
	return 0;
}

static EVP_PKEY *
find(const struct set *s, const uint8_t id[SIGNING_KEY_ID])
{
	for (size_t i = 0; s != NULL && i < s->n; i++) {
		if (memcmp(s->v[i].id, id, SIGNING_KEY_ID) == 0)
			return s->v[i].key;
	}
	return NULL;
}

EVP_PKEY *
keyring_find(const struct keyring *k, const uint8_t id[SIGNING_KEY_ID])
{
	EVP_PKEY *key = find(k->now, id);

	return key != NULL ? key : find(k->before, id);
}

bool
keyring_floor(const struct keyring *k)
{
	return k->floor;
}
