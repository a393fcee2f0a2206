/* Keys of session tickets. */
#include "worker/convert/tickets.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

int
tickets_init(struct tickets *t)
{
	t->n = 0;
	t->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	return t->cipher != NULL ? 0 : -1;
}

int
tickets_set(struct tickets *t, const uint8_t *p, size_t n)
{
	_Static_assert(sizeof(t->keys[0]) == MSG_TICKET_KEY, "as in frames");

	if (n == 0 || n % sizeof(t->keys[0]) != 0 || n > sizeof(t->keys))
		return -1;
	OPENSSL_cleanse(t->keys, sizeof(t->keys));
	memcpy(t->keys, p, n);
	t->n = n / sizeof(t->keys[0]);
	return 0;
}

/* The keys of that name, and how old they are. NULL: none. */
static const struct tickets_key *
find(const struct tickets *t, const uint8_t name[TICKETS_NAME], size_t *age)
{
	for (*age = 0; *age < t->n; ++*age) {
		if (memcmp(t->keys[*age].name, name, TICKETS_NAME) == 0)
			return &t->keys[*age];
	}
	return NULL;
}

int
tickets_use(struct tickets *t, uint8_t name[TICKETS_NAME], uint8_t *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int issue)
{
	char digest[] = "SHA256";
	const struct tickets_key *k;
	OSSL_PARAM params[3];
	size_t age = 0;

	if (t->n == 0)
		return 0; /* do without a ticket */
	if (issue) {
		k = &t->keys[0];
		memcpy(name, k->name, TICKETS_NAME);
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(t->cipher)) != 1)
			return -1;
	} else if ((k = find(t, name, &age)) == NULL) {
		return 0; /* a full handshake, then */
	}
	params[0] = OSSL_PARAM_construct_octet_string(
	    OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)k->mac, sizeof(k->mac));
	params[1] =
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0);
	params[2] = OSSL_PARAM_construct_end();
	if (EVP_MAC_CTX_set_params(mac, params) != 1 ||
	    EVP_CipherInit_ex(cipher, t->cipher, NULL, k->cipher, iv, issue) !=
		1)
		return -1;
	return age == 0 ? 1 : 2; /* 2: give it a newer one */
}
