/* Records: the sealed units of a tunnel's byte stream. */
#include "common/crypto/record.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#define NONCE 12

_Static_assert(RECORD_MAX <= UINT16_MAX, "the length is a u16");
_Static_assert(RECORD_KEY == crypto_generichash_BYTES, "BLAKE2b-256");

enum use { FRESH, SEALING, OPENING, DEAD };

struct record {
	EVP_CIPHER_CTX *ctx; /* keyed, but for the nonce; NULL: no cipher */
	uint64_t number;     /* of the next record */
	enum record_cipher cipher;
	enum use use;
	uint8_t key[RECORD_KEY]; /* the one that ctx has */
};

static const struct {
	const char *name;
	const EVP_CIPHER *(*evp)(void);
	bool big_endian; /* the counter in the nonce */
} ciphers[] = {
	[RECORD_NONE] = { "none", NULL, false },
	[RECORD_CHACHA20_POLY1305] = { "chacha20-poly1305",
	    EVP_chacha20_poly1305, false },
	[RECORD_AES256_GCM] = { "aes256-gcm", EVP_aes_256_gcm, true },
};

#define CIPHERS (sizeof(ciphers) / sizeof(ciphers[0]))

const char *
record_cipher_name(enum record_cipher c)
{
	return (size_t)c < CIPHERS ? ciphers[c].name : NULL;
}

int
record_cipher_parse(const char *name, enum record_cipher *c)
{
	for (size_t i = 0; i < CIPHERS; i++)
		if (strcmp(name, ciphers[i].name) == 0) {
			*c = (enum record_cipher)i;
			return 0;
		}
	return -1;
}

enum record_cipher
record_cipher_best(void)
{
	return crypto_aead_aes256gcm_is_available() ? RECORD_AES256_GCM
						    : RECORD_CHACHA20_POLY1305;
}

int
record_init(void)
{
	static const uint8_t key[RECORD_KEY];
	struct record *r;

	if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL)) {
		errno = EIO;
		return -1;
	}
	/* The first use of a cipher fetches it and keeps it for all others. */
	for (size_t i = 0; i < CIPHERS; i++) {
		if ((r = record_new((enum record_cipher)i, key)) == NULL)
			return -1;
		record_free(r);
	}
	return 0;
}

/* key becomes BLAKE2b(key: from, message: text); they may be the same. */
static void
derive(
    uint8_t key[RECORD_KEY], const uint8_t from[RECORD_KEY], const char *text)
{
	crypto_generichash(key, RECORD_KEY, (const uint8_t *)text, strlen(text),
	    from, RECORD_KEY);
}

struct record *
record_new(enum record_cipher cipher, const uint8_t split_key[RECORD_KEY])
{
	struct record *r;

	if (record_cipher_name(cipher) == NULL) {
		errno = EINVAL;
		return NULL;
	}
	if ((r = sodium_malloc(sizeof(*r))) == NULL)
		goto err0;
	memset(r, 0, sizeof(*r));
	r->cipher = cipher;
	if (cipher == RECORD_NONE)
		return r;
	derive(r->key, split_key, ciphers[cipher].name);
	if ((r->ctx = EVP_CIPHER_CTX_new()) == NULL)
		goto err1;
	if (EVP_CipherInit_ex(
		r->ctx, ciphers[cipher].evp(), NULL, r->key, NULL, 1) != 1)
		goto err1;
	return r;

err1:
	record_free(r);
err0:
	errno = ENOMEM;
	return NULL;
}

void
record_free(struct record *r)
{
	if (r == NULL)
		return;
	EVP_CIPHER_CTX_free(r->ctx); /* wipes its copy of the key */
	sodium_free(r);
}

size_t
record_overhead(const struct record *r)
{
	return RECORD_HEAD + (r->ctx == NULL ? 0 : RECORD_TAG);
}

/* The direction ends here: its stream has lost its place or its secrecy. */
static ssize_t
die(struct record *r, int error)
{
	r->use = DEAD;
	sodium_memzero(r->key, sizeof(r->key));
	errno = error;
	return -1;
}

