/* Unit test of noise.c: published vectors, faults, and what a key is for. */
#include "common/crypto/noise.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "t/unit/hex.h"
#include "t/unit/vectors_noise.h"

#define VECTORS ((int)(sizeof(vectors_noise) / sizeof(vectors_noise[0])))
#define MESSAGES 3

/* ChaCha20-Poly1305(key 0, nonce 2^64 - 1, 32 zeros), by Python. */
#define REKEYED_ZERO \
	"25ce5d37df19f3783185f2ffd5ab17fa3397c212f02d62fb1733e0b875b74c58"

/* Two ends that know nothing of each other yet. */
struct ends {
	struct noise end[2]; /* initiator, responder */
	struct noise_key s[2];
};

static void
ends_init(struct ends *x, const char *prologue0, const char *prologue1)
{
	const char *prologue[2] = { prologue0, prologue1 };

	for (int i = 0; i < 2; i++) {
		noise_key_make(&x->s[i]);
		noise_init(&x->end[i], i == 0, prologue[i], strlen(prologue[i]),
		    &x->s[i], NULL);
	}
}

/* Message number i, with its payload, left in msg; returns its length. */
static size_t
ends_write(struct ends *x, int i, uint8_t msg[NOISE_MSG_MAX])
{
	size_t n;

	ck_assert_int_eq(
	    noise_write(&x->end[i % 2], "payload", 7, msg, NOISE_MSG_MAX, &n),
	    0);
	return n;
}

static int
ends_read(struct ends *x, int i, const uint8_t *msg, size_t n)
{
	uint8_t payload[NOISE_MSG_MAX];
	size_t plen = 0;
	int rc = noise_read(
	    &x->end[(i + 1) % 2], msg, n, payload, sizeof(payload), &plen);

	if (rc == 0) {
		ck_assert_uint_eq(plen, 7);
		ck_assert_mem_eq(payload, "payload", 7);
	}
	return rc;
}

/* Carry messages 0 to until - 1 across. */
static void
ends_run(struct ends *x, int until)
{
	uint8_t msg[NOISE_MSG_MAX];

	for (int i = 0; i < until; i++)
		ck_assert_int_eq(
		    ends_read(x, i, msg, ends_write(x, i, msg)), 0);
}

static void
vector_end(struct noise *ns, bool initiator, const char *prologue,
    const char *s, const char *e)
{
	uint8_t bytes[256], secret[NOISE_KEY];
	struct noise_key keys[2];
	size_t n = hex(bytes, sizeof(bytes), prologue);

	ck_assert_uint_eq(hex(secret, sizeof(secret), s), NOISE_KEY);
	noise_key_from_secret(&keys[0], secret);
	ck_assert_uint_eq(hex(secret, sizeof(secret), e), NOISE_KEY);
	noise_key_from_secret(&keys[1], secret);
	noise_init(ns, initiator, bytes, n, &keys[0], &keys[1]);
}

static void
vector_transport(struct noise_cipher *tx, struct noise_cipher *rx,
    const char *payload, const char *ciphertext)
{
	uint8_t plain[256], sealed[256], opened[256];
	size_t n = hex(plain, sizeof(plain), payload);

	ck_assert_int_eq(noise_cipher_seal(tx, NULL, 0, plain, n, sealed), 0);
	hex_eq(sealed, n + NOISE_TAG, ciphertext);
	ck_assert_int_eq(
	    noise_cipher_open(rx, NULL, 0, sealed, n + NOISE_TAG, opened), 0);
	ck_assert_mem_eq(opened, plain, n);
}

