/* The external check: what is asked, and what an answer means. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/jsontext.h"
#include "worker/fetch/question.h"

static struct question q;

static void
setup(void)
{
	memset(&q, 0, sizeof(q));
	strcpy(q.id, "id1");
	strcpy(q.secret, "s\"\\\n\x7f\xc3\xa4");
	names_add(&q.asked, "web");
	names_add(&q.asked, "www.example.com");
}

START_TEST(body_is_json)
{
	char body[QUESTION_BODY_MAX];
	size_t n = question_body(body, &q);

	ck_assert_str_eq(body,
	    "{\"networkClientId\":\"id1\","
	    "\"networkSecretKey\":\"s\\\"\\\\\\u000a\\u007f\xc3\xa4\","
	    "\"appletTokens\":[\"web\",\"www.example.com\"]}");
	ck_assert_uint_eq(n, strlen(body));
}
END_TEST

START_TEST(largest_body_fits)
{
	char body[QUESTION_BODY_MAX], name[4] = "a00";

	memset(q.secret, 1, sizeof(q.secret) - 1);
	memset(q.id, 'a', sizeof(q.id) - 1);
	for (int i = 0; i < 100; i++) {
		name[1] = (char)('0' + i / 10);
		name[2] = (char)('0' + i % 10);
		names_add(&q.asked, name);
	}
	ck_assert_uint_gt(question_body(body, &q), 2000);
}
END_TEST

START_TEST(secret_that_is_no_text)
{
	char body[QUESTION_BODY_MAX];

	strcpy(q.secret, "\xc3(");
	ck_assert_uint_eq(question_body(body, &q), 0);
}
END_TEST

START_TEST(frame)
{
	struct question back;
	uint8_t p[1024];
	struct buf b;

	buf_write(&b, p, sizeof(p));
	buf_put_u32(&b, 42);
	buf_put_cstr8(&b, q.id);
	buf_put_cstr8(&b, q.secret);
	names_put(&b, &q.asked);
	ck_assert_int_eq(question_get(&back, p, buf_used(&b)), 0);
	ck_assert_uint_eq(back.number, 42);
	ck_assert_str_eq(back.secret, q.secret);
	ck_assert_uint_eq(back.asked.count, 2);
	for (size_t n = 0; n < buf_used(&b); n++)
		ck_assert_int_eq(question_get(&back, p, n), -1);
	ck_assert_int_eq(question_get(&back, p, buf_used(&b) + 1), -1);
}
END_TEST

static const struct {
	long status;
	const char *body;
	enum vouch verdict;
	int allowed;
} answers[] = {
	{ 200, "{\"result\":true,\"appletTokens\":[\"web\"]}", VOUCH_YES, 1 },
	{ 200, "{\"result\": true, \"appletTokens\": []}", VOUCH_YES, 0 },
	{ 200, "{\"result\":true}", VOUCH_YES, 0 },
	{ 200,
	    "{\"appletTokens\":[\"www.example.com\",\"web\",\"x\",\"web\"],"
	    "\"result\":true,\"more\":1}",
	    VOUCH_YES, 2 },
	{ 200, "{\"result\":false}", VOUCH_NO, 0 },
	{ 401, "", VOUCH_NO, 0 },
	{ 403, "{\"result\":true}", VOUCH_NO, 0 },
	{ 201, "{\"result\":true}", VOUCH_DOWN, 0 },
	{ 204, "{\"result\":true}", VOUCH_DOWN, 0 },
	{ 302, "{\"result\":true}", VOUCH_DOWN, 0 },
	{ 404, "{\"result\":true}", VOUCH_DOWN, 0 },
	{ 500, "{\"result\":true}", VOUCH_DOWN, 0 },
	{ 200, "", VOUCH_DOWN, 0 },
	{ 200, "true", VOUCH_DOWN, 0 },
	{ 200, "[true]", VOUCH_DOWN, 0 },
	{ 200, "{}", VOUCH_DOWN, 0 },
	{ 200, "{\"result\":\"true\"}", VOUCH_DOWN, 0 },
	{ 200, "{\"result\":1}", VOUCH_DOWN, 0 },
	{ 200, "{\"result\":null}", VOUCH_DOWN, 0 },
	{ 200, "{\"Result\":true}", VOUCH_DOWN, 0 },
	{ 200, "{\"result\":true", VOUCH_DOWN, 0 },
	{ 200, "{\"result\":true}}", VOUCH_DOWN, 0 },
	{ 200, "{\"result\":false,\"result\":true}", VOUCH_DOWN, 0 },
	{ 200, "{\"result\":true,\"appletTokens\":\"web\"}", VOUCH_DOWN, 0 },
	{ 200, "{\"result\":true,\"appletTokens\":null}", VOUCH_DOWN, 0 },
	{ 200, "{\"result\":true,\"appletTokens\":[\"web\",1]}", VOUCH_DOWN,
	    0 },
	{ 200, "{\"result\":true,\"appletTokens\":{\"web\":1}}", VOUCH_DOWN,
	    0 },
};

START_TEST(answer_means)
{
	struct names allowed;
	const char *why;

	ck_assert_int_eq(
	    question_verdict(&q, answers[_i].status, answers[_i].body,
		strlen(answers[_i].body), &allowed, &why),
	    answers[_i].verdict);
	ck_assert_int_eq(allowed.count, answers[_i].allowed);
	ck_assert((answers[_i].verdict == VOUCH_DOWN) == (why[0] != '\0'));
}
END_TEST

/* What is no UTF-8 (RFC 3629), and what is. */
static const struct {
	const char *s;
	bool ok;
} texts[] = {
	{ "", true },
	{ "a\x01~", true },
	{ "\xc2\x80", true },
	{ "\xdf\xbf", true },
	{ "\xe0\xa0\x80", true },
	{ "\xed\x9f\xbf", true },
	{ "\xee\x80\x80", true },
	{ "\xf0\x90\x80\x80", true },
	{ "\xf4\x8f\xbf\xbf", true },
	{ "\x80", false },
	{ "\xc0\x80", false },
	{ "\xc1\xbf", false },
	{ "\xc2", false },
	{ "\xc2 ", false },
	{ "\xe0\x9f\xbf", false },
	{ "\xed\xa0\x80", false },
	{ "\xe2\x82", false },
	{ "\xf0\x8f\xbf\xbf", false },
	{ "\xf4\x90\x80\x80", false },
	{ "\xf5\x80\x80\x80", false },
	{ "\xff", false },
};

