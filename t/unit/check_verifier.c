/* Unit test of verifier.c: round trips, and what a hostile sender writes. */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/conf/verifier.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define HASH                                        \
	"$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHQ" \
	"$qLml5cbqFAO6YxVHhrSBHP0UWdxrIxkNcM8aMX3blzU"

static const struct verifier samples[] = {
	{ "id1", VERIFIER_SECRET, { .secret = "secret1" } },
	{ "a", VERIFIER_SECRET, { .secret = "x" } },
	{ "id-2", VERIFIER_PUBKEY, { .key = { 1, 2, [31] = 255 } } },
	{ "id3", VERIFIER_HASH, { .hash = HASH } },
};

static size_t
encode(uint8_t *bytes, size_t size, const struct verifier *v)
{
	struct buf b;

	buf_write(&b, bytes, size);
	ck_assert_int_eq(verifier_put(&b, v), 0);
	return buf_used(&b);
}

START_TEST(round_trip)
{
	uint8_t bytes[512];
	struct verifier v;
	struct buf b;
	size_t n = encode(bytes, sizeof(bytes), &samples[_i]);

	buf_read(&b, bytes, n);
	ck_assert_int_eq(verifier_get(&b, &v), 0);
	ck_assert(buf_done(&b));
	ck_assert_mem_eq(&v, &samples[_i], sizeof(v));
}
END_TEST

START_TEST(cut_anywhere)
{
	static const struct verifier wiped;
	uint8_t bytes[512];
	struct verifier v;
	struct buf b;
	size_t n = encode(bytes, sizeof(bytes), &samples[_i]);

	for (size_t cut = 0; cut < n; cut++) {
		buf_read(&b, bytes, cut);
		ck_assert_int_eq(verifier_get(&b, &v), -1);
		ck_assert(!buf_ok(&b));
		ck_assert_mem_eq(&v, &wiped, sizeof(v));
		buf_write(&b, bytes, cut);
		ck_assert_int_eq(verifier_put(&b, &samples[_i]), -1);
		encode(bytes, sizeof(bytes), &samples[_i]);
	}
}
END_TEST

START_TEST(longest_secret)
{
	uint8_t bytes[512];
	struct verifier v = { "id1", VERIFIER_SECRET, { .secret = "" } };
	struct verifier back;
	struct buf b;
	size_t n;

	memset(v.u.secret, 's', VERIFIER_SECRET_MAX);
	n = encode(bytes, sizeof(bytes), &v);
	buf_read(&b, bytes, n);
	ck_assert_int_eq(verifier_get(&b, &back), 0);
	ck_assert_str_eq(back.u.secret, v.u.secret);
}
END_TEST

/* Method, id, proof as str8. */
static const struct {
	uint8_t method;
	const char *id, *proof;
} hostile[] = {
	{ 0, "id1", "secret" },
	{ 4, "id1", "secret" },
	{ 255, "id1", "secret" },
	{ VERIFIER_SECRET, "", "secret" },
	{ VERIFIER_SECRET, "ID1", "secret" },
	{ VERIFIER_SECRET, "a.b", "secret" },
	{ VERIFIER_SECRET, "-a", "secret" },
	{ VERIFIER_SECRET, "id1", "" },
	{ VERIFIER_HASH, "id1", "" },
	{ VERIFIER_HASH, "id1", "plain" },
	{ VERIFIER_PUBKEY, "id1", "short" },
	{ VERIFIER_SECRET,
	    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg",
	    "secret" },
};

START_TEST(hostile_senders)
{
	uint8_t bytes[512];
	struct verifier v;
	struct buf b;
	size_t n;

	buf_write(&b, bytes, sizeof(bytes));
	buf_put_u8(&b, hostile[_i].method);
	buf_put_cstr8(&b, hostile[_i].id);
	buf_put_cstr8(&b, hostile[_i].proof);
	n = buf_used(&b);
	buf_read(&b, bytes, n);
	ck_assert_int_eq(verifier_get(&b, &v), -1);
}
END_TEST

static const struct {
	const char *hash;
	bool ok;
} hashes[] = {
	{ HASH, true },
	{ "$argon2id$v=19$m=1048576,t=64,p=16$c29tZXNhbHQ"
	  "$qLml5cbqFAO6YxVHhrSBHA",
	    true },
	{ "$argon2id$v=19$m=1048577,t=3,p=1$c29tZXNhbHQ"
	  "$qLml5cbqFAO6YxVHhrSBHA",
	    false },
	{ "$argon2id$v=19$m=99999999999,t=3,p=1$c29tZXNhbHQ"
	  "$qLml5cbqFAO6YxVHhrSBHA",
	    false },
	{ "$argon2id$v=19$m=4096,t=65,p=1$c29tZXNhbHQ"
	  "$qLml5cbqFAO6YxVHhrSBHA",
	    false },
	{ "$argon2id$v=19$m=4096,t=0,p=1$c29tZXNhbHQ"
	  "$qLml5cbqFAO6YxVHhrSBHA",
	    false },
	{ "$argon2id$v=19$m=4096,t=3,p=17$c29tZXNhbHQ"
	  "$qLml5cbqFAO6YxVHhrSBHA",
	    false },
	{ "$argon2i$v=19$m=4096,t=3,p=1$c29tZXNhbHQ"
	  "$qLml5cbqFAO6YxVHhrSBHA",
	    false },
	{ "$argon2id$v=16$m=4096,t=3,p=1$c29tZXNhbHQ"
	  "$qLml5cbqFAO6YxVHhrSBHA",
	    false },
	{ "$argon2id$v=19$m=4096,t=3,p=1$$qLml5cbqFAO6YxVHhrSBHA", false },
	{ "$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHQ$", false },
	{ "$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHQ", false },
	{ HASH " ", false },
	{ HASH "==", false },
	{ HASH HASH, false },
	{ "", false },
};

START_TEST(hash_shapes)
{
	ck_assert_msg(
	    verifier_check_hash(hashes[_i].hash) == (hashes[_i].ok ? 0 : -1),
	    "%s", hashes[_i].hash);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("verifier");
	TCase *t = tcase_create("codec");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, round_trip, 0, ROWS(samples));
	tcase_add_loop_test(t, cut_anywhere, 0, ROWS(samples));
	tcase_add_loop_test(t, hostile_senders, 0, ROWS(hostile));
	tcase_add_loop_test(t, hash_shapes, 0, ROWS(hashes));
	tcase_add_test(t, longest_secret);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
