/* What is signed in a TLS handshake. */
#include "common/crypto/signing.h"

#include <string.h>

#include "common/base/buf.h"

#define RANDOMS 64 /* bytes: the client's, the server's */
#define PADDING 64 /* spaces before the context */
#define CONTEXT "TLS 1.3, server CertificateVerify"
#define CURVE_NAMED 3 /* ECCurveType (RFC 8422, 5.4) */
#define CURVE_HEAD 4  /* type, curve u16, length of the point u8 */

static const struct {
	uint16_t scheme;
	const char *hash, *type;
} schemes[] = {
	{ SIGNING_PKCS1_SHA256, "SHA256", "RSA" },
	{ SIGNING_PKCS1_SHA384, "SHA384", "RSA" },
	{ SIGNING_PKCS1_SHA512, "SHA512", "RSA" },
	{ SIGNING_ECDSA_SHA256, "SHA256", "EC" },
	{ SIGNING_ECDSA_SHA384, "SHA384", "EC" },
	{ SIGNING_ECDSA_SHA512, "SHA512", "EC" },
	{ SIGNING_PSS_SHA256, "SHA256", "RSA" },
	{ SIGNING_PSS_SHA384, "SHA384", "RSA" },
	{ SIGNING_PSS_SHA512, "SHA512", "RSA" },
};

#define SCHEMES (sizeof(schemes) / sizeof(schemes[0]))

const char *
signing_hash(uint16_t scheme)
{
	for (size_t i = 0; i < SCHEMES; i++) {
		if (schemes[i].scheme == scheme)
			return schemes[i].hash;
	}
	return NULL;
}

const char *
signing_key_type(uint16_t scheme)
{
	for (size_t i = 0; i < SCHEMES; i++) {
		if (schemes[i].scheme == scheme)
			return schemes[i].type;
	}
	return NULL;
}

int
signing_put(struct buf *b, const struct signing *s)
{
	buf_put(b, s->key, sizeof(s->key));
	buf_put_u16(b, s->scheme);
	return buf_put(b, s->content, s->n);
}

int
signing_get(struct buf *b, struct signing *s)
{
	buf_get(b, s->key, sizeof(s->key));
	if (buf_get_u16(b, &s->scheme) == -1)
		return -1;
	s->n = buf_left(b);
	if (s->n == 0 || s->n > SIGNING_CONTENT_MAX)
		return -1;
	return buf_get_view(b, &s->content, s->n);
}

static int
is_tls13(const uint8_t *p, size_t n)
{
	static const char context[] = CONTEXT; /* with its zero byte */

	/* A hash of the transcript follows: SHA-256, or SHA-384. */
	if (n != PADDING + sizeof(context) + 32 &&
	    n != PADDING + sizeof(context) + 48)
		return 0;
	for (size_t i = 0; i < PADDING; i++) {
		if (p[i] != ' ')
			return 0;
	}
	return memcmp(p + PADDING, context, sizeof(context)) == 0;
}

static int
is_tls12(const uint8_t *p, size_t n)
{
	return n > RANDOMS + CURVE_HEAD && p[RANDOMS] == CURVE_NAMED &&
	    p[RANDOMS + 3] == n - RANDOMS - CURVE_HEAD;
}

enum signing_kind
signing_kind(const uint8_t *p, size_t n)
{
	if (is_tls13(p, n))
		return SIGNING_TLS13;
	return is_tls12(p, n) ? SIGNING_TLS12 : SIGNING_NOTHING;
}
