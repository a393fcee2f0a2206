/* Noise_XX_25519_ChaChaPoly_BLAKE2b, revision 34. */
#include "common/crypto/noise.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/crypto/hkdf.h"

#define PROTOCOL "Noise_XX_25519_ChaChaPoly_BLAKE2b"
#define MESSAGES 3
#define DEAD (-1)
#define NONCE_END UINT64_MAX /* reserved (section 5.1) */

_Static_assert(sizeof(PROTOCOL) - 1 <= NOISE_HASH, "name would be hashed");
_Static_assert(NOISE_KEY == crypto_scalarmult_BYTES, "X25519");
_Static_assert(
    NOISE_KEY == crypto_aead_chacha20poly1305_ietf_KEYBYTES, "ChaChaPoly");
_Static_assert(
    NOISE_TAG == crypto_aead_chacha20poly1305_ietf_ABYTES, "ChaChaPoly");
_Static_assert(NOISE_HASH == HKDF_HASH, "BLAKE2b");

enum token { END, E, S, EE, ES, SE };

static const enum token pattern[MESSAGES][5] = {
	{ E, END },
	{ E, EE, S, ES, END },
	{ S, SE, END },
};

static void
cipher_init(struct noise_cipher *c, const uint8_t key[NOISE_HASH])
{
	memcpy(c->key, key, NOISE_KEY); /* the rest is cut off */
	c->n = 0;
}

/* 4 zero bytes and n, little endian (section 12.3). */
static void
cipher_nonce(
    uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES], uint64_t n)
{
	memset(nonce, 0, 4);
	for (size_t i = 4; i < 12; i++, n >>= 8)
		nonce[i] = (uint8_t)n;
}

static void
mix_hash(struct noise *ns, const void *data, size_t n)
{
	crypto_generichash_state st;

	crypto_generichash_init(&st, NULL, 0, NOISE_HASH);
	crypto_generichash_update(&st, ns->h, NOISE_HASH);
	crypto_generichash_update(&st, data, n);
	crypto_generichash_final(&st, ns->h, NOISE_HASH);
}

static void
mix_key(struct noise *ns, const uint8_t ikm[NOISE_KEY])
{
	uint8_t key[NOISE_HASH];

	hkdf_two(ns->ck, key, ns->ck, ikm, NOISE_KEY);
	cipher_init(&ns->cipher, key);
	ns->keyed = true;
	sodium_memzero(key, sizeof(key));
}

/* DH of our pair and the peer's key, mixed in; all-zero is refused (12.1). */
static int
mix_dh(struct noise *ns, const struct noise_key *ours,
    const uint8_t theirs[NOISE_KEY])
{
	uint8_t shared[NOISE_KEY];
	int rc = crypto_scalarmult(shared, ours->secret, theirs);

	if (rc == 0)
		mix_key(ns, shared);
	else
		errno = EBADMSG;
	sodium_memzero(shared, sizeof(shared));
	return rc;
}

/* EncryptAndHash of the n bytes at data, appended to out. */
static int
put_sealed(struct noise *ns, struct buf *out, const void *data, size_t n)
{
	uint8_t sealed[NOISE_MSG_MAX];

	if (!ns->keyed) {
		mix_hash(ns, data, n);
		return buf_put(out, data, n);
	}
	if (n > sizeof(sealed) - NOISE_TAG)
		return -1;
	if (noise_cipher_seal(
		&ns->cipher, ns->h, NOISE_HASH, data, n, sealed) == -1)
		return -1;
	mix_hash(ns, sealed, n + NOISE_TAG);
	return buf_put(out, sealed, n + NOISE_TAG);
}

