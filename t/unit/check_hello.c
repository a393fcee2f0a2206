/* Unit test of hello.c. */
#include "common/tls/hello.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* Builds a message, and cuts it into records. */
struct maker {
	uint8_t p[70000];
	size_t n;
};

static void
put(struct maker *m, const void *p, size_t n)
{
	memcpy(m->p + m->n, p, n);
	m->n += n;
}

static void
put_u8(struct maker *m, size_t v)
{
	m->p[m->n++] = (uint8_t)v;
}

static void
put_u16(struct maker *m, size_t v)
{
	put_u8(m, v >> 8);
	put_u8(m, v & 0xff);
}

static void
put_zeros(struct maker *m, size_t n)
{
	memset(m->p + m->n, 0, n);
	m->n += n;
}

/* An extension with these bytes, which are a literal. */
#define EXTENSION(m, type, s) put_extension(m, type, s, sizeof(s) - 1)

static void
put_extension(struct maker *m, size_t type, const void *p, size_t n)
{
	put_u16(m, type);
	put_u16(m, n);
	put(m, p, n);
}

static void
put_name(struct maker *m, const char *name)
{
	size_t n = strlen(name);

	put_u16(m, 0);
	put_u16(m, n + 5);
	put_u16(m, n + 3);
	put_u8(m, 0);
	put_u16(m, n);
	put(m, name, n);
}

/*
 * A message around these extensions, with all fields before them: a GREASE
 * cipher suite (RFC 8701) among them.
 */
static void
wrap(struct maker *m, const struct maker *extensions)
{
	size_t body = 2 + 32 + 1 + 32 + 2 + 6 + 2 + 2 + extensions->n;

	m->n = 0;
	put_u8(m, 1);
	put_u8(m, body >> 16);
	put_u16(m, body & 0xffff);
	put_u16(m, 0x0303);
	put_zeros(m, 32);
	put_u8(m, 32);
	put_zeros(m, 32);
	put_u16(m, 6);
	put_u16(m, 0x1a1a);
	put_u16(m, 0x1301);
	put_u16(m, 0x1302);
	put_u8(m, 1);
	put_u8(m, 0);
	put_u16(m, extensions->n);
	put(m, extensions->p, extensions->n);
}

/* Put n bytes into records of at most `each`. */
static void
cut(struct maker *m, const uint8_t *p, size_t n, size_t each)
{
	size_t run;

	for (m->n = 0; n > 0; n -= run, p += run) {
		run = n < each ? n : each;
		put_u8(m, 22);
		put_u16(m, 0x0301);
		put_u16(m, run);
		put(m, p, run);
	}
}

/* With GREASE before and after the name. */
static void
make_hello(struct maker *m, const char *name)
{
	struct maker *e = calloc(1, sizeof(*e));

	EXTENSION(e, 0x2a2a, "");
	EXTENSION(e, 23, "");
	if (name != NULL)
		put_name(e, name);
	EXTENSION(e, 16, "\0\14\2h2\10http/1.1");
	EXTENSION(e, 0xdada, "\0");
	wrap(m, e);
	free(e);
}

/* The answer for exactly n bytes, in memory of their own. */
static int
judge(struct hello *h, const uint8_t *p, size_t n)
{
	uint8_t *exact = malloc(n + 1);
	int rc;

	memset(h, 0x55, sizeof(*h));
	memcpy(exact + 1, p, n);
	rc = hello_parse(h, exact + 1, n);
	free(exact);
	return rc;
}

/*
 * Every beginning of the n bytes takes more, and says truly how many; the
 * whole has that name, and so has more than it.
 */
static void
check_every_split(const uint8_t *p, size_t n, const char *name)
{
	struct hello h;

	for (size_t k = 0; k < n; k++) {
		ck_assert_int_eq(judge(&h, p, k), 0);
		ck_assert_uint_gt(h.need, k);
		ck_assert_uint_le(h.need, n);
	}
	for (size_t k = 0; k < 3; k++) {
		ck_assert_int_eq(judge(&h, p, n + k), 1);
		ck_assert_str_eq(h.name, name);
	}
}

