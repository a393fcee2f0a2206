/* One question of a tls worker. */
#include "worker/sign/signer.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "common/base/buf.h"

static int
is_pss(uint16_t scheme)
{
	return scheme == SIGNING_PSS_SHA256 || scheme == SIGNING_PSS_SHA384 ||
	    scheme == SIGNING_PSS_SHA512;
}

/* What may be signed at all, whatever the key. */
static int
check(const struct keyring *k, const struct signing *s)
{
	switch (signing_kind(s->content, s->n)) {
	case SIGNING_TLS13:
		/* RFC 8446, 4.2.3: no PKCS #1 v1.5 there. */
		return (s->scheme & 0xff) == 1 ? -1 : 0;
	case SIGNING_TLS12:
		return keyring_floor(k) ? -1 : 0;
	default:
		return -1;
	}
}

static int
make(EVP_PKEY *key, const struct signing *s, uint8_t *sig, size_t *len)
{
	int size = EVP_PKEY_get_size(key), ret = -1;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx;

	if (md == NULL)
		return -1;
	if (size <= 0 || size > SIGNING_SIGNATURE_MAX ||
	    EVP_DigestSignInit_ex(
		md, &ctx, signing_hash(s->scheme), NULL, NULL, key, NULL) != 1)
		goto out;
	if (is_pss(s->scheme) &&
	    (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) != 1 ||
		EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) !=
		    1))
		goto out;
	*len = (size_t)size;
	if (EVP_DigestSign(md, sig, len, s->content, s->n) == 1)
		ret = 0;
out:
	EVP_MD_CTX_free(md);
	ERR_clear_error();
	return ret;
}

int
signer_sign(const struct keyring *k, const uint8_t *p, size_t n, uint8_t *sig,
    size_t *len)
{
	struct signing s;
	EVP_PKEY *key;
	struct buf b;

	buf_read(&b, p, n);
	if (signing_get(&b, &s) == -1 || signing_hash(s.scheme) == NULL ||
	    check(k, &s) == -1 || (key = keyring_find(k, s.key)) == NULL ||
	    !EVP_PKEY_is_a(key, signing_key_type(s.scheme)))
		return -1;
	return make(key, &s, sig, len);
}
