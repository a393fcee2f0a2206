/* CPACE-RISTR255-SHA512 (draft-irtf-cfrg-cpace), initiator and responder. */
#include "common/crypto/cpace.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "common/base/buf.h"

#define DSI "CPaceRistretto255"
#define DSI_ISK "CPaceRistretto255_ISK"
#define DSI_MAC "CPaceMac"
#define BLOCK 128 /* of SHA-512 */
#define LEB128_MAX ((sizeof(size_t) * 8 + 6) / 7)

_Static_assert(CPACE_POINT == crypto_core_ristretto255_BYTES, "ristretto255");
_Static_assert(
    CPACE_SCALAR == crypto_core_ristretto255_SCALARBYTES, "ristretto255");
_Static_assert(CPACE_TAG == crypto_auth_hmacsha512_BYTES, "HMAC-SHA-512");
_Static_assert(CPACE_KEY == crypto_hash_sha512_BYTES, "SHA-512");

enum phase { IDLE, STARTED, RESPONDED };

/* n as LEB128; returns how many bytes that took. */
static size_t
leb128(uint8_t out[LEB128_MAX], size_t n)
{
	size_t used = 0;

	for (; n >= 0x80; n >>= 7)
		out[used++] = (uint8_t)(n | 0x80);
	out[used++] = (uint8_t)n;
	return used;
}

/* Bytes of lv(x) for an x of n bytes. */
static size_t
lv_size(size_t n)
{
	uint8_t length[LEB128_MAX];

	return leb128(length, n) + n;
}

static void
hash_lv(crypto_hash_sha512_state *st, const void *x, size_t n)
{
	uint8_t length[LEB128_MAX];

	crypto_hash_sha512_update(st, length, leb128(length, n));
	crypto_hash_sha512_update(st, x, n);
}

static void
mac_lv(crypto_auth_hmacsha512_state *st, const void *x, size_t n)
{
	uint8_t length[LEB128_MAX];

	crypto_auth_hmacsha512_update(st, length, leb128(length, n));
	crypto_auth_hmacsha512_update(st, x, n);
}

/*
 * The generator: secret, channel and session hashed to a point. The zeros
 * fill the hash's first block, so that the secret shares it with nothing that
 * a peer chose.
 */
static void
generator(uint8_t g[CPACE_POINT], const struct cpace_input *in)
{
	static const uint8_t zeros[BLOCK];
	crypto_hash_sha512_state st;
	uint8_t digest[crypto_hash_sha512_BYTES];
	size_t used = 1 + lv_size(in->secret_len) + lv_size(sizeof(DSI) - 1);

	crypto_hash_sha512_init(&st);
	hash_lv(&st, DSI, sizeof(DSI) - 1);
	hash_lv(&st, in->secret, in->secret_len);
	hash_lv(&st, zeros, used < BLOCK ? BLOCK - used : 0);
	hash_lv(&st, in->ci, in->ci_len);
	hash_lv(&st, in->sid, in->sid_len);
	crypto_hash_sha512_final(&st, digest);
	crypto_core_ristretto255_from_hash(g, digest);
	sodium_memzero(&st, sizeof(st));
	sodium_memzero(digest, sizeof(digest));
}

/* Take the prescribed scalar or draw one, and write its public share. */
static int
share(uint8_t scalar[CPACE_SCALAR], uint8_t y[CPACE_POINT],
    const struct cpace_input *in, const uint8_t *prescribed)
{
	uint8_t g[CPACE_POINT];
	int rc;

	if (prescribed != NULL)
		memcpy(scalar, prescribed, CPACE_SCALAR);
	else
		crypto_core_ristretto255_scalar_random(scalar);
	generator(g, in);
	rc = crypto_scalarmult_ristretto255(y, scalar, g);
	sodium_memzero(g, sizeof(g));
	return rc;
}

static void
session_key(
    struct cpace *c, const struct cpace_input *in, const uint8_t k[CPACE_POINT])
{
	crypto_hash_sha512_state st;

	crypto_hash_sha512_init(&st);
	hash_lv(&st, DSI_ISK, sizeof(DSI_ISK) - 1);
	hash_lv(&st, in->sid, in->sid_len);
	hash_lv(&st, k, CPACE_POINT);
	hash_lv(&st, c->ya, CPACE_POINT);
	hash_lv(&st, in->ada, in->ada_len);
	hash_lv(&st, c->yb, CPACE_POINT);
	hash_lv(&st, in->adb, in->adb_len);
	crypto_hash_sha512_final(&st, c->isk);
	sodium_memzero(&st, sizeof(st));
}

static void
mac_key(
    uint8_t key[CPACE_KEY], const struct cpace *c, const struct cpace_input *in)
{
	crypto_hash_sha512_state st;

	crypto_hash_sha512_init(&st);
	crypto_hash_sha512_update(
	    &st, (const uint8_t *)DSI_MAC, sizeof(DSI_MAC) - 1);
	crypto_hash_sha512_update(&st, in->sid, in->sid_len);
	crypto_hash_sha512_update(&st, c->isk, CPACE_KEY);
	crypto_hash_sha512_final(&st, key);
	sodium_memzero(&st, sizeof(st));
}