static const size_t cuts[] = { 1, 2, 3, 4, 5, 7, 16, 50, 100, 16384 };

START_TEST(split_anywhere_over_any_records)
{
	struct maker *m = calloc(1, sizeof(*m)), *r = calloc(1, sizeof(*r));

	make_hello(m, "Www.Example.ORG");
	cut(r, m->p, m->n, cuts[_i]);
	check_every_split(r->p, r->n, "www.example.org");
	make_hello(m, NULL);
	cut(r, m->p, m->n, cuts[_i]);
	check_every_split(r->p, r->n, "");
	free(m);
	free(r);
}
END_TEST

/* One cut at every place: two records, neither of them empty. */
START_TEST(cut_in_two_anywhere)
{
	struct maker *m = calloc(1, sizeof(*m)), *r = calloc(1, sizeof(*r)),
		     *s = calloc(1, sizeof(*s));
	struct hello h;

	make_hello(m, "a.b");
	for (size_t k = 1; k < m->n; k++) {
		cut(r, m->p, k, 16384);
		cut(s, m->p + k, m->n - k, 16384);
		put(r, s->p, s->n);
		ck_assert_int_eq(judge(&h, r->p, r->n), 1);
		ck_assert_str_eq(h.name, "a.b");
		ck_assert_int_eq(judge(&h, r->p, r->n - 1), 0);
	}
	free(m);
	free(r);
	free(s);
}
END_TEST

/* A hello of so many bytes: padding, then the name. */
static void
make_large(struct maker *m, size_t size)
{
	struct maker *e = calloc(1, sizeof(*e));
	uint8_t *zeros = calloc(1, size);

	/* What is there without padding: see wrap() and put_name(). */
	put_extension(e, 21, zeros, size - 4 - 79 - 4 - 12);
	put_name(e, "a.b");
	wrap(m, e);
	ck_assert_uint_eq(m->n, size);
	free(e);
	free(zeros);
}

static const struct {
	size_t size, each;
	int rc;
} large[] = {
	{ 16384, 16384, 1 },
	{ 16388, 16384, 1 },
	{ 16384, 512, 1 },
	{ 16384, 6, 1 },
	{ HELLO_MESSAGE_MAX, 16384, 1 },
	{ HELLO_MESSAGE_MAX + 1, 16384, -1 },
	/* 5461 heads: just at HELLO_MAX, and one record beyond. */
	{ 5461 * 1 + 1, 1, -1 },
	{ 5461, 1, 1 },
};

START_TEST(large_ones)
{
	struct maker *m = calloc(1, sizeof(*m)), *r = calloc(1, sizeof(*r));
	struct hello h;
	bool more = true;

	make_large(m, large[_i].size);
	cut(r, m->p, m->n, large[_i].each);
	ck_assert_int_eq(judge(&h, r->p, r->n), large[_i].rc);
	if (large[_i].rc == 1)
		ck_assert_str_eq(h.name, "a.b");
	else
		ck_assert_int_eq(h.alert, ALERT_DECODE_ERROR);
	for (size_t k = 0; k < r->n; k += 97) {
		int rc = hello_parse(&h, r->p, k);

		ck_assert(rc == 0 ? more : rc == large[_i].rc);
		more = rc == 0;
	}
	ck_assert_int_ne(hello_parse(&h, r->p, HELLO_MAX), 0);
	free(m);
	free(r);
}
END_TEST

