/* Unit test of keytext.c. */
#include "common/crypto/keytext.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "t/unit/hex.h"

#define ZEROS "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* 32 bytes of 0xfb, 0xff, 0xbf, 0xfb ...: both characters of base64url. */
#define MARKS "-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_8"

static const struct {
	const char *what;
	const char *text;
	bool valid;
} cases[] = {
	{ "zeros", ZEROS, true },
	{ "marks", MARKS, true },
	{ "ones", "__________________________________________8", true },
	{ "empty", "", false },
	{ "too short", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", false },
	{ "too long", ZEROS "A", false },
	{ "padded", ZEROS "=", false },
	{ "padding inside",
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", false },
	{ "newline", ZEROS "\n", false },
	{ "space before", " AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    false },
	{ "unused bit 0", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",
	    false },
	{ "unused bit 1", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAC",
	    false },
	{ "base64 plus", "+AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", false },
	{ "base64 slash", "/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    false },
	{ "not ASCII", "\xffZAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    false },
};

START_TEST(strict)
{
	uint8_t key[KEYTEXT_KEY], untouched[KEYTEXT_KEY];
	char text[KEYTEXT_SIZE];
	int rc;

	memset(key, 0xaa, sizeof(key));
	memcpy(untouched, key, sizeof(key));
	errno = 0;
	rc = keytext_decode(key, cases[_i].text, strlen(cases[_i].text));
	ck_assert_msg((rc == 0) == cases[_i].valid, "%s", cases[_i].what);
	if (rc == 0) {
		ck_assert_str_eq(keytext_encode(text, key), cases[_i].text);
		return;
	}
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_mem_eq(key, untouched, sizeof(key));
}
END_TEST

START_TEST(known_text)
{
	static const uint8_t marks[] = { 0xfb, 0xff, 0xbf };
	uint8_t key[KEYTEXT_KEY];
	char text[KEYTEXT_SIZE];

	for (size_t i = 0; i < KEYTEXT_KEY; i++)
		key[i] = marks[i % sizeof(marks)];
	ck_assert_str_eq(keytext_encode(text, key), MARKS);
}
END_TEST

START_TEST(nul_is_no_character)
{
	uint8_t key[KEYTEXT_KEY];
	char text[KEYTEXT_SIZE] = ZEROS;

	text[20] = '\0';
	ck_assert_int_eq(keytext_decode(key, text, KEYTEXT_LEN), -1);
}
END_TEST

START_TEST(round_trip)
{
	uint8_t key[KEYTEXT_KEY], back[KEYTEXT_KEY];
	char text[KEYTEXT_SIZE];

	for (int i = 0; i < 1000; i++) {
		randombytes_buf(key, sizeof(key));
		keytext_encode(text, key);
		ck_assert_uint_eq(strlen(text), KEYTEXT_LEN);
		ck_assert_int_eq(keytext_decode(back, text, KEYTEXT_LEN), 0);
		ck_assert_mem_eq(back, key, sizeof(key));
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("keytext");
	TCase *t = tcase_create("keytext");
	SRunner *r = srunner_create(s);
	int failed;

	if (sodium_init() == -1)
		return EXIT_FAILURE;
	tcase_add_loop_test(
	    t, strict, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(t, known_text);
	tcase_add_test(t, nul_is_no_character);
	tcase_add_test(t, round_trip);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
