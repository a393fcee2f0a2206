/* Unit test of preface.c and prologue.c. */
#include "common/tunnel/preface.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/tunnel/prologue.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static const struct preface samples[] = {
	{ 1, 1, PREFACE_SESSION, 0, { 0 } },
	{ 1, 9, PREFACE_SESSION, PREFACE_UNBOUND, { 0 } },
	{ 0, 255, PREFACE_TICKET, 0, { 1, 2, 3, [15] = 16 } },
};

/* Whole, cut anywhere, and with more behind it. */
START_TEST(round_trip)
{
	const struct preface *f = &samples[_i];
	uint8_t p[PREFACE_MAX + 4];
	struct preface got;
	size_t n;

	memset(p, 0xff, sizeof(p));
	n = preface_make(p, f);
	ck_assert_uint_eq(
	    n, f->kind == PREFACE_TICKET ? PREFACE_MAX : PREFACE_BASE);
	for (size_t cut = 0; cut < n; cut++) {
		uint8_t *exact = malloc(cut + 1);

		memcpy(exact, p, cut);
		memset(&got, 0x55, sizeof(got));
		ck_assert_int_eq(preface_parse(&got, exact, cut), 0);
		free(exact);
	}
	for (size_t more = 0; more < 4; more++) {
		ck_assert_int_eq(preface_parse(&got, p, n + more), (int)n);
		ck_assert_mem_eq(&got, f, sizeof(got));
	}
}
END_TEST

static const struct {
	const char *bytes;
	size_t n;
	int err;
} bad[] = {
	{ "G", 1, EPROTO }, { "\x8eptq", 4, EPROTO }, { "\x8f", 1, EPROTO },
	{ "\x8eptp\2\1\1\0", 8, EPROTO }, /* range upside down */
	{ "\x8eptp\1\1\0\0", 8, EPROTO }, /* kinds that are none */
	{ "\x8eptp\1\1\3\0", 8, EPROTO },
	{ "\x8eptp\1\1\1\2", 8, EPROTO }, /* unknown flags */
	{ "\x8eptp\1\1\2\x81", 8, EPROTO },
	{ "\x8eptp\2\2\1\0", 8, EPROTONOSUPPORT }, /* too new */
	{ "\x8eptp\0\0\1\0", 8, EPROTONOSUPPORT }, /* too old */
	{ "\x8eptp\2\2\7\7", 8, EPROTONOSUPPORT }, /* its flags may be new */
};

START_TEST(refused)
{
	struct preface f;

	errno = 0;
	ck_assert_int_eq(
	    preface_parse(&f, (const uint8_t *)bad[_i].bytes, bad[_i].n), -1);
	ck_assert_int_eq(errno, bad[_i].err);
}
END_TEST

START_TEST(range_says_what_we_speak)
{
	uint8_t p[PREFACE_RANGE];

	preface_range(p);
	ck_assert_mem_eq(p, "\x8eptp\1\1", sizeof(p));
}
END_TEST

START_TEST(prologue_is_as_written_down)
{
	uint8_t preface[PREFACE_MAX], out[PROLOGUE_MAX], long_one[65] = { 0 };
	struct preface f = { 1, 1, PREFACE_TICKET, PREFACE_UNBOUND, { 9 } };
	size_t n = preface_make(preface, &f), len;

	len = prologue_make(out, preface, n, TRANSPORT_WSS, "exp", 3);
	ck_assert_uint_eq(len, 4 + n + 1 + 3);
	ck_assert_mem_eq(out, "ptp1", 4);
	ck_assert_mem_eq(out + 4, preface, n);
	ck_assert_uint_eq(out[4 + n], TRANSPORT_WSS);
	ck_assert_mem_eq(out + 5 + n, "exp", 3);
	ck_assert_uint_gt(prologue_make(out, preface, n, 0, long_one, 64), 0);
	ck_assert_uint_eq(prologue_make(out, preface, n, 0, long_one, 65), 0);
	ck_assert_uint_eq(prologue_make(out, preface, n - 1, 0, NULL, 0), 0);
	ck_assert_uint_eq(prologue_make(out, preface, 8, 0, NULL, 0), 0);
	ck_assert_uint_eq(prologue_make(out, preface, 0, 0, NULL, 0), 0);
	ck_assert_uint_eq(
	    prologue_make(out, preface, n, TRANSPORT_COUNT, NULL, 0), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("preface");
	TCase *t = tcase_create("preface");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, round_trip, 0, ROWS(samples));
	tcase_add_loop_test(t, refused, 0, ROWS(bad));
	tcase_add_test(t, range_says_what_we_speak);
	tcase_add_test(t, prologue_is_as_written_down);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