/* The confirmation of the side that sent y and ad. */
static void
confirmation(uint8_t tag[CPACE_TAG], const uint8_t key[CPACE_KEY],
    const uint8_t y[CPACE_POINT], const void *ad, size_t adn)
{
	crypto_auth_hmacsha512_state st;

	crypto_auth_hmacsha512_init(&st, key, CPACE_KEY);
	mac_lv(&st, y, CPACE_POINT);
	mac_lv(&st, ad, adn);
	crypto_auth_hmacsha512_final(&st, tag);
	sodium_memzero(&st, sizeof(st));
}

/*
 * From our scalar and the peer's share, one of c->ya and c->yb: the session
 * key and both confirmations. libsodium refuses invalid encodings and the
 * neutral element.
 */
static int
derive(struct cpace *c, const struct cpace_input *in,
    const uint8_t theirs[CPACE_POINT])
{
	uint8_t k[CPACE_POINT], key[CPACE_KEY];

	if (crypto_scalarmult_ristretto255(k, c->scalar, theirs) != 0)
		return -1;
	session_key(c, in, k);
	mac_key(key, c, in);
	confirmation(c->ta, key, c->ya, in->ada, in->ada_len);
	confirmation(c->tb, key, c->yb, in->adb, in->adb_len);
	sodium_memzero(k, sizeof(k));
	sodium_memzero(key, sizeof(key));
	return 0;
}

static int
end(struct cpace *c, int error)
{
	cpace_wipe(c);
	errno = error;
	return -1;
}

size_t
cpace_ci(uint8_t ci[CPACE_CI_MAX], const char *id, const uint8_t client[32],
    const uint8_t server[32])
{
	size_t n = strnlen(id, CPACE_ID_MAX + 1);
	struct buf b;

	if (n == 0 || n > CPACE_ID_MAX)
		return 0;
	/* Each length is below 128: one byte of LEB128, as of str8. */
	buf_write(&b, ci, CPACE_CI_MAX);
	buf_put_str8(&b, id, n);
	buf_put_str8(&b, client, 32);
	buf_put_str8(&b, server, 32);
	return buf_used(&b);
}

int
cpace_start(struct cpace *c, const struct cpace_input *in,
    const uint8_t *scalar, uint8_t ya[CPACE_POINT])
{
	memset(c, 0, sizeof(*c));
	if (share(c->scalar, c->ya, in, scalar) != 0)
		return end(c, EBADMSG);
	c->phase = STARTED;
	memcpy(ya, c->ya, CPACE_POINT);
	return 0;
}

int
cpace_finish(struct cpace *c, const struct cpace_input *in,
    const uint8_t yb[CPACE_POINT], const uint8_t tb[CPACE_TAG],
    uint8_t ta[CPACE_TAG], uint8_t *isk)
{
	if (c->phase != STARTED)
		return end(c, EINVAL);
	memcpy(c->yb, yb, CPACE_POINT);
	if (derive(c, in, c->yb) != 0 ||
	    sodium_memcmp(tb, c->tb, CPACE_TAG) != 0)
		return end(c, EBADMSG);
	memcpy(ta, c->ta, CPACE_TAG);
	if (isk != NULL)
		memcpy(isk, c->isk, CPACE_KEY);
	cpace_wipe(c);
	return 0;
}

int
cpace_respond(struct cpace *c, const struct cpace_input *in,
    const uint8_t *scalar, const uint8_t ya[CPACE_POINT],
    uint8_t yb[CPACE_POINT], uint8_t tb[CPACE_TAG])
{
	memset(c, 0, sizeof(*c));
	memcpy(c->ya, ya, CPACE_POINT);
	if (share(c->scalar, c->yb, in, scalar) != 0 ||
	    derive(c, in, c->ya) != 0)
		return end(c, EBADMSG);
	c->phase = RESPONDED;
	memcpy(yb, c->yb, CPACE_POINT);
	memcpy(tb, c->tb, CPACE_TAG);
	sodium_memzero(c->scalar, sizeof(c->scalar));
	return 0;
}

int
cpace_confirm(struct cpace *c, const uint8_t ta[CPACE_TAG], uint8_t *isk)
{
	if (c->phase != RESPONDED)
		return end(c, EINVAL);
	if (sodium_memcmp(ta, c->ta, CPACE_TAG) != 0)
		return end(c, EBADMSG);
	if (isk != NULL)
		memcpy(isk, c->isk, CPACE_KEY);
	cpace_wipe(c);
	return 0;
}

void
cpace_wipe(struct cpace *c)
{
	sodium_memzero(c, sizeof(*c));
}
