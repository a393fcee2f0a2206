/* Unit test of record.c. */
#include "common/crypto/record.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "t/unit/hex.h"

#define ROOM (RECORD_HEAD + RECORD_MAX)
#define SLOW_S 60 /* a run past RECORD_REKEY under a sanitizer */

static const enum record_cipher ciphers[] = { RECORD_NONE,
	RECORD_CHACHA20_POLY1305, RECORD_AES256_GCM };

#define FIRST_SEALED 1
#define CIPHERS ((int)(sizeof(ciphers) / sizeof(ciphers[0])))

/* The split key of all vectors: 0, 1, 2 ... 31. */
static const uint8_t split_key[RECORD_KEY] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
	11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
	29, 30, 31 };

/*
 * Record `number` of a direction, each of them "hello", without its length.
 * Computed by Python: hashlib.blake2b and cryptography's AEADs.
 */
static const struct {
	enum record_cipher cipher;
	uint64_t number;
	const char *sealed;
} vectors[] = {
	{ RECORD_AES256_GCM, 0, "e9262df8c95a4c2a68929ea8982b344ed315d2381b" },
	{ RECORD_AES256_GCM, 1, "2c5e9ef1248ee81e58b71a7dc9f4c6049d8002d392" },
	{ RECORD_AES256_GCM, RECORD_REKEY - 1,
	    "6df1157b2b865f80c87420530c781e59caa1ee1209" },
	{ RECORD_AES256_GCM, RECORD_REKEY,
	    "065aa7d1656bfbcdf167e6e1d33f7a08969f744d0c" },
	{ RECORD_CHACHA20_POLY1305, 0,
	    "bf4624e4905ee3c56484754ad2eab64089b3c14cd3" },
	{ RECORD_CHACHA20_POLY1305, 1,
	    "4f0a4465318c81b90e7a1173554ed26c19cf45b1b6" },
	{ RECORD_CHACHA20_POLY1305, RECORD_REKEY - 1,
	    "a70c17eea70d8cb1fd4cabe3d00dcc278624ae3b88" },
	{ RECORD_CHACHA20_POLY1305, RECORD_REKEY,
	    "c75697caf6491464a311f74bd80ff0435fefca3255" },
};

struct ends {
	struct record *tx, *rx;
	uint8_t p[ROOM];
};

static void
ends_init(struct ends *x, enum record_cipher c)
{
	ck_assert_ptr_nonnull(x->tx = record_new(c, split_key));
	ck_assert_ptr_nonnull(x->rx = record_new(c, split_key));
}

static void
ends_free(struct ends *x)
{
	record_free(x->tx);
	record_free(x->rx);
}

static void
pattern(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 7);
}

/* Seal n bytes of a pattern into x->p; returns the record's length. */
static size_t
ends_seal(struct ends *x, size_t n)
{
	ssize_t total;

	pattern(x->p + RECORD_HEAD, n);
	total = record_seal(x->tx, x->p, n);
	ck_assert_int_eq(total, (ssize_t)(n + record_overhead(x->tx)));
	return (size_t)total;
}

START_TEST(vectors_of_python)
{
	struct ends x;
	ssize_t total = 0;

	ends_init(&x, vectors[_i].cipher);
	for (uint64_t i = 0; i <= vectors[_i].number; i++) {
		memcpy(x.p + RECORD_HEAD, "hello", 5);
		total = record_seal(x.tx, x.p, 5);
	}
	ck_assert_int_eq(total, RECORD_HEAD + 5 + RECORD_TAG);
	hex_eq(
	    x.p + RECORD_HEAD, (size_t)total - RECORD_HEAD, vectors[_i].sealed);
	ends_free(&x);
}
END_TEST

START_TEST(sizes_round_trip)
{
	static const size_t sizes[] = { 1, 2, 15, 16, 17, 255, 256, 1000,
		RECORD_PLAIN_MAX - 1, RECORD_PLAIN_MAX };
	uint8_t want[RECORD_PLAIN_MAX];
	struct ends x;
	size_t total;

	ends_init(&x, ciphers[_i]);
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		total = ends_seal(&x, sizes[k]);
		ck_assert_int_eq(
		    record_length(x.p, RECORD_HEAD), (ssize_t)total);
		ck_assert_int_eq(
		    record_open(x.rx, x.p, total), (ssize_t)sizes[k]);
		pattern(want, sizes[k]);
		ck_assert_mem_eq(x.p + RECORD_HEAD, want, sizes[k]);
	}
	ends_free(&x);
}
END_TEST