START_TEST(published_vectors)
{
	struct noise end[2];
	struct noise_cipher tx[2], rx[2];
	uint8_t plain[256], msg[NOISE_MSG_MAX], got[256];
	size_t n, len, plen;
	int i;

	vector_end(&end[0], true, vectors_noise[_i].prologue,
	    vectors_noise[_i].init_static, vectors_noise[_i].init_ephemeral);
	vector_end(&end[1], false, vectors_noise[_i].prologue,
	    vectors_noise[_i].resp_static, vectors_noise[_i].resp_ephemeral);
	for (i = 0; i < MESSAGES; i++) {
		n = hex(
		    plain, sizeof(plain), vectors_noise[_i].message[i].payload);
		ck_assert_int_eq(
		    noise_write(&end[i % 2], plain, n, msg, sizeof(msg), &len),
		    0);
		hex_eq(msg, len, vectors_noise[_i].message[i].ciphertext);
		ck_assert_int_eq(noise_read(&end[(i + 1) % 2], msg, len, got,
				     sizeof(got), &plen),
		    0);
		ck_assert_uint_eq(plen, n);
		ck_assert_mem_eq(got, plain, n);
	}
	ck_assert_mem_eq(noise_hash(&end[0]), noise_hash(&end[1]), NOISE_HASH);
	if (vectors_noise[_i].hash != NULL)
		hex_eq(noise_hash(&end[0]), NOISE_HASH, vectors_noise[_i].hash);

	ck_assert_int_eq(noise_split(&end[0], &tx[0], &rx[0]), 0);
	ck_assert_int_eq(noise_split(&end[1], &tx[1], &rx[1]), 0);
	for (; i < VECTORS_NOISE_MESSAGES &&
	    vectors_noise[_i].message[i].payload != NULL;
	    i++)
		vector_transport(&tx[i % 2], &rx[(i + 1) % 2],
		    vectors_noise[_i].message[i].payload,
		    vectors_noise[_i].message[i].ciphertext);
	ck_assert_int_gt(i, MESSAGES);
}
END_TEST

START_TEST(ends_learn_each_other)
{
	struct ends x;
	uint8_t sid[NOISE_HASH];

	ends_init(&x, "ptp1", "ptp1");
	ck_assert_ptr_null(noise_remote(&x.end[0]));
	ends_run(&x, 2);
	ck_assert_mem_eq(noise_remote(&x.end[0]), x.s[1].public, NOISE_KEY);
	ck_assert_ptr_null(noise_remote(&x.end[1]));
	ck_assert(!noise_done(&x.end[0]));
	ck_assert_mem_eq(
	    noise_hash(&x.end[0]), noise_hash(&x.end[1]), NOISE_HASH);
	memcpy(sid, noise_hash(&x.end[0]), NOISE_HASH);

	ends_init(&x, "ptp1", "ptp1");
	ends_run(&x, 3);
	ck_assert(noise_done(&x.end[0]) && noise_done(&x.end[1]));
	ck_assert_mem_eq(noise_remote(&x.end[1]), x.s[0].public, NOISE_KEY);
	ck_assert_mem_ne(noise_hash(&x.end[0]), sid, NOISE_HASH);
}
END_TEST

/* Every byte of message _i but the first, which nothing protects yet. */
START_TEST(any_changed_byte_is_found)
{
	static struct ends before, x;
	struct noise_cipher tx, rx;
	uint8_t msg[NOISE_MSG_MAX];
	size_t n;

	ends_init(&before, "ptp1", "ptp1");
	ends_run(&before, _i);
	n = ends_write(&before, _i, msg);
	for (size_t i = 0; i < n; i++) {
		x = before;
		msg[i] ^= 1;
		errno = 0;
		ck_assert_int_eq(ends_read(&x, _i, msg, n), -1);
		ck_assert_int_eq(errno, EBADMSG);
		/* Dead: not even the right message will do now. */
		msg[i] ^= 1;
		ck_assert_int_eq(ends_read(&x, _i, msg, n), -1);
		ck_assert_int_eq(
		    noise_split(&x.end[(_i + 1) % 2], &tx, &rx), -1);
	}
	x = before;
	ck_assert_int_eq(ends_read(&x, _i, msg, n), 0);
}
END_TEST

/* What was changed in the first message is found out by the second. */
START_TEST(first_message_is_proved_later)
{
	static struct ends before, x;
	uint8_t first[NOISE_MSG_MAX], second[NOISE_MSG_MAX];
	uint8_t payload[NOISE_MSG_MAX];
	size_t n, plen;

	ends_init(&before, "ptp1", "ptp1");
	n = ends_write(&before, 0, first);
	for (size_t i = 0; i < n; i++) {
		x = before;
		first[i] ^= 1;
		ck_assert_int_eq(noise_read(&x.end[1], first, n, payload,
				     sizeof(payload), &plen),
		    0);
		first[i] ^= 1;
		ck_assert_int_eq(
		    ends_read(&x, 1, second, ends_write(&x, 1, second)), -1);
	}
}
END_TEST

