/* Unit test of credential.c: values of Authorization. */
#include "common/http/credential.h"

#include <check.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* Parse n bytes in memory that ends with them. */
static int
parse(struct credential *c, const char *p, size_t n)
{
	char *exact = malloc(n == 0 ? 1 : n);
	int rc;

	memcpy(exact, p, n);
	rc = credential_parse(c, (struct head_view){ exact, n });
	free(exact);
	return rc;
}

static const struct {
	const char *value;
	enum credential_kind kind;
	const char *text, *token;
} good[] = {
	{ "t0ken", CREDENTIAL_BARE, "t0ken", "t0ken" },
	{ "x", CREDENTIAL_BARE, "x", "x" },
	{ "a:b", CREDENTIAL_BARE, "a:b", "a:b" },
	/* Without a blank they are tokens like any other. */
	{ "Basic", CREDENTIAL_BARE, "Basic", "Basic" },
	{ "Bearer", CREDENTIAL_BARE, "Bearer", "Bearer" },
	{ "BasicYTpi", CREDENTIAL_BARE, "BasicYTpi", "BasicYTpi" },
	{ "Bearer t0ken", CREDENTIAL_BEARER, "t0ken", "t0ken" },
	{ "bEARER   t0ken", CREDENTIAL_BEARER, "t0ken", "t0ken" },
	{ "Bearer Basic", CREDENTIAL_BEARER, "Basic", "Basic" },
	{ "Basic YTpi", CREDENTIAL_BASIC, "a:b", "b" },
	{ "BASIC  YTpi", CREDENTIAL_BASIC, "a:b", "b" },
	{ "Basic Og==", CREDENTIAL_BASIC, ":", "" },
	{ "Basic OmI=", CREDENTIAL_BASIC, ":b", "b" },
	{ "Basic YTo=", CREDENTIAL_BASIC, "a:", "" },
	/* The first colon ends the user; blanks may be in either. */
	{ "Basic YTpiOmM=", CREDENTIAL_BASIC, "a:b:c", "b:c" },
	{ "Basic YSBiOmMgZA==", CREDENTIAL_BASIC, "a b:c d", "c d" },
	{ "Basic w6Q6w7w=", CREDENTIAL_BASIC, "\303\244:\303\274", "\303\274" },
};

START_TEST(accepts)
{
	struct credential c;
	struct head_view token;

	ck_assert_int_eq(parse(&c, good[_i].value, strlen(good[_i].value)), 0);
	ck_assert_int_eq(c.kind, good[_i].kind);
	ck_assert_str_eq(c.text, good[_i].text);
	ck_assert_uint_eq(c.n, strlen(good[_i].text));
	token = credential_token(&c);
	ck_assert_uint_eq(token.n, strlen(good[_i].token));
	ck_assert_mem_eq(token.p, good[_i].token, token.n);
	credential_wipe(&c);
	ck_assert_uint_eq(c.n, 0);
	ck_assert_int_eq(c.text[0], '\0');
}
END_TEST

static const char *const bad[] = {
	"",
	" ",
	"a b",
	"Basic ",
	"Bearer ",
	"Bearer a b",
	"Bearer t0ken, Basic YTpi",
	"Digest username=\"a\"",
	"Negotiate YTpi",
	/* No base64: blanks, no padding, too much of it, another alphabet. */
	"Basic Y Tpi",
	"Basic YTpiOmM",
	"Basic YTpi=",
	"Basic YTpi====",
	"Basic YTp_",
	"Basic YTpi YTpi",
	"Basic YTpi,",
	/* Bits that no text has left over. */
	"Basic Oh==",
	/* No colon; a control character behind one. */
	"Basic YWI=",
	"Basic YToA",
	"Basic YToK",
	"Basic YTp/",
	"a\tb",
	"a\177",
};

START_TEST(refuses)
{
	struct credential c;

	memset(&c, 0x55, sizeof(c));
	ck_assert_int_eq(parse(&c, bad[_i], strlen(bad[_i])), -1);
	ck_assert_uint_eq(c.n, 0);
	ck_assert_int_eq(c.text[0], '\0');
}
END_TEST

/* A token and a decoded Basic have the same bound. */
START_TEST(lengths)
{
	static const size_t sizes[] = { CREDENTIAL_MAX - 1, CREDENTIAL_MAX,
		CREDENTIAL_MAX + 1 };
	char plain[CREDENTIAL_MAX + 2], value[2048] = "Basic ";
	size_t n = sizes[_i];
	int want = n <= CREDENTIAL_MAX ? 0 : -1;
	struct credential c;

	memset(plain, ':', sizeof(plain));
	ck_assert_int_eq(parse(&c, plain, n), want);
	sodium_bin2base64(value + 6, sizeof(value) - 6,
	    (const unsigned char *)plain, n, sodium_base64_VARIANT_ORIGINAL);
	ck_assert_int_eq(parse(&c, value, strlen(value)), want);
	if (want == 0)
		ck_assert_uint_eq(credential_token(&c).n, n - 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("credential");
	TCase *t = tcase_create("credential");
	SRunner *r;
	int failed;

	if (sodium_init() == -1)
		return 1;
	tcase_add_loop_test(t, accepts, 0, ROWS(good));
	tcase_add_loop_test(t, refuses, 0, ROWS(bad));
	tcase_add_loop_test(t, lengths, 0, 3);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
