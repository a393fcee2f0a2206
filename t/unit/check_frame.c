/* Unit test of frame.c: each row of its table at its bounds. */
#include "common/tunnel/frame.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENT = 1, SERVER = 2, BOTH = 3 };

/* The table once more, as the manual has it. */
static const struct {
	uint8_t type;
	size_t min, max;
	unsigned from;
	bool stream;
} rows[] = {
	{ FRAME_OPEN, 45, 45, SERVER, true },
	{ FRAME_OPENED, 0, 0, CLIENT, true },
	{ FRAME_DATA, 1, 16360, BOTH, true },
	{ FRAME_FIN, 0, 0, BOTH, true },
	{ FRAME_RESET, 1, 1, BOTH, true },
	{ FRAME_CREDIT, 4, 4, BOTH, true },
	{ FRAME_SERVICES, 6, 15360, CLIENT, false },
	{ FRAME_GRANTED, 6, 16360, SERVER, false },
	{ FRAME_PING, 8, 8, BOTH, false },
	{ FRAME_PONG, 8, 8, BOTH, false },
	{ FRAME_GOAWAY, 6, 261, BOTH, false },
	{ FRAME_WANT, 1, 1, CLIENT, false },
	{ FRAME_TICKET, 20, 20, SERVER, false },
};

#define NROWS ((int)(sizeof(rows) / sizeof(rows[0])))

static int
parse(struct frame *f, uint32_t stream, uint8_t type, size_t n, unsigned from)
{
	uint8_t p[FRAME_HEAD];

	frame_head(p, stream, type, n);
	return frame_parse(f, p, from == SERVER);
}

START_TEST(rows_at_their_bounds)
{
	uint32_t right = rows[_i].stream ? 0x80000001 : 0;

	for (unsigned from = CLIENT; from <= SERVER; from++) {
		bool may = (rows[_i].from & from) != 0;
		uint8_t type = rows[_i].type;
		struct frame f = { 0 };

		ck_assert_int_eq(
		    parse(&f, right, type, rows[_i].min, from), may ? 0 : -1);
		ck_assert_int_eq(
		    parse(&f, right, type, rows[_i].max, from), may ? 0 : -1);
		if (may) {
			ck_assert_uint_eq(f.stream, right);
			ck_assert_uint_eq(f.type, type);
			ck_assert_uint_eq(f.n, rows[_i].max);
		}
		ck_assert_int_eq(
		    parse(&f, right, type, rows[_i].max + 1, from), -1);
		ck_assert_int_eq(parse(&f, right, type, 0xffffff, from), -1);
		if (rows[_i].min > 0)
			ck_assert_int_eq(
			    parse(&f, right, type, rows[_i].min - 1, from), -1);
		/* Of a stream, or of the tunnel, but not of both. */
		ck_assert_int_eq(
		    parse(&f, right == 0 ? 1 : 0, type, rows[_i].min, from),
		    -1);
	}
}
END_TEST

START_TEST(every_type_is_a_row_or_refused)
{
	struct frame f;
	bool known = _i > 0 && _i < FRAME_TYPES;
	bool passes = false;

	for (size_t n = 0; n <= FRAME_PAYLOAD_MAX; n++)
		for (uint32_t stream = 0; stream < 2; stream++)
			passes |=
			    parse(&f, stream, (uint8_t)_i, n, CLIENT) == 0 ||
			    parse(&f, stream, (uint8_t)_i, n, SERVER) == 0;
	ck_assert_int_eq(passes, known);
	ck_assert_int_eq(strcmp(frame_name((uint8_t)_i), "?") != 0, known);
}
END_TEST

START_TEST(head_is_big_endian)
{
	uint8_t p[FRAME_HEAD];

	frame_head(p, 0x01020304, FRAME_DATA, 0x3fe8);
	ck_assert_mem_eq(p, "\1\2\3\4\3\0\x3f\xe8", FRAME_HEAD);
}
END_TEST

START_TEST(reasons_have_texts)
{
	for (int i = 0; i <= RESET_CODES; i++)
		ck_assert_ptr_nonnull(reset_text((enum reset)i));
	for (int i = 0; i <= GOAWAY_CODES; i++)
		ck_assert_ptr_nonnull(goaway_text((enum goaway)i));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("frame");
	TCase *t = tcase_create("frame");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, rows_at_their_bounds, 0, NROWS);
	tcase_add_loop_test(
	    t, every_type_is_a_row_or_refused, 0, FRAME_TYPES + 2);
	tcase_add_test(t, head_is_big_endian);
	tcase_add_test(t, reasons_have_texts);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