START_TEST(any_truncation_is_found)
{
	static struct ends before, x;
	uint8_t msg[NOISE_MSG_MAX + 1], payload[NOISE_MSG_MAX];
	size_t n, plen;

	ends_init(&before, "ptp1", "ptp1");
	ends_run(&before, _i);
	n = ends_write(&before, _i, msg);
	/* Of the first, the payload may be shorter: it is not protected. */
	for (size_t i = 0; i < (_i == 0 ? NOISE_KEY : n); i++) {
		x = before;
		errno = 0;
		ck_assert_int_eq(noise_read(&x.end[(_i + 1) % 2], msg, i,
				     payload, sizeof(payload), &plen),
		    -1);
		ck_assert_int_eq(errno, EBADMSG);
	}
	x = before;
	errno = 0;
	ck_assert_int_eq(ends_read(&x, _i, msg, NOISE_MSG_MAX + 1), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
}
END_TEST

START_TEST(prologues_must_agree)
{
	struct ends x;
	uint8_t msg[NOISE_MSG_MAX];
	size_t n;

	ends_init(&x, "ptp1 bound", "ptp1 unbound");
	ends_run(&x, 1);
	n = ends_write(&x, 1, msg);
	ck_assert_int_eq(ends_read(&x, 1, msg, n), -1);
}
END_TEST

/* Ephemeral keys of small order: every DH with them gives zero. */
START_TEST(zero_shared_key_is_refused)
{
	static const char *low[] = {
		"0000000000000000000000000000000000000000000000000000000000"
		"000000",
		"0100000000000000000000000000000000000000000000000000000000"
		"000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"ffff7f",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd0"
		"9f1157",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f"
		"49b800",
	};
	struct ends x;
	uint8_t msg[NOISE_MSG_MAX];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(low) / sizeof(low[0]); i++) {
		ends_init(&x, "", "");
		ck_assert_uint_eq(hex(msg, sizeof(msg), low[i]), NOISE_KEY);
		memcpy(msg + NOISE_KEY, "payload", 7);
		ck_assert_int_eq(ends_read(&x, 0, msg, NOISE_KEY + 7), 0);
		errno = 0;
		ck_assert_int_eq(
		    noise_write(&x.end[1], NULL, 0, msg, sizeof(msg), &n), -1);
		ck_assert_int_eq(errno, EBADMSG);

		ends_init(&x, "", "");
		ends_write(&x, 0, msg);
		hex(msg, sizeof(msg), low[i]);
		memset(msg + NOISE_KEY, 0, NOISE_OVERHEAD_2);
		ck_assert_int_eq(ends_read(&x, 1, msg, NOISE_OVERHEAD_2), -1);
	}
}
END_TEST

START_TEST(turns_are_kept)
{
	struct ends x;
	struct noise_cipher tx, rx;
	uint8_t msg[NOISE_MSG_MAX];
	size_t n;

	ends_init(&x, "", "");
	errno = 0;
	ck_assert_int_eq(
	    noise_write(&x.end[1], NULL, 0, msg, sizeof(msg), &n), -1);
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	memset(msg, 1, NOISE_KEY);
	ck_assert_int_eq(
	    noise_read(&x.end[0], msg, NOISE_KEY, msg, sizeof(msg), &n), -1);
	ck_assert_int_eq(errno, EINVAL);

	ends_init(&x, "", "");
	ends_run(&x, 3);
	ck_assert_int_eq(noise_split(&x.end[0], &tx, &rx), 0);
	ck_assert_int_eq(
	    noise_write(&x.end[1], NULL, 0, msg, sizeof(msg), &n), -1);
	ck_assert_int_eq(
	    noise_write(&x.end[0], NULL, 0, msg, sizeof(msg), &n), -1);
}
END_TEST

START_TEST(no_split_before_the_end)
{
	struct ends x;
	struct noise_cipher tx, rx;
	uint8_t out[NOISE_TAG + 1];

	ends_init(&x, "", "");
	ends_run(&x, 2);
	ck_assert_int_eq(noise_split(&x.end[0], &tx, &rx), -1);
	ck_assert_int_eq(noise_cipher_seal(&tx, NULL, 0, "x", 1, out), -1);
	ck_assert_int_eq(
	    noise_cipher_open(&rx, NULL, 0, out, sizeof(out), out), -1);
}
END_TEST

