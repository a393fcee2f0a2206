/*
 * Unit test of signer.c, keyring.c and the provider: a handshake between two
 * ends in memory, of which one has a key that only the other process would.
 */
#include <check.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/bundle.h"
#include "common/crypto/keyid.h"
#include "worker/convert/provider.h"
#include "worker/sign/signer.h"

#define BUNDLE 16384

static EVP_PKEY *rsa, *ec, *p384;
static OSSL_PROVIDER *own;
static struct keyring *ring;
static unsigned asked;

static void
load(bool floor, EVP_PKEY *const *keys, uint16_t n)
{
	uint8_t space[BUNDLE];
	struct buf b;

	buf_write(&b, space, sizeof(space));
	bundle_put_head(&b, BUNDLE_KEYS, floor, n);
	for (uint16_t i = 0; i < n; i++) {
		unsigned char *der = NULL;
		int len = i2d_PrivateKey(keys[i], &der);

		bundle_put_der(&b, der, (size_t)len);
		OPENSSL_free(der);
	}
	ck_assert(buf_ok(&b));
	ck_assert_int_eq(keyring_load(ring, space, buf_used(&b)), 0);
}

/* In a process of its own for each test. */
static void
setup(void)
{
	EVP_PKEY *keys[3];

	ck_assert_int_eq(provider_load(&own), 0);
	rsa = EVP_RSA_gen(2048);
	ec = EVP_EC_gen("P-256");
	p384 = EVP_EC_gen("P-384");
	ck_assert(rsa != NULL && ec != NULL && p384 != NULL);
	keys[0] = rsa;
	keys[1] = ec;
	keys[2] = p384;
	ring = keyring_new();
	ck_assert_ptr_nonnull(ring);
	load(false, keys, 3);
	asked = 0;
}

static void
teardown(void)
{
	keyring_free(ring);
	OSSL_PROVIDER_unload(own);
	ERR_clear_error();
}

/* ---- one signature ---- */

static size_t
tls13(uint8_t *p)
{
	memset(p, ' ', 64);
	memcpy(p + 64, "TLS 1.3, server CertificateVerify", 34);
	memset(p + 98, 0xaa, 32);
	return 130;
}

static size_t
tls12(uint8_t *p)
{
	memset(p, 0x55, 64);
	memcpy(p + 64, "\3\0\x1d\x20", 4);
	memset(p + 68, 4, 32);
	return 100;
}

static int
ask(EVP_PKEY *key, uint16_t scheme, const uint8_t *content, size_t n,
    uint8_t *sig, size_t *len)
{
	struct signing s = { .scheme = scheme, .content = content, .n = n };
	uint8_t p[512];
	struct buf b;

	ck_assert_int_eq(keyid_make(s.key, key), 0);
	buf_write(&b, p, sizeof(p));
	ck_assert_int_eq(signing_put(&b, &s), 0);
	return signer_sign(ring, p, buf_used(&b), sig, len);
}

static bool
verifies(EVP_PKEY *key, const char *hash, bool pss, const uint8_t *content,
    size_t n, const uint8_t *sig, size_t len)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx;
	bool ok;

	ok =
	    EVP_DigestVerifyInit_ex(md, &ctx, hash, NULL, NULL, key, NULL) == 1;
	if (ok && pss)
		ok = EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) ==
			1 &&
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(
			ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
	ok = ok && EVP_DigestVerify(md, sig, len, content, n) == 1;
	EVP_MD_CTX_free(md);
	return ok;
}

START_TEST(signs_what_a_server_signs)
{
	uint8_t p[256], sig[SIGNING_SIGNATURE_MAX];
	size_t n = tls13(p), len;

	ck_assert_int_eq(ask(ec, SIGNING_ECDSA_SHA256, p, n, sig, &len), 0);
	ck_assert(verifies(ec, "SHA256", false, p, n, sig, len));
	ck_assert_int_eq(ask(p384, SIGNING_ECDSA_SHA384, p, n, sig, &len), 0);
	ck_assert(verifies(p384, "SHA384", false, p, n, sig, len));
	ck_assert_int_eq(ask(rsa, SIGNING_PSS_SHA512, p, n, sig, &len), 0);
	ck_assert_uint_eq(len, 256);
	ck_assert(verifies(rsa, "SHA512", true, p, n, sig, len));
	n = tls12(p);
	ck_assert_int_eq(ask(rsa, SIGNING_PKCS1_SHA256, p, n, sig, &len), 0);
	ck_assert(verifies(rsa, "SHA256", false, p, n, sig, len));
	ck_assert_int_eq(ask(ec, SIGNING_ECDSA_SHA256, p, n, sig, &len), 0);
}
END_TEST

