/* Unit test of text.c: what a terminal may see, and what a table may hold. */
#include "common/base/text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

START_TEST(every_byte_is_made_printable)
{
	char dst[TEXT_ESCAPED];
	unsigned char c = (unsigned char)_i;

	text_escape(dst, &c, 1);
	if (c >= 0x20 && c <= 0x7e && c != '\\') {
		ck_assert_uint_eq(strlen(dst), 1);
		ck_assert_int_eq(dst[0], c);
		return;
	}
	ck_assert_uint_eq(strlen(dst), 4);
	ck_assert_mem_eq(dst, "\\x", 2);
	ck_assert_uint_eq(strtoul(dst + 2, NULL, 16), c);
}
END_TEST

START_TEST(so_much_is_shown)
{
	char src[TEXT_PEER_MAX + 1], dst[TEXT_ESCAPED];

	memset(src, '\n', sizeof(src));
	ck_assert_ptr_eq(text_escape(dst, src, sizeof(src)), dst);
	ck_assert_uint_eq(strlen(dst), TEXT_ESCAPED - 1);
	ck_assert_str_eq(text_escape(dst, "", 0), "");
}
END_TEST

#define L63 "a23456789012345678901234567890123456789012345678901234567890123"

static const struct {
	const char *src;
	const char *label, *name; /* NULL: it is none */
} names[] = {
	{ "a", "a", "a" },
	{ "ID1", "id1", "id1" },
	{ "a-b", "a-b", "a-b" },
	{ "0", "0", "0" },
	{ "xn--a", "xn--a", "xn--a" },
	{ "", NULL, NULL },
	{ "-a", NULL, NULL },
	{ "a-", NULL, NULL },
	{ "a b", NULL, NULL },
	{ "a_b", NULL, "a_b" },
	{ "_a", NULL, "_a" },
	{ "A.B.", NULL, "a.b" },
	{ "a.", NULL, "a" },
	{ ".", NULL, NULL },
	{ "a..", NULL, NULL },
	{ ".a", NULL, NULL },
	{ "a..b", NULL, NULL },
	{ "a.-b", NULL, NULL },
	{ "a-.b", NULL, NULL },
	{ "a:80", NULL, NULL },
	{ "\xc3\xa4", NULL, NULL },
	{ "a/b", NULL, NULL },
	{ L63, L63, L63 },
	{ L63 "4", NULL, NULL },
	{ L63 "." L63 "." L63 "." L63, NULL, NULL },
};

START_TEST(labels_and_names)
{
	char dst[TEXT_NAME_MAX + 1] = "untouched";
	size_t n = strlen(names[_i].src);
	/* Of exactly that size: reading beyond it would be seen. */
	char *src = malloc(n + 1);

	memcpy(src, names[_i].src, n);
	src[n] = '!';
	ck_assert_int_eq(
	    text_label(dst, src, n), names[_i].label != NULL ? 0 : -1);
	ck_assert_str_eq(
	    dst, names[_i].label != NULL ? names[_i].label : "untouched");
	strcpy(dst, "untouched");
	ck_assert_int_eq(
	    text_name(dst, src, n), names[_i].name != NULL ? 0 : -1);
	ck_assert_str_eq(
	    dst, names[_i].name != NULL ? names[_i].name : "untouched");
	free(src);
}
END_TEST

START_TEST(longest_name)
{
	char src[TEXT_NAME_MAX + 3], dst[TEXT_NAME_MAX + 1];

	for (size_t i = 0; i < sizeof(src); i++)
		src[i] = i % 2 == 0 ? 'a' : '.';
	ck_assert_int_eq(text_name(dst, src, TEXT_NAME_MAX), 0);
	ck_assert_int_eq(text_name(dst, src, TEXT_NAME_MAX + 1), 0);
	ck_assert_int_eq(text_name(dst, src, TEXT_NAME_MAX + 2), -1);
	ck_assert_uint_eq(strlen(dst), TEXT_NAME_MAX);
}
END_TEST

/* A NUL within is no name, whatever a careless reader would see. */
START_TEST(nul_is_no_character)
{
	char dst[TEXT_NAME_MAX + 1];

	ck_assert_int_eq(text_label(dst, "a\0b", 3), -1);
	ck_assert_int_eq(text_name(dst, "a\0b", 3), -1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("text");
	TCase *t = tcase_create("text");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, every_byte_is_made_printable, 0, 256);
	tcase_add_test(t, so_much_is_shown);
	tcase_add_loop_test(t, labels_and_names, 0, ROWS(names));
	tcase_add_test(t, longest_name);
	tcase_add_test(t, nul_is_no_character);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