START_TEST(sizes_are_bounded)
{
	static const size_t overhead[MESSAGES] = { NOISE_OVERHEAD_1,
		NOISE_OVERHEAD_2, NOISE_OVERHEAD_3 };
	static struct ends before, x;
	uint8_t msg[2 * NOISE_MSG_MAX], payload[2 * NOISE_MSG_MAX] = { 0 };
	size_t n, plen, most = NOISE_MSG_MAX - overhead[_i];

	ends_init(&before, "", "");
	ends_run(&before, _i);

	x = before;
	errno = 0;
	ck_assert_int_eq(noise_write(&x.end[_i % 2], payload, most + 1, msg,
			     sizeof(msg), &n),
	    -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	x = before;
	errno = 0;
	ck_assert_int_eq(
	    noise_write(&x.end[_i % 2], payload, 1, msg, overhead[_i], &n), -1);
	ck_assert_int_eq(errno, EMSGSIZE);

	x = before;
	ck_assert_int_eq(
	    noise_write(&x.end[_i % 2], payload, most, msg, sizeof(msg), &n),
	    0);
	ck_assert_uint_eq(n, NOISE_MSG_MAX);
	before = x;
	errno = 0;
	ck_assert_int_eq(
	    noise_read(&x.end[(_i + 1) % 2], msg, n, payload, most - 1, &plen),
	    -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	x = before;
	ck_assert_int_eq(
	    noise_read(&x.end[(_i + 1) % 2], msg, n, payload, most, &plen), 0);
	ck_assert_uint_eq(plen, most);
}
END_TEST

START_TEST(cipher_checks_all_it_should)
{
	struct noise_cipher a = { .n = 0 }, b = { .n = 0 }, saved;
	uint8_t out[64], back[64];

	noise_cipher_seal(&a, "ad", 2, "hello", 5, out);
	saved = b;
	ck_assert_int_eq(
	    noise_cipher_open(&b, "AD", 2, out, 5 + NOISE_TAG, back), -1);
	ck_assert_int_eq(
	    noise_cipher_open(&b, "ad", 2, out, NOISE_TAG - 1, back), -1);
	ck_assert_mem_eq(&b, &saved, sizeof(b)); /* and the nonce stands */
	ck_assert_int_eq(
	    noise_cipher_open(&b, "ad", 2, out, 5 + NOISE_TAG, back), 0);
	ck_assert_mem_eq(back, "hello", 5);
	/* The same message again is another number. */
	ck_assert_int_eq(
	    noise_cipher_open(&b, "ad", 2, out, 5 + NOISE_TAG, back), -1);

	a.n = UINT64_MAX - 1;
	ck_assert_int_eq(noise_cipher_seal(&a, NULL, 0, "x", 1, out), 0);
	errno = 0;
	ck_assert_int_eq(noise_cipher_seal(&a, NULL, 0, "x", 1, out), -1);
	ck_assert_int_eq(errno, EOVERFLOW);
}
END_TEST

START_TEST(rekey_is_one_way_and_common)
{
	struct noise_cipher a = { .n = 7 }, b = { .n = 7 };
	uint8_t out[64], back[64];

	noise_cipher_rekey(&a);
	hex_eq(a.key, NOISE_KEY, REKEYED_ZERO);
	ck_assert_uint_eq(a.n, 7);
	noise_cipher_seal(&a, NULL, 0, "hello", 5, out);
	ck_assert_int_eq(
	    noise_cipher_open(&b, NULL, 0, out, 5 + NOISE_TAG, back), -1);
	noise_cipher_rekey(&b);
	ck_assert_int_eq(
	    noise_cipher_open(&b, NULL, 0, out, 5 + NOISE_TAG, back), 0);
}
END_TEST

START_TEST(wiped_is_dead)
{
	struct ends x;
	uint8_t msg[NOISE_MSG_MAX];
	size_t n;

	ends_init(&x, "", "");
	noise_wipe(&x.end[0]);
	ck_assert(sodium_is_zero(x.end[0].s.secret, NOISE_KEY));
	ck_assert_int_eq(
	    noise_write(&x.end[0], NULL, 0, msg, sizeof(msg), &n), -1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("noise");
	TCase *t = tcase_create("noise");
	SRunner *r;
	int failed;

	if (sodium_init() == -1)
		return EXIT_FAILURE;
	tcase_add_loop_test(t, published_vectors, 0, VECTORS);
	tcase_add_test(t, ends_learn_each_other);
	tcase_add_loop_test(t, any_changed_byte_is_found, 1, MESSAGES);
	tcase_add_test(t, first_message_is_proved_later);
	tcase_add_loop_test(t, any_truncation_is_found, 0, MESSAGES);
	tcase_add_test(t, prologues_must_agree);
	tcase_add_test(t, zero_shared_key_is_refused);
	tcase_add_test(t, turns_are_kept);
	tcase_add_test(t, no_split_before_the_end);
	tcase_add_loop_test(t, sizes_are_bounded, 0, MESSAGES);
	tcase_add_test(t, cipher_checks_all_it_should);
	tcase_add_test(t, rekey_is_one_way_and_common);
	tcase_add_test(t, wiped_is_dead);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