static void
make_nonce(uint8_t nonce[NONCE], uint64_t number, bool big_endian)
{
	memset(nonce, 0, NONCE);
	for (size_t i = 0; i < 8; i++, number >>= 8)
		nonce[big_endian ? NONCE - 1 - i : 4 + i] = (uint8_t)number;
}

/*
 * Make ready to seal or open the next record: key and nonce into the context,
 * the counter moves on. A context that is used both ways would seal with
 * nonces that the peer's records have used.
 */
static int
prepare(struct record *r, enum use use, const uint8_t head[RECORD_HEAD])
{
	uint8_t nonce[NONCE];
	const uint8_t *key = NULL;
	int done, sealing = use == SEALING;

	if (r->number == UINT64_MAX) {
		errno = EOVERFLOW;
		return -1;
	}
	if (r->use == FRESH)
		key = r->key;
	if (r->number % RECORD_REKEY == 0 && r->number > 0) {
		derive(r->key, r->key, "rekey");
		key = r->key;
	}
	r->use = use;
	make_nonce(nonce, r->number++, ciphers[r->cipher].big_endian);
	if (EVP_CipherInit_ex(r->ctx, NULL, NULL, key, nonce, sealing) != 1 ||
	    EVP_CipherUpdate(r->ctx, NULL, &done, head, RECORD_HEAD) != 1) {
		errno = EIO;
		return -1;
	}
	return 0;
}

static bool
usable(const struct record *r, enum use use)
{
	return r->use == use || r->use == FRESH;
}

ssize_t
record_seal(struct record *r, uint8_t *p, size_t n)
{
	uint8_t *text = p + RECORD_HEAD;
	size_t total = n + record_overhead(r);
	int done;

	if (!usable(r, SEALING)) {
		errno = EINVAL;
		return -1;
	}
	if (n == 0 || n > RECORD_PLAIN_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	p[0] = (uint8_t)((total - RECORD_HEAD) >> 8);
	p[1] = (uint8_t)(total - RECORD_HEAD);
	if (r->ctx == NULL) {
		r->use = SEALING;
		return (ssize_t)total;
	}
	if (prepare(r, SEALING, p) == -1)
		return die(r, errno);
	if (EVP_CipherUpdate(r->ctx, text, &done, text, (int)n) != 1 ||
	    EVP_CipherFinal_ex(r->ctx, text + n, &done) != 1 ||
	    EVP_CIPHER_CTX_ctrl(
		r->ctx, EVP_CTRL_AEAD_GET_TAG, RECORD_TAG, text + n) != 1)
		return die(r, EIO);
	return (ssize_t)total;
}

ssize_t
record_length(const uint8_t *p, size_t n)
{
	size_t length;

	if (n < RECORD_HEAD)
		return 0;
	length = (size_t)p[0] << 8 | p[1];
	if (length == 0 || length > RECORD_MAX)
		return -1;
	return (ssize_t)(RECORD_HEAD + length);
}

ssize_t
record_open(struct record *r, uint8_t *p, size_t n)
{
	uint8_t *text = p + RECORD_HEAD;
	size_t plain;
	int done;

	if (!usable(r, OPENING)) {
		errno = EINVAL;
		return -1;
	}
	if (n <= record_overhead(r) || record_length(p, n) != (ssize_t)n)
		return die(r, EBADMSG);
	plain = n - record_overhead(r);
	if (plain > RECORD_PLAIN_MAX) /* only without cipher */
		return die(r, EBADMSG);
	if (r->ctx == NULL) {
		r->use = OPENING;
		return (ssize_t)plain;
	}
	if (prepare(r, OPENING, p) == -1)
		return die(r, errno);
	if (EVP_CIPHER_CTX_ctrl(
		r->ctx, EVP_CTRL_AEAD_SET_TAG, RECORD_TAG, text + plain) != 1 ||
	    EVP_CipherUpdate(r->ctx, text, &done, text, (int)plain) != 1)
		return die(r, EIO);
	if (EVP_CipherFinal_ex(r->ctx, text + plain, &done) != 1)
		return die(r, EBADMSG);
	return (ssize_t)plain;
}