static const struct {
	const char *extension; /* the data of server_name */
	size_t n;
	int alert; /* 0: the name is "a" */
} names[] = {
#define X(s) s, sizeof(s) - 1
	{ X("\0\4\0\0\1a"), 0 },
	{ X("\0\5\0\0\2a."), 0 },
	{ X("\0\12\7\0\3xyz\0\0\1a"), 0 }, /* another kind before it */
	{ X("\0\12\0\0\1a\7\0\3xyz"), 0 }, /* and behind it */
	{ X(""), ALERT_DECODE_ERROR },
	{ X("\0"), ALERT_DECODE_ERROR },
	{ X("\0\0"), ALERT_DECODE_ERROR },
	{ X("\0\1\0"), ALERT_DECODE_ERROR },
	{ X("\0\3\0\0\0"), ALERT_DECODE_ERROR },
	{ X("\0\3\0\0\1"), ALERT_DECODE_ERROR },
	{ X("\0\4\0\0\2a"), ALERT_DECODE_ERROR },
	{ X("\0\4\0\0\1ab"), ALERT_DECODE_ERROR }, /* behind the list */
	{ X("\0\5\0\0\1ab"), ALERT_DECODE_ERROR }, /* behind the name */
	{ X("\0\3\0\0\1a"), ALERT_DECODE_ERROR },
	{ X("\0\10\0\0\1a\0\0\1b"), ALERT_ILLEGAL_PARAMETER },
	{ X("\0\5\0\0\2a\0"), ALERT_UNRECOGNIZED_NAME },
	{ X("\0\5\0\0\2-a"), ALERT_UNRECOGNIZED_NAME },
	{ X("\0\4\0\0\1."), ALERT_UNRECOGNIZED_NAME },
	{ X("\0\7\0\0\4a..b"), ALERT_UNRECOGNIZED_NAME },
	{ X("\0\6\0\0\3::1"), ALERT_UNRECOGNIZED_NAME },
#undef X
};

START_TEST(server_names)
{
	struct maker *e = calloc(1, sizeof(*e)), *m = calloc(1, sizeof(*m)),
		     *r = calloc(1, sizeof(*r));
	struct hello h;
	int rc;

	put_extension(e, 0, names[_i].extension, names[_i].n);
	wrap(m, e);
	for (size_t each = 1; each < 200; each += 9) {
		cut(r, m->p, m->n, each);
		rc = judge(&h, r->p, r->n);
		if (names[_i].alert == 0) {
			ck_assert_int_eq(rc, 1);
			ck_assert_str_eq(h.name, "a");
			continue;
		}
		ck_assert_int_eq(rc, -1);
		ck_assert_int_eq(h.alert, names[_i].alert);
		/* It is told as soon as it is whole, and not before. */
		ck_assert_int_eq(judge(&h, r->p, r->n - 1), 0);
	}
	free(e);
	free(m);
	free(r);
}
END_TEST

/* The longest name, one byte more, and much more. */
START_TEST(long_names)
{
	static const struct {
		size_t n;
		int rc;
	} rows[] = { { 253, 1 }, { 254, -1 }, { 255, -1 }, { 4000, -1 } };
	struct maker *e = calloc(1, sizeof(*e)), *m = calloc(1, sizeof(*m)),
		     *r = calloc(1, sizeof(*r));
	char name[4001];
	struct hello h;

	for (size_t i = 0; i < rows[_i].n; i++)
		name[i] = i % 50 == 49 ? '.' : 'a';
	name[rows[_i].n] = '\0';
	put_name(e, name);
	wrap(m, e);
	cut(r, m->p, m->n, 16384);
	ck_assert_int_eq(judge(&h, r->p, r->n), rows[_i].rc);
	if (rows[_i].rc == 1)
		ck_assert_str_eq(h.name, name);
	else
		ck_assert_int_eq(h.alert, ALERT_UNRECOGNIZED_NAME);
	free(e);
	free(m);
	free(r);
}
END_TEST

START_TEST(two_extensions_of_names)
{
	struct maker *e = calloc(1, sizeof(*e)), *m = calloc(1, sizeof(*m)),
		     *r = calloc(1, sizeof(*r));
	struct hello h;

	put_name(e, "a");
	put_name(e, "a");
	wrap(m, e);
	cut(r, m->p, m->n, 100);
	ck_assert_int_eq(judge(&h, r->p, r->n), -1);
	ck_assert_int_eq(h.alert, ALERT_ILLEGAL_PARAMETER);
	free(e);
	free(m);
	free(r);
}
END_TEST

