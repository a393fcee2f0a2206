/* Unit test of bundle.c and signing.c: what travels to tls and to sign. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/bundle.h"
#include "common/crypto/signing.h"

static uint8_t space[BUNDLE_DER_MAX + 1024];

/* Two certificates, the second with a chain of as many as may be. */
static size_t
make_certs(uint16_t count, uint8_t depth)
{
	struct buf b;

	buf_write(&b, space, sizeof(space));
	bundle_put_head(&b, BUNDLE_CERTS, true, count);
	bundle_put_name(&b, "", 1);
	bundle_put_der(&b, "abc", 3);
	bundle_put_name(&b, "*.example.org", depth);
	for (size_t i = 0; i < depth; i++)
		bundle_put_der(&b, "defg", 4);
	ck_assert(buf_ok(&b));
	return buf_used(&b);
}

static int
read_all(const uint8_t *p, size_t n, enum bundle_kind kind, int *entries)
{
	struct bundle_cert c;
	struct bundle_der k;
	struct bundle x;
	int more;

	*entries = 0;
	if (bundle_read(&x, kind, p, n) == -1)
		return -1;
	do {
		more = kind == BUNDLE_CERTS ? bundle_cert(&x, &c)
					    : bundle_key(&x, &k);
		*entries += more == 1;
	} while (more == 1);
	return more;
}

START_TEST(certificates_come_back)
{
	size_t n = make_certs(2, BUNDLE_DEPTH);
	struct bundle_cert c;
	struct bundle x;
	int entries;

	ck_assert_int_eq(bundle_read(&x, BUNDLE_CERTS, space, n), 0);
	ck_assert(x.floor);
	ck_assert_int_eq(bundle_cert(&x, &c), 1);
	ck_assert_str_eq(c.name, "");
	ck_assert_uint_eq(c.depth, 1);
	ck_assert_uint_eq(c.chain[0].n, 3);
	ck_assert_mem_eq(c.chain[0].p, "abc", 3);
	ck_assert_int_eq(bundle_cert(&x, &c), 1);
	ck_assert_str_eq(c.name, "*.example.org");
	ck_assert_uint_eq(c.depth, BUNDLE_DEPTH);
	ck_assert_int_eq(bundle_cert(&x, &c), 0);
	/* Any cut is noticed, and so is a byte too many. */
	for (size_t cut = 0; cut < n; cut++) {
		uint8_t *copy = malloc(cut + 1);

		memcpy(copy, space, cut);
		ck_assert_int_eq(
		    read_all(copy, cut, BUNDLE_CERTS, &entries), -1);
		free(copy);
	}
	ck_assert_int_eq(read_all(space, n + 1, BUNDLE_CERTS, &entries), -1);
	/* Certificates are no keys. */
	ck_assert_int_eq(bundle_read(&x, BUNDLE_KEYS, space, n), -1);
	ck_assert_int_eq(bundle_read(&x, BUNDLE_CERTS, space, n), 0);
	x.kind = BUNDLE_KEYS;
	ck_assert_int_eq(bundle_cert(&x, &c), -1);
}
END_TEST

START_TEST(bounds_of_certificates)
{
	int entries;

	ck_assert_int_eq(read_all(space, make_certs(2, BUNDLE_DEPTH + 1),
			     BUNDLE_CERTS, &entries),
	    -1);
	ck_assert_int_eq(
	    read_all(space, make_certs(2, 0), BUNDLE_CERTS, &entries), -1);
	ck_assert_int_eq(
	    read_all(space, make_certs(3, 1), BUNDLE_CERTS, &entries), -1);
	ck_assert_int_eq(read_all(space, make_certs(BUNDLE_ENTRIES + 1, 1),
			     BUNDLE_CERTS, &entries),
	    -1);
	make_certs(2, 1);
	space[4] = 2; /* neither true nor false */
	ck_assert_int_eq(
	    read_all(space, sizeof(space), BUNDLE_CERTS, &entries), -1);
}
END_TEST

START_TEST(keys_come_back)
{
	static uint8_t der[BUNDLE_DER_MAX + 1];
	static const size_t sizes[] = { 1, 2, BUNDLE_DER_MAX, 0,
		BUNDLE_DER_MAX + 1 };
	int entries;
	struct buf b;

	buf_write(&b, space, sizeof(space));
	bundle_put_head(&b, BUNDLE_KEYS, false, 1);
	bundle_put_der(&b, der, sizes[_i]);
	ck_assert(buf_ok(&b));
	ck_assert_int_eq(read_all(space, buf_used(&b), BUNDLE_KEYS, &entries),
	    _i < 3 ? 0 : -1);
	ck_assert_int_eq(entries, _i < 3);
}
END_TEST