START_TEST(refuses_everything_else)
{
	EVP_PKEY *stranger = EVP_EC_gen("P-256");
	uint8_t p[256], sig[SIGNING_SIGNATURE_MAX], few[4] = { 0 };
	size_t n = tls13(p), len;

	ck_assert_int_eq(
	    ask(stranger, SIGNING_ECDSA_SHA256, p, n, sig, &len), -1);
	EVP_PKEY_free(stranger);
	/* A scheme of another kind of key; none at all; SHA-1. */
	ck_assert_int_eq(ask(ec, SIGNING_PSS_SHA256, p, n, sig, &len), -1);
	ck_assert_int_eq(ask(rsa, SIGNING_ECDSA_SHA256, p, n, sig, &len), -1);
	ck_assert_int_eq(ask(rsa, 0x0201, p, n, sig, &len), -1);
	ck_assert_int_eq(ask(rsa, 0, p, n, sig, &len), -1);
	/* TLS 1.3 has no PKCS #1 v1.5. */
	ck_assert_int_eq(ask(rsa, SIGNING_PKCS1_SHA256, p, n, sig, &len), -1);
	/* Not what a server signs. */
	ck_assert_int_eq(
	    ask(ec, SIGNING_ECDSA_SHA256, p, n - 1, sig, &len), -1);
	p[0] = 'x';
	ck_assert_int_eq(ask(ec, SIGNING_ECDSA_SHA256, p, n, sig, &len), -1);
	for (n = 0; n < 40; n++)
		ck_assert_int_eq(signer_sign(ring, p, n, sig, &len), -1);
	ck_assert_int_eq(signer_sign(ring, few, sizeof(few), sig, &len), -1);
}
END_TEST

START_TEST(the_floor_forbids_older_versions)
{
	uint8_t p[256], sig[SIGNING_SIGNATURE_MAX];
	size_t n = tls12(p), len;
	EVP_PKEY *keys[] = { ec };

	load(true, keys, 1);
	ck_assert_int_eq(ask(ec, SIGNING_ECDSA_SHA256, p, n, sig, &len), -1);
	n = tls13(p);
	ck_assert_int_eq(ask(ec, SIGNING_ECDSA_SHA256, p, n, sig, &len), 0);
}
END_TEST

START_TEST(keys_before_the_last_load_stay_once)
{
	uint8_t p[256], sig[SIGNING_SIGNATURE_MAX];
	size_t n = tls13(p), len;
	EVP_PKEY *keys[] = { p384 };

	load(false, keys, 1);
	ck_assert_int_eq(ask(ec, SIGNING_ECDSA_SHA256, p, n, sig, &len), 0);
	load(false, keys, 1);
	ck_assert_int_eq(ask(ec, SIGNING_ECDSA_SHA256, p, n, sig, &len), -1);
	ck_assert_int_eq(ask(p384, SIGNING_ECDSA_SHA384, p, n, sig, &len), 0);
	/* What is malformed changes nothing. */
	ck_assert_int_eq(keyring_load(ring, "ptpk\0\0\1", 7), -1);
	ck_assert_int_eq(ask(p384, SIGNING_ECDSA_SHA384, p, n, sig, &len), 0);
}
END_TEST

/* ---- a handshake ---- */

static bool
sign_here(void *arg, const struct signing *s, uint8_t *sig, size_t *n)
{
	uint8_t p[512], out[SIGNING_SIGNATURE_MAX];
	size_t len;
	struct buf b;

	(void)arg;
	asked++;
	buf_write(&b, p, sizeof(p));
	if (signing_put(&b, s) == -1 ||
	    signer_sign(ring, p, buf_used(&b), out, &len) == -1 || len > *n)
		return false;
	memcpy(sig, out, len);
	*n = len;
	return true;
}

static const struct provider_signer signer = { sign_here, NULL };

static X509 *
certify(EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);

	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_set_pubkey(x, key);
	ck_assert_int_gt(X509_sign(x, key, EVP_sha256()), 0);
	return x;
}