/* Both sides go over the change of keys without a word. */
START_TEST(rekey_in_step)
{
	struct ends x;
	ssize_t total;
	bool ok = true;

	ends_init(&x, ciphers[_i]);
	for (uint64_t i = 0; ok && i < RECORD_REKEY + 2; i++) {
		x.p[RECORD_HEAD] = (uint8_t)i;
		total = record_seal(x.tx, x.p, 1);
		ok = total > 0 && record_open(x.rx, x.p, (size_t)total) == 1 &&
		    x.p[RECORD_HEAD] == (uint8_t)i;
	}
	ck_assert(ok); /* each ck_assert is a system call */
	ends_free(&x);
}
END_TEST

/* The length is associated data: also a change there is found. */
START_TEST(any_changed_bit_is_found)
{
	struct ends x;
	size_t total;

	for (size_t bit = 0; bit < 8 * (RECORD_HEAD + 9 + RECORD_TAG); bit++) {
		ends_init(&x, ciphers[_i]);
		total = ends_seal(&x, 9);
		x.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		errno = 0;
		ck_assert_int_eq(record_open(x.rx, x.p, total), -1);
		ck_assert_int_eq(errno, EBADMSG);
		ends_free(&x);
	}
}
END_TEST

START_TEST(failure_is_final)
{
	struct ends x;
	size_t total;

	ends_init(&x, ciphers[_i]);
	total = ends_seal(&x, 9);
	x.p[total - 1] ^= 1;
	ck_assert_int_eq(record_open(x.rx, x.p, total), -1);
	total = ends_seal(&x, 9);
	errno = 0;
	ck_assert_int_eq(record_open(x.rx, x.p, total), -1);
	ck_assert_int_eq(errno, EINVAL);
	ends_free(&x);
}
END_TEST

START_TEST(order_is_kept)
{
	struct ends x;
	uint8_t first[ROOM];
	size_t total;

	/* A record left out. */
	ends_init(&x, ciphers[_i]);
	ends_seal(&x, 9);
	total = ends_seal(&x, 9);
	ck_assert_int_eq(record_open(x.rx, x.p, total), -1);
	ends_free(&x);

	/* A record that comes twice. */
	ends_init(&x, ciphers[_i]);
	total = ends_seal(&x, 9);
	memcpy(first, x.p, total);
	ck_assert_int_eq(record_open(x.rx, x.p, total), 9);
	ck_assert_int_eq(record_open(x.rx, first, total), -1);
	ends_free(&x);
}
END_TEST

/* Cipher and split key both go into the key. */
START_TEST(keys_differ)
{
	uint8_t other[RECORD_KEY] = { 1 };
	struct record *rx;
	struct ends x;
	size_t total;

	for (int k = 0; k < 2; k++) {
		ends_init(&x, ciphers[_i]);
		total = ends_seal(&x, 9);
		rx = k == 0 ? record_new(ciphers[_i], other)
			    : record_new(ciphers[CIPHERS - _i], split_key);
		ck_assert_ptr_nonnull(rx);
		ck_assert_int_eq(record_open(rx, x.p, total), -1);
		record_free(rx);
		ends_free(&x);
	}
}
END_TEST