/* ---- what is signed ---- */

/* CertificateVerify of TLS 1.3 with a hash of so many bytes. */
static size_t
make_tls13(uint8_t *p, size_t hash)
{
	memset(p, ' ', 64);
	memcpy(p + 64, "TLS 1.3, server CertificateVerify", 34);
	memset(p + 98, 0xaa, hash);
	return 98 + hash;
}

/* ServerKeyExchange of TLS 1.2 with a point of so many bytes. */
static size_t
make_tls12(uint8_t *p, size_t point)
{
	memset(p, 0x55, 64);
	p[64] = 3;
	p[65] = 0;
	p[66] = 29;
	p[67] = (uint8_t)point;
	memset(p + 68, 4, point);
	return 68 + point;
}

START_TEST(content_is_known)
{
	uint8_t p[512];
	size_t n;

	for (size_t hash = 0; hash <= 64; hash++) {
		n = make_tls13(p, hash);
		ck_assert_int_eq(signing_kind(p, n),
		    hash == 32 || hash == 48 ? SIGNING_TLS13 : SIGNING_NOTHING);
	}
	for (size_t point = 0; point <= 133; point++) {
		n = make_tls12(p, point);
		ck_assert_int_eq(signing_kind(p, n),
		    point > 0 ? SIGNING_TLS12 : SIGNING_NOTHING);
		ck_assert_int_eq(signing_kind(p, n + 1), SIGNING_NOTHING);
		ck_assert_int_eq(signing_kind(p, n - 1), SIGNING_NOTHING);
	}
	for (size_t i = 0; i < 98; i++) {
		n = make_tls13(p, 32);
		p[i] ^= 1;
		ck_assert_int_eq(signing_kind(p, n), SIGNING_NOTHING);
	}
	n = make_tls12(p, 32);
	p[64] = 1; /* curves that the peer describes */
	ck_assert_int_eq(signing_kind(p, n), SIGNING_NOTHING);
	/* A client's signature is not ours to make. */
	n = make_tls13(p, 32);
	memcpy(p + 73, "client", 6);
	ck_assert_int_eq(signing_kind(p, n), SIGNING_NOTHING);
	for (n = 0; n < 98; n++) {
		memset(p, ' ', n);
		ck_assert_int_eq(signing_kind(p, n), SIGNING_NOTHING);
	}
}
END_TEST

START_TEST(questions_come_back)
{
	static const size_t sizes[] = { 1, 98, SIGNING_CONTENT_MAX, 0,
		SIGNING_CONTENT_MAX + 1 };
	uint8_t content[SIGNING_CONTENT_MAX + 1] = { 1, 2, 3 };
	uint8_t p[SIGNING_KEY_ID + 2 + sizeof(content)];
	struct signing s = { .key = { 9, 8 },
		.scheme = SIGNING_PSS_SHA256,
		.content = content,
		.n = sizes[_i] },
		       got;
	struct buf b;

	buf_write(&b, p, sizeof(p));
	ck_assert_int_eq(signing_put(&b, &s), 0);
	buf_read(&b, p, buf_used(&b));
	ck_assert_int_eq(signing_get(&b, &got), _i < 3 ? 0 : -1);
	if (_i >= 3)
		return;
	ck_assert_mem_eq(got.key, s.key, SIGNING_KEY_ID);
	ck_assert_uint_eq(got.scheme, s.scheme);
	ck_assert_uint_eq(got.n, s.n);
	ck_assert_mem_eq(got.content, content, s.n);
	for (size_t cut = 0; cut < SIGNING_KEY_ID + 2; cut++) {
		buf_read(&b, p, cut);
		ck_assert_int_eq(signing_get(&b, &got), -1);
	}
}
END_TEST

START_TEST(schemes)
{
	ck_assert_str_eq(signing_hash(SIGNING_ECDSA_SHA384), "SHA384");
	ck_assert_str_eq(signing_key_type(SIGNING_ECDSA_SHA384), "EC");
	ck_assert_str_eq(signing_hash(SIGNING_PSS_SHA512), "SHA512");
	ck_assert_str_eq(signing_key_type(SIGNING_PKCS1_SHA256), "RSA");
	ck_assert_ptr_null(signing_hash(0x0201)); /* SHA-1 */
	ck_assert_ptr_null(signing_hash(0));
	ck_assert_ptr_null(signing_key_type(0xffff));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("bundle");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, certificates_come_back);
	tcase_add_test(t, bounds_of_certificates);
	tcase_add_loop_test(t, keys_come_back, 0, 5);
	tcase_add_test(t, content_is_known);
	tcase_add_loop_test(t, questions_come_back, 0, 5);
	tcase_add_test(t, schemes);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