/* DecryptAndHash of the next n bytes of in, into data. */
static int
get_sealed(struct noise *ns, struct buf *in, size_t n, uint8_t *data)
{
	const uint8_t *sealed;

	if (buf_get_view(in, &sealed, n) == -1)
		return -1;
	if (!ns->keyed) {
		if (n > 0)
			memcpy(data, sealed, n);
	} else if (noise_cipher_open(
		       &ns->cipher, ns->h, NOISE_HASH, sealed, n, data) == -1)
		return -1;
	mix_hash(ns, sealed, n);
	return 0;
}

static int
mix_token(struct noise *ns, enum token t)
{
	switch (t) {
	case EE:
		return mix_dh(ns, &ns->e, ns->re);
	case ES:
		return ns->initiator ? mix_dh(ns, &ns->e, ns->rs)
				     : mix_dh(ns, &ns->s, ns->re);
	case SE:
		return ns->initiator ? mix_dh(ns, &ns->s, ns->re)
				     : mix_dh(ns, &ns->e, ns->rs);
	default:
		return -1;
	}
}

static int
write_token(struct noise *ns, enum token t, struct buf *out)
{
	switch (t) {
	case E:
		if (!ns->have_e)
			noise_key_make(&ns->e);
		mix_hash(ns, ns->e.public, NOISE_KEY);
		return buf_put(out, ns->e.public, NOISE_KEY);
	case S:
		return put_sealed(ns, out, ns->s.public, NOISE_KEY);
	default:
		return mix_token(ns, t);
	}
}

static int
read_token(struct noise *ns, enum token t, struct buf *in)
{
	switch (t) {
	case E:
		if (buf_get(in, ns->re, NOISE_KEY) == -1)
			return -1;
		mix_hash(ns, ns->re, NOISE_KEY);
		return 0;
	case S:
		ns->have_rs = true;
		return get_sealed(ns, in, NOISE_KEY + NOISE_TAG, ns->rs);
	default:
		return mix_token(ns, t);
	}
}

static int
die(struct noise *ns, int error)
{
	noise_wipe(ns);
	ns->step = DEAD;
	errno = error;
	return -1;
}

/* The message that is due is one that the initiator sends. */
static bool
initiators_turn(const struct noise *ns)
{
	return ns->step % 2 == 0;
}

void
noise_key_make(struct noise_key *k)
{
	uint8_t secret[NOISE_KEY];

	randombytes_buf(secret, NOISE_KEY);
	noise_key_from_secret(k, secret);
	sodium_memzero(secret, sizeof(secret));
}

void
noise_key_from_secret(struct noise_key *k, const uint8_t secret[NOISE_KEY])
{
	memmove(k->secret, secret, NOISE_KEY);
	/* Cannot fail: clamping makes a valid scalar of anything (RFC 7748). */
	(void)crypto_scalarmult_base(k->public, k->secret);
}

void
noise_init(struct noise *ns, bool initiator, const void *prologue, size_t n,
    const struct noise_key *s, const struct noise_key *e)
{
	memset(ns, 0, sizeof(*ns));
	memcpy(ns->h, PROTOCOL, sizeof(PROTOCOL) - 1);
	memcpy(ns->ck, ns->h, NOISE_HASH);
	mix_hash(ns, prologue, n);
	ns->initiator = initiator;
	ns->s = *s;
	if (e != NULL) {
		ns->e = *e;
		ns->have_e = true;
	}
}

int
noise_write(struct noise *ns, const void *payload, size_t n, uint8_t *out,
    size_t cap, size_t *outlen)
{
	struct buf b;

	if (ns->step == DEAD || noise_done(ns) ||
	    initiators_turn(ns) != ns->initiator)
		return die(ns, EINVAL);
	buf_write(&b, out, cap < NOISE_MSG_MAX ? cap : NOISE_MSG_MAX);
	for (const enum token *t = pattern[ns->step]; *t != END; t++)
		if (write_token(ns, *t, &b) == -1)
			return die(ns, buf_ok(&b) ? EBADMSG : EMSGSIZE);
	if (put_sealed(ns, &b, payload, n) == -1)
		return die(ns, EMSGSIZE);
	ns->step++;
	*outlen = buf_used(&b);
	return 0;
}