/* The server's end: a certificate, and a key that is not there. */
static SSL_CTX *
serve(EVP_PKEY *key, int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	X509 *x = certify(key);
	EVP_PKEY *pair = provider_pair(X509_get0_pubkey(x), &signer);

	ck_assert_ptr_nonnull(pair);
	SSL_CTX_set_max_proto_version(ctx, version);
	ck_assert_int_eq(SSL_CTX_use_certificate(ctx, x), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(ctx, pair), 1);
	EVP_PKEY_free(pair);
	X509_free(x);
	return ctx;
}

/* Whether they come to an end that both like. */
static bool
shake(SSL_CTX *server, const char *algorithms)
{
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());
	SSL *a = SSL_new(server), *b = SSL_new(client);
	BIO *x, *y;
	int ra = 0, rb = 0;

	BIO_new_bio_pair(&x, 0, &y, 0);
	SSL_set_bio(a, x, x);
	SSL_set_bio(b, y, y);
	SSL_set_accept_state(a);
	SSL_set_connect_state(b);
	if (algorithms != NULL)
		ck_assert_int_eq(SSL_set1_sigalgs_list(b, algorithms), 1);
	for (int i = 0; i < 20 && (ra != 1 || rb != 1); i++) {
		rb = SSL_do_handshake(b);
		ra = SSL_do_handshake(a);
	}
	SSL_free(a);
	SSL_free(b);
	SSL_CTX_free(client);
	return ra == 1 && rb == 1;
}

START_TEST(handshakes_with_keys_elsewhere)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	EVP_PKEY *keys[] = { rsa, ec, p384 };

	for (int i = 0; i < 3; i++) {
		for (int k = 0; k < 2; k++) {
			SSL_CTX *ctx = serve(keys[i], versions[k]);

			asked = 0;
			ck_assert(shake(ctx, NULL));
			ck_assert_uint_eq(asked, 1);
			SSL_CTX_free(ctx);
		}
	}
}
END_TEST

START_TEST(every_scheme_of_the_peer)
{
	static const struct {
		const char *algorithms;
		int version;
	} peers[] = { { "RSA+SHA256", TLS1_2_VERSION },
		{ "RSA+SHA384", TLS1_2_VERSION },
		{ "RSA+SHA512", TLS1_2_VERSION },
		{ "RSA-PSS+SHA256", TLS1_2_VERSION },
		{ "RSA-PSS+SHA256", TLS1_3_VERSION },
		{ "RSA-PSS+SHA384", TLS1_3_VERSION },
		{ "RSA-PSS+SHA512", TLS1_3_VERSION } };
	SSL_CTX *ctx = serve(rsa, peers[_i].version);

	ck_assert(shake(ctx, peers[_i].algorithms));
	ck_assert_uint_eq(asked, 1);
	SSL_CTX_free(ctx);
}
END_TEST

START_TEST(a_refusal_ends_the_handshake)
{
	SSL_CTX *ctx = serve(ec, TLS1_3_VERSION);
	EVP_PKEY *keys[] = { rsa };

	load(false, keys, 1);
	load(false, keys, 1);
	ck_assert(!shake(ctx, NULL));
	ck_assert_uint_eq(asked, 1);
	SSL_CTX_free(ctx);
}
END_TEST

START_TEST(the_private_half_is_nowhere)
{
	EVP_PKEY *pair = provider_pair(ec, &signer);
	OSSL_PARAM *params = NULL;
	unsigned char *der = NULL;

	ck_assert_ptr_nonnull(pair);
	ck_assert_int_eq(EVP_PKEY_eq(pair, ec), 1);
	ck_assert_int_eq(EVP_PKEY_eq(pair, p384) == 1, 0);
	ck_assert_int_ne(EVP_PKEY_todata(pair, EVP_PKEY_KEYPAIR, &params), 1);
	ck_assert_int_le(i2d_PrivateKey(pair, &der), 0);
	EVP_PKEY_free(pair);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("signer");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, signs_what_a_server_signs);
	tcase_add_test(t, refuses_everything_else);
	tcase_add_test(t, the_floor_forbids_older_versions);
	tcase_add_test(t, keys_before_the_last_load_stay_once);
	tcase_add_test(t, handshakes_with_keys_elsewhere);
	tcase_add_loop_test(t, every_scheme_of_the_peer, 0, 7);
	tcase_add_test(t, a_refusal_ends_the_handshake);
	tcase_add_test(t, the_private_half_is_nowhere);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
