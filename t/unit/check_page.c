/* Unit test of page.c: our own answers are answers that we would take. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/http/page.h"

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

static const int statuses[] = { 308, 400, 401, 403, 404, 407, 408, 413, 417,
	421, 429, 431, 500, 501, 502, 503, 504, 505, 599 };

/* Make the page and take its head apart; returns the body, terminated. */
static const char *
make(char *out, const struct page *page, struct head *h)
{
	size_t n = page_make(out, PAGE_MAX, page);
	int size;

	ck_assert_uint_gt(n, 0);
	ck_assert_uint_lt(n, PAGE_MAX);
	out[n] = '\0';
	size = head_parse_response(h, out, n, PAGE_MAX, HEAD_METHOD_GET);
	ck_assert_int_gt(size, 0);
	ck_assert_int_eq(h->status, page->status);
	ck_assert_int_eq(h->body, HEAD_BODY_LENGTH);
	if (!page->head_only)
		ck_assert_uint_eq(h->length, n - (size_t)size);
	else
		ck_assert_uint_eq((size_t)size, n);
	return out + size;
}

START_TEST(makes_every_page)
{
	char out[PAGE_MAX + 1];
	struct page page = { .status = statuses[_i] };
	const char *body;
	struct head h;
	uint64_t length;

	body = make(out, &page, &h);
	ck_assert(!h.keepalive);
	ck_assert_ptr_nonnull(strstr(body, page_reason(page.status)));
	ck_assert_ptr_nonnull(strstr(body, "ptpd: "));
	ck_assert_ptr_nonnull(strstr(out, "no-store"));

	length = h.length;
	page.head_only = page.keepalive = true;
	make(out, &page, &h);
	ck_assert(h.keepalive);
	ck_assert_uint_eq(h.length, length);

	page.head_only = false;
	page.json = true;
	body = make(out, &page, &h);
	ck_assert_ptr_nonnull(strstr(out, "application/json"));
	ck_assert_int_eq(body[0], '{');
	ck_assert_str_eq(body + strlen(body) - 2, "}\n");
}
END_TEST

START_TEST(escapes_what_it_repeats)
{
	char out[PAGE_MAX + 1];
	struct page page = { .status = 404,
		.text = "no <client> holds",
		.name = "a\"b\\c\r\n&'\x80",
		.fields = "WWW-Authenticate: Basic realm=\"x\"\r\n" };
	struct head h;
	struct head_view v;
	const char *body;

	body = make(out, &page, &h);
	ck_assert_ptr_nonnull(strstr(body,
	    "ptpd: no &lt;client&gt; holds: a&quot;b\\c??&amp;&#39;?</p>"));
	ck_assert_int_eq(head_find(&h, "www-authenticate", &v), 1);
	page.json = true;
	body = make(out, &page, &h);
	ck_assert_ptr_nonnull(
	    strstr(body, "\"ptpd: no <client> holds: a\\\"b\\\\c??&'?\""));
}
END_TEST

START_TEST(fits_at_its_bounds)
{
	char out[PAGE_MAX + 1], text[2 * PAGE_TEXT_MAX],
	    fields[PAGE_FIELDS_MAX + 1];
	struct page page = {
		.status = 431, .text = text, .name = text, .fields = fields
	};
	struct head h;

	memset(text, '"', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memset(fields, 'x', sizeof(fields));
	memcpy(fields, "A: ", 3);
	memcpy(fields + PAGE_FIELDS_MAX - 2, "\r\n", 3);
	make(out, &page, &h);
	ck_assert_uint_gt(strlen(out), 2 * PAGE_TEXT_MAX * 6);
	ck_assert_uint_eq(page_make(out, strlen(out) - 1, &page), 0);
}
END_TEST

START_TEST(chooses_json_by_accept)
{
	static const struct {
		const char *accept;
		bool json;
	} accepts[] = {
		{ "A: application/json\r\n", false },
		{ "Accept: application/json\r\n", true },
		{ "accept: text/plain, Application/JSON;q=0.5\r\n", true },
		{ "Accept: application/problem+json\r\n", true },
		{ "Accept: text/html, application/json\r\n", false },
		{ "Accept: */*\r\n", false },
		{ "Accept:\r\n", false },
		{ "Accept: application/json\r\nAccept: a/b\r\n", false },
	};
	char s[256];
	struct head h;

	for (int i = 0; i < N(accepts); i++) {
		strcpy(s, "GET / HTTP/1.1\r\nHost: a\r\n");
		strcat(s, accepts[i].accept);
		strcat(s, "\r\n");
		ck_assert_int_gt(head_parse_request(&h, s, strlen(s), 256), 0);
		ck_assert_msg(page_wants_json(&h) == accepts[i].json, "%s",
		    accepts[i].accept);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("page");
	TCase *t = tcase_create("page");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, makes_every_page, 0, N(statuses));
	tcase_add_test(t, escapes_what_it_repeats);
	tcase_add_test(t, fits_at_its_bounds);
	tcase_add_test(t, chooses_json_by_accept);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