int
noise_read(struct noise *ns, const uint8_t *msg, size_t n, uint8_t *payload,
    size_t cap, size_t *plen)
{
	struct buf b;
	size_t rest, tag;

	if (ns->step == DEAD || noise_done(ns) ||
	    initiators_turn(ns) == ns->initiator)
		return die(ns, EINVAL);
	if (n > NOISE_MSG_MAX)
		return die(ns, EMSGSIZE);
	buf_read(&b, msg, n);
	for (const enum token *t = pattern[ns->step]; *t != END; t++)
		if (read_token(ns, *t, &b) == -1)
			return die(ns, EBADMSG);

	rest = buf_left(&b);
	tag = ns->keyed ? NOISE_TAG : 0;
	if (rest < tag)
		return die(ns, EBADMSG);
	if (rest - tag > cap)
		return die(ns, EMSGSIZE);
	if (get_sealed(ns, &b, rest, payload) == -1)
		return die(ns, EBADMSG);
	ns->step++;
	*plen = rest - tag;
	return 0;
}

bool
noise_done(const struct noise *ns)
{
	return ns->step == MESSAGES;
}

const uint8_t *
noise_remote(const struct noise *ns)
{
	return ns->have_rs ? ns->rs : NULL;
}

const uint8_t *
noise_hash(const struct noise *ns)
{
	return ns->h;
}

int
noise_split(struct noise *ns, struct noise_cipher *tx, struct noise_cipher *rx)
{
	uint8_t first[NOISE_HASH], second[NOISE_HASH];

	if (!noise_done(ns)) {
		memset(tx, 0, sizeof(*tx));
		memset(rx, 0, sizeof(*rx));
		tx->n = rx->n = NONCE_END;
		errno = EINVAL;
		return -1;
	}
	hkdf_two(first, second, ns->ck, NULL, 0);
	cipher_init(ns->initiator ? tx : rx, first);
	cipher_init(ns->initiator ? rx : tx, second);
	sodium_memzero(first, sizeof(first));
	sodium_memzero(second, sizeof(second));
	return 0;
}

void
noise_wipe(struct noise *ns)
{
	sodium_memzero(ns, sizeof(*ns));
	ns->step = DEAD;
}

int
noise_cipher_seal(struct noise_cipher *c, const void *ad, size_t adn,
    const void *plain, size_t n, uint8_t *out)
{
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

	if (c->n == NONCE_END) {
		errno = EOVERFLOW;
		return -1;
	}
	cipher_nonce(nonce, c->n++);
	crypto_aead_chacha20poly1305_ietf_encrypt(
	    out, NULL, plain, n, ad, adn, NULL, nonce, c->key);
	return 0;
}

int
noise_cipher_open(struct noise_cipher *c, const void *ad, size_t adn,
    const uint8_t *in, size_t n, uint8_t *out)
{
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

	if (c->n == NONCE_END) {
		errno = EOVERFLOW;
		return -1;
	}
	cipher_nonce(nonce, c->n);
	if (n < NOISE_TAG ||
	    crypto_aead_chacha20poly1305_ietf_decrypt(
		out, NULL, NULL, in, n, ad, adn, nonce, c->key) != 0) {
		errno = EBADMSG;
		return -1;
	}
	c->n++;
	return 0;
}

void
noise_cipher_rekey(struct noise_cipher *c)
{
	static const uint8_t zeros[NOISE_KEY];
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
	uint8_t sealed[NOISE_KEY + NOISE_TAG];

	cipher_nonce(nonce, UINT64_MAX);
	crypto_aead_chacha20poly1305_ietf_encrypt(
	    sealed, NULL, zeros, NOISE_KEY, NULL, 0, NULL, nonce, c->key);
	memcpy(c->key, sealed, NOISE_KEY);
	sodium_memzero(sealed, sizeof(sealed));
}