/* A record one way must not be used the other way: nonces would repeat. */
START_TEST(one_direction_each)
{
	struct ends x;
	size_t total;

	ends_init(&x, ciphers[_i]);
	total = ends_seal(&x, 9);
	errno = 0;
	ck_assert_int_eq(record_open(x.tx, x.p, total), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(record_open(x.rx, x.p, total), 9);
	errno = 0;
	ck_assert_int_eq(record_seal(x.rx, x.p, 9), -1);
	ck_assert_int_eq(errno, EINVAL);
	/* Which harms neither. */
	total = ends_seal(&x, 9);
	ck_assert_int_eq(record_open(x.rx, x.p, total), 9);
	ends_free(&x);
}
END_TEST

START_TEST(sizes_are_bounded)
{
	struct ends x;
	size_t total;

	ends_init(&x, ciphers[_i]);
	errno = 0;
	ck_assert_int_eq(record_seal(x.tx, x.p, 0), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert_int_eq(record_seal(x.tx, x.p, RECORD_PLAIN_MAX + 1), -1);
	ck_assert_int_eq(record_seal(x.tx, x.p, SIZE_MAX), -1);
	total = ends_seal(&x, 9); /* it goes on */
	ck_assert_int_eq(record_open(x.rx, x.p, total), 9);
	ends_free(&x);
}
END_TEST

START_TEST(short_records_are_refused)
{
	struct ends x;
	size_t total;

	for (size_t n = 0; n < RECORD_HEAD + 9 + RECORD_TAG; n++) {
		ends_init(&x, RECORD_AES256_GCM);
		total = ends_seal(&x, 9);
		/* As it was cut off, and with the length to match. */
		if (n >= RECORD_HEAD && n % 2 == 0)
			x.p[1] = (uint8_t)(n - RECORD_HEAD);
		ck_assert_uint_gt(total, n);
		errno = 0;
		ck_assert_int_eq(record_open(x.rx, x.p, n), -1);
		ck_assert_int_eq(errno, EBADMSG);
		ends_free(&x);
	}
}
END_TEST

START_TEST(plain_records_are_bounded_too)
{
	struct ends x;

	ends_init(&x, RECORD_NONE);
	x.p[0] = (RECORD_PLAIN_MAX + 1) >> 8;
	x.p[1] = (RECORD_PLAIN_MAX + 1) & 0xff;
	ck_assert_int_eq(
	    record_open(x.rx, x.p, RECORD_HEAD + RECORD_PLAIN_MAX + 1), -1);
	ends_free(&x);
}
END_TEST

static const struct {
	uint8_t p[3];
	size_t n;
	ssize_t length;
} lengths[] = {
	{ { 0 }, 0, 0 },
	{ { 0x00 }, 1, 0 },
	{ { 0xff }, 1, 0 },
	{ { 0x00, 0x00 }, 2, -1 },
	{ { 0x00, 0x01 }, 2, 3 },
	{ { 0x00, 0x11, 0xff }, 3, 0x13 },
	{ { 0x40, 0x00 }, 2, RECORD_HEAD + RECORD_MAX },
	{ { 0x40, 0x01 }, 2, -1 },
	{ { 0xff, 0xff }, 2, -1 },
};

START_TEST(length_of_a_record)
{
	ck_assert_int_eq(
	    record_length(lengths[_i].p, lengths[_i].n), lengths[_i].length);
}
END_TEST

START_TEST(names)
{
	enum record_cipher c;

	for (int i = 0; i < CIPHERS; i++) {
		ck_assert_int_eq(
		    record_cipher_parse(record_cipher_name(ciphers[i]), &c), 0);
		ck_assert_int_eq(c, ciphers[i]);
	}
	ck_assert_str_eq(record_cipher_name(RECORD_NONE), "none");
	ck_assert_str_eq(
	    record_cipher_name(RECORD_CHACHA20_POLY1305), "chacha20-poly1305");
	ck_assert_str_eq(record_cipher_name(RECORD_AES256_GCM), "aes256-gcm");
	ck_assert_int_eq(record_cipher_parse("auto", &c), -1);
	ck_assert_ptr_null(record_cipher_name((enum record_cipher)CIPHERS));
	ck_assert_int_ne(record_cipher_best(), RECORD_NONE);
	errno = 0;
	ck_assert_ptr_null(record_new((enum record_cipher)CIPHERS, split_key));
	ck_assert_int_eq(errno, EINVAL);
	record_free(NULL);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("record");
	TCase *t = tcase_create("record");
	SRunner *r = srunner_create(s);
	int failed;

	if (sodium_init() == -1 || record_init() == -1)
		return EXIT_FAILURE;
	tcase_set_timeout(t, SLOW_S);
	tcase_add_loop_test(t, vectors_of_python, 0,
	    (int)(sizeof(vectors) / sizeof(vectors[0])));
	tcase_add_loop_test(t, sizes_round_trip, 0, CIPHERS);
	tcase_add_loop_test(t, rekey_in_step, FIRST_SEALED, CIPHERS);
	tcase_add_loop_test(t, any_changed_bit_is_found, FIRST_SEALED, CIPHERS);
	tcase_add_loop_test(t, failure_is_final, FIRST_SEALED, CIPHERS);
	tcase_add_loop_test(t, order_is_kept, FIRST_SEALED, CIPHERS);
	tcase_add_loop_test(t, keys_differ, FIRST_SEALED, CIPHERS);
	tcase_add_loop_test(t, one_direction_each, 0, CIPHERS);
	tcase_add_loop_test(t, sizes_are_bounded, 0, CIPHERS);
	tcase_add_test(t, short_records_are_refused);
	tcase_add_test(t, plain_records_are_bounded_too);
	tcase_add_loop_test(t, length_of_a_record, 0,
	    (int)(sizeof(lengths) / sizeof(lengths[0])));
	tcase_add_test(t, names);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