/* First bytes, with the answer that they get for good. */
static const struct {
	const char *bytes;
	size_t n;
	int alert;
} garbage[] = {
#define X(s) s, sizeof(s) - 1
	{ X("\x17"), ALERT_UNEXPECTED_MESSAGE },
	{ X("\x15"), ALERT_UNEXPECTED_MESSAGE },
	{ X("\x16\2"), ALERT_PROTOCOL_VERSION },
	{ X("\x16\4"), ALERT_PROTOCOL_VERSION },
	{ X("\x16\3\1\0\0"), ALERT_DECODE_ERROR },
	{ X("\x16\3\1\x40\1"), ALERT_RECORD_OVERFLOW },
	{ X("\x16\3\1\xff\xff"), ALERT_RECORD_OVERFLOW },
	{ X("\x16\3\1\0\1\2"), ALERT_UNEXPECTED_MESSAGE },
	{ X("\x16\3\1\0\4\1\1\0\0"), ALERT_DECODE_ERROR },
	{ X("\x16\3\1\0\4\1\xff\xff\xff"), ALERT_DECODE_ERROR },
	{ X("\x16\3\1\0\4\1\0\0\0"), ALERT_DECODE_ERROR },
	{ X("\x16\3\1\0\1\1\x17"), ALERT_UNEXPECTED_MESSAGE },
	{ X("\x16\3\1\0\1\1\x16\2"), ALERT_PROTOCOL_VERSION },
	{ X("\x16\3\1\0\1\1\x16\3\1\0\0"), ALERT_DECODE_ERROR },
#undef X
};

START_TEST(no_hello)
{
	uint8_t longer[64] = { 0 };
	struct hello h;

	memcpy(longer, garbage[_i].bytes, garbage[_i].n);
	for (size_t k = 0; k < garbage[_i].n; k++)
		ck_assert_int_eq(judge(&h, longer, k), 0);
	for (size_t k = garbage[_i].n; k <= sizeof(longer); k++) {
		ck_assert_int_eq(judge(&h, longer, k), -1);
		ck_assert_int_eq(h.alert, garbage[_i].alert);
	}
}
END_TEST

/* A length that is too small or too large, at every place of the message. */
START_TEST(broken_lengths)
{
	struct maker *m = calloc(1, sizeof(*m)), *r = calloc(1, sizeof(*r));
	struct hello h;

	make_hello(m, "a.b");
	for (size_t k = 0; k < m->n; k++) {
		for (int v = 0; v < 256; v += 5) {
			uint8_t was = m->p[k];
			int rc;

			m->p[k] = (uint8_t)v;
			cut(r, m->p, m->n, 64);
			rc = judge(&h, r->p, r->n);
			ck_assert(rc == -1 ? h.alert != 0 : rc <= 1);
			m->p[k] = was;
		}
	}
	/* No fields at all, and each of them cut off. */
	for (size_t k = 4; k < m->n; k++) {
		m->p[2] = (uint8_t)((k - 4) >> 8);
		m->p[3] = (uint8_t)(k - 4);
		cut(r, m->p, k, 16384);
		/* Without extensions it is one of TLS 1.2. */
		ck_assert_int_eq(judge(&h, r->p, r->n), k == 4 + 77 ? 1 : -1);
		ck_assert_str_eq(h.name, "");
	}
	free(m);
	free(r);
}
END_TEST

START_TEST(alert)
{
	uint8_t p[HELLO_ALERT];

	hello_alert(p, ALERT_UNRECOGNIZED_NAME);
	ck_assert_mem_eq(p, "\x15\3\3\0\2\2\x70", sizeof(p));
	ck_assert_str_eq(
	    hello_alert_text(ALERT_UNRECOGNIZED_NAME), "unknown server name");
	ck_assert_str_eq(hello_alert_text((enum hello_alert)0), "refused");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("hello");
	TCase *t = tcase_create("hello");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, split_anywhere_over_any_records, 0, ROWS(cuts));
	tcase_add_test(t, cut_in_two_anywhere);
	tcase_add_loop_test(t, large_ones, 0, ROWS(large));
	tcase_add_loop_test(t, server_names, 0, ROWS(names));
	tcase_add_loop_test(t, long_names, 0, 4);
	tcase_add_test(t, two_extensions_of_names);
	tcase_add_loop_test(t, no_hello, 0, ROWS(garbage));
	tcase_add_test(t, broken_lengths);
	tcase_add_test(t, alert);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
