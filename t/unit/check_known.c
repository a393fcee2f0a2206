/* Unit test of known.c. */
#include "client/known.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define A "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define B "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA"

static char dir[] = "/tmp/check_known.XXXXXX";
static char path[256];

static void
set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sub/known", dir);
}

static void
tear_down(void)
{
	char sub[sizeof(path)];

	snprintf(sub, sizeof(sub), "%s/sub", dir);
	unlink(path);
	rmdir(sub);
	rmdir(dir);
}

static const struct {
	const char *text;
	int found;	 /* of the server "h:1" */
	const char *key; /* its key */
	size_t line;	 /* where it is damaged */
} cases[] = {
	{ "", 0, NULL, 0 },
	{ "\n\n", 0, NULL, 0 },
	{ "# a comment\n", 0, NULL, 0 },
	{ "h:1 " A "\n", 1, A, 0 },
	{ "h:1 " A, 1, A, 0 },
	{ "g:1 " A "\nh:1 " B "\n", 1, B, 0 },
	{ "hh:1 " A "\n", 0, NULL, 0 },
	{ "h:11 " A "\n", 0, NULL, 0 },
	{ "[::1]:80 " A "\nh:1 " B "\n", 1, B, 0 },
	{ "h:1 " A "\nh:1 " A "\n", 1, A, 0 },
	{ "h:1 " A "\nh:1 " B "\n", -1, NULL, 2 },
	{ "h:1\n", -1, NULL, 1 },
	{ "h:1  " A "\n", -1, NULL, 1 },
	{ " h:1 " A "\n", -1, NULL, 1 },
	{ "h:1 " A " \n", -1, NULL, 1 },
	{ "h:1 " A "\r\n", -1, NULL, 1 },
	{ "h:1 " A "A\n", -1, NULL, 1 },
	{ "h:1 short\n", -1, NULL, 1 },
	{ "h " A "\n", -1, NULL, 1 },
	{ "\n# x\nwhat is this\n", -1, NULL, 3 },
	/* The unused bits of the last character must be zero. */
	{ "h:1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\n", -1, NULL, 1 },
};

START_TEST(parses)
{
	uint8_t key[KEYTEXT_KEY], want[KEYTEXT_KEY];
	const char *text = cases[_i].text;
	size_t line = 0;

	memset(key, 0x55, sizeof(key));
	ck_assert_int_eq(known_parse(text, strlen(text), "h:1", key, &line),
	    cases[_i].found);
	if (cases[_i].found == -1)
		ck_assert_uint_eq(line, cases[_i].line);
	memset(want, 0x55, sizeof(want));
	if (cases[_i].key != NULL)
		keytext_decode(want, cases[_i].key, KEYTEXT_LEN);
	ck_assert_mem_eq(key, want, sizeof(key));
}
END_TEST

START_TEST(nul_is_damage)
{
	uint8_t key[KEYTEXT_KEY];
	size_t line;

	ck_assert_int_eq(
	    known_parse("h:1 " A "\n\0\n", 50, "h:1", key, &line), -1);
	ck_assert_uint_eq(line, 2);
}
END_TEST

START_TEST(adds_and_finds)
{
	uint8_t key[KEYTEXT_KEY] = { 1 }, other[KEYTEXT_KEY] = { 2 };
	uint8_t got[KEYTEXT_KEY];
	char why[KNOWN_WHY];
	struct stat st;
	mode_t before = umask(0);

	ck_assert_int_eq(known_find(path, "h:1", got, why), 0);
	ck_assert_int_eq(known_add(path, "h:1", key, why), 0);
	ck_assert_int_eq(known_add(path, "[::1]:80", other, why), 0);
	ck_assert_int_eq(known_find(path, "h:1", got, why), 1);
	ck_assert_mem_eq(got, key, sizeof(got));
	ck_assert_int_eq(known_find(path, "[::1]:80", got, why), 1);
	ck_assert_mem_eq(got, other, sizeof(got));
	ck_assert_int_eq(known_find(path, "h:2", got, why), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	umask(before);
}
END_TEST

START_TEST(keeps_what_a_user_wrote)
{
	uint8_t key[KEYTEXT_KEY] = { 1 }, got[KEYTEXT_KEY];
	char why[KNOWN_WHY], text[256];
	size_t n;
	FILE *f;

	ck_assert_int_eq(known_add(path, "h:1", key, why), 0);
	ck_assert_ptr_nonnull(f = fopen(path, "w"));
	fputs("# mine\ng:1 " A, f); /* no newline at its end */
	fclose(f);
	ck_assert_int_eq(known_add(path, "h:1", key, why), 0);
	ck_assert_int_eq(known_find(path, "g:1", got, why), 1);
	ck_assert_int_eq(known_find(path, "h:1", got, why), 1);
	ck_assert_ptr_nonnull(f = fopen(path, "r"));
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	ck_assert_uint_ge(n, 7);
	ck_assert_mem_eq(text, "# mine\n", 7);
}
END_TEST

START_TEST(damage_names_the_place)
{
	uint8_t key[KEYTEXT_KEY] = { 1 };
	char why[KNOWN_WHY], place[300];
	FILE *f;

	ck_assert_int_eq(known_add(path, "h:1", key, why), 0);
	ck_assert_ptr_nonnull(f = fopen(path, "a"));
	fputs("garbage\n", f);
	fclose(f);
	ck_assert_int_eq(known_find(path, "h:1", key, why), -1);
	snprintf(place, sizeof(place), "%s:2: ", path);
	ck_assert_ptr_nonnull(strstr(why, place));
}
END_TEST

START_TEST(others_must_not_write_there)
{
	uint8_t key[KEYTEXT_KEY] = { 1 };
	char why[KNOWN_WHY];

	ck_assert_int_eq(chmod(dir, 0777), 0);
	snprintf(path, sizeof(path), "%s/known", dir);
	ck_assert_int_eq(known_add(path, "h:1", key, why), -1);
	ck_assert_ptr_nonnull(strstr(why, path));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("known");
	TCase *t = tcase_create("known");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(
	    t, parses, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(t, nul_is_damage);
	tcase_add_test(t, adds_and_finds);
	tcase_add_test(t, keeps_what_a_user_wrote);
	tcase_add_test(t, damage_names_the_place);
	tcase_add_test(t, others_must_not_write_there);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
