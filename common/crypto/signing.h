/*
 * What a tls worker has signed by `sign`, and what `sign` looks at before it
 * lends a key: a server's part of a TLS handshake, and nothing else.
 */
#ifndef SIGNING_H
#define SIGNING_H

#include <stddef.h>
#include <stdint.h>

struct buf;

#define SIGNING_KEY_ID 16	   /* bytes that name a key (keyid.h) */
#define SIGNING_CONTENT_MAX 256	   /* bytes that are signed */
#define SIGNING_SIGNATURE_MAX 1024 /* bytes: RSA of 8192 bits */

/* How to sign: code points of TLS's SignatureScheme (RFC 8446, 4.2.3). */
enum signing_scheme {
	SIGNING_PKCS1_SHA256 = 0x0401,
	SIGNING_PKCS1_SHA384 = 0x0501,
	SIGNING_PKCS1_SHA512 = 0x0601,
	SIGNING_ECDSA_SHA256 = 0x0403,
	SIGNING_ECDSA_SHA384 = 0x0503,
	SIGNING_ECDSA_SHA512 = 0x0603,
	SIGNING_PSS_SHA256 = 0x0804, /* salt as long as the hash */
	SIGNING_PSS_SHA384 = 0x0805,
	SIGNING_PSS_SHA512 = 0x0806
};

/* The payload of MSG_SIGN: key id, scheme u16, content (the rest). */
struct signing {
	uint8_t key[SIGNING_KEY_ID];
	uint16_t scheme; /* one of enum signing_scheme */
	const uint8_t *content;
	size_t n;
};

/* 0, or -1 if it does not fit or is malformed. */
int signing_put(struct buf *b, const struct signing *s);
int signing_get(struct buf *b, struct signing *s);

/* The hash of a scheme, as OpenSSL names it; NULL: no such scheme. */
const char *signing_hash(uint16_t scheme);

/* What the key must be: "EC" or "RSA". */
const char *signing_key_type(uint16_t scheme);

enum signing_kind {
	SIGNING_NOTHING, /* no server signs such a thing */
	SIGNING_TLS12,	 /* ServerKeyExchange of ECDHE (RFC 8422, 5.4) */
	SIGNING_TLS13	 /* the server's CertificateVerify (RFC 8446, 4.4.3) */
};

/*
 * Tell from the n bytes at p. Nothing of TLS 1.2 can be taken for content of
 * TLS 1.3, nor the other way round: of the latter the first 32 bytes, which
 * in TLS 1.2 are the client's to choose, are looked at together with the rest.
 */
enum signing_kind signing_kind(const uint8_t *p, size_t n);

#endif