START_TEST(utf8)
{
	size_t n = strlen(texts[_i].s);
	char out[64], in[16];
	struct jsontext j;

	ck_assert_int_eq(jsontext_is_utf8(texts[_i].s, n), texts[_i].ok);
	/* Whatever it is, the text of it is valid. */
	memcpy(in, texts[_i].s, n);
	jsontext_init(&j, out, sizeof(out));
	jsontext_string(&j, in, n);
	ck_assert(jsontext_is_utf8(out, j.n) && !j.full);
}
END_TEST

START_TEST(text_is_bounded)
{
	char out[8];
	struct jsontext j;

	jsontext_init(&j, out, sizeof(out));
	jsontext_string(&j, "abcde", 5);
	ck_assert_str_eq(out, "\"abcde\"");
	ck_assert(!j.full);
	jsontext_raw(&j, ",");
	ck_assert(j.full);
	ck_assert_str_eq(out, "\"abcde\"");
	jsontext_init(&j, out, 1);
	jsontext_number(&j, 1);
	ck_assert(j.full);
	jsontext_init(&j, out, sizeof(out));
	jsontext_number(&j, 1234567);
	ck_assert_str_eq(out, "1234567");
}
END_TEST

static void
add(struct names *l, const char *s, int want)
{
	ck_assert_int_eq(names_add(l, s), want);
}

START_TEST(names_are_bounded)
{
	struct names l = { 0 };
	char name[TEXT_NAME_MAX + 2];

	add(&l, "", -1);
	memset(name, 'a', sizeof(name));
	name[TEXT_NAME_MAX + 1] = '\0';
	add(&l, name, -1);
	name[TEXT_NAME_MAX] = '\0';
	add(&l, name, 0);
	add(&l, name, 0);
	ck_assert_uint_eq(l.count, 1);
	name[0] = 'b';
	add(&l, name, 0);
	name[3] = '\0'; /* 512 - 2 * 254 = 4: one of three bytes */
	name[0] = 'c';
	add(&l, name, 0);
	add(&l, "d", -1);
	ck_assert_int_eq(names_at(&l, 2, name), 0);
	ck_assert_str_eq(name, "caa");
	ck_assert_int_eq(names_at(&l, 3, name), -1);
	ck_assert(names_have(&l, "caa") && !names_have(&l, "ca"));
}
END_TEST

static const char *const bad_names[] = { "\1", "\1\0", "\1\2a", "\1\1A",
	"\1\1 ", "\1\1\x80", "\2\1a\1a", "\1\1\0", "\2\1a" };
static const size_t bad_sizes[] = { 1, 2, 3, 3, 3, 3, 5, 3, 3 };

START_TEST(malformed_names)
{
	struct names l;
	struct buf b;

	buf_read(&b, bad_names[_i], bad_sizes[_i]);
	ck_assert_int_eq(names_get(&b, &l), -1);
	ck_assert(!buf_ok(&b));
}
END_TEST

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	Suite *s = suite_create("question");
	TCase *t = tcase_create("question");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, body_is_json);
	tcase_add_test(t, largest_body_fits);
	tcase_add_test(t, secret_that_is_no_text);
	tcase_add_test(t, frame);
	tcase_add_loop_test(t, answer_means, 0, N(answers));
	tcase_add_loop_test(t, utf8, 0, N(texts));
	tcase_add_test(t, text_is_bounded);
	tcase_add_test(t, names_are_bounded);
	tcase_add_loop_test(t, malformed_names, 0, N(bad_names));
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
