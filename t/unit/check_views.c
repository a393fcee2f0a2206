/* Unit test of what role api writes: JSON, metrics, the page. */
#include "worker/report/cards.h"
#include "worker/report/history.h"
#include "worker/report/views.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A row of a client whose name wants escaping everywhere. */
static void
add_client(struct rows *r, const char *id)
{
	const uint8_t *fields;
	struct ctl_row row;
	size_t n;

	ctl_row_begin(&row);
	ctl_row_str(&row, "id", id);
	ctl_row_str(&row, "state", "here");
	ctl_row_num(&row, "requests", 12);
	ctl_row_num(&row, "up", 1536);
	ctl_row_num(&row, "seconds", 3700);
	ctl_row_bool(&row, "held", true);
	ctl_row_str(&row, "none", NULL);
	fields = ctl_row_end(&row, &n);
	ck_assert_ptr_nonnull(fields);
	rows_add(r, fields, n);
}

static void
add_status(struct rows *r)
{
	const uint8_t *fields;
	struct ctl_row row;
	size_t n;

	ctl_row_begin(&row);
	ctl_row_str(&row, "state", "serving");
	ctl_row_num(&row, "up", 7);
	fields = ctl_row_end(&row, &n);
	rows_add(r, fields, n);
}

/* A bound; client NULL: of the server, used -1: nobody knows. */
static void
add_limit(struct rows *r, const char *limit, const char *client, int used)
{
	const uint8_t *fields;
	struct ctl_row row;
	size_t n;

	ctl_row_begin(&row);
	ctl_row_str(&row, "limit", limit);
	ctl_row_str(&row, "client", client);
	if (used >= 0)
		ctl_row_num(&row, "used", (uint64_t)used);
	else
		ctl_row_str(&row, "used", NULL);
	ctl_row_num(&row, "most", 9);
	fields = ctl_row_end(&row, &n);
	rows_add(r, fields, n);
}

/* The text of a view; to be freed. */
static char *
text_of(const char *path, const struct answers *a, int status)
{
	const struct view *v = views_find(path, strlen(path));
	struct text_out out = { .p = NULL };

	ck_assert_ptr_nonnull(v);
	ck_assert_int_eq(v->write(&out, a, v), status);
	ck_assert(!out.failed);
	text_out_add(&out, "", 1);
	return out.p;
}

static void
has(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "no %s in %s", part, text);
}

START_TEST(json)
{
	struct answers a = { 0 };
	char *text;

	add_client(&a.of[QUERY_CLIENTS], "a\"b\\c");
	add_client(&a.of[QUERY_CLIENTS], "d");
	text = text_of("/show/clients?x=y", &a, 200);
	ck_assert_str_eq(text,
	    "[\n{\"id\": \"a\\\"b\\\\c\", \"state\": \"here\", \"requests\": "
	    "12, \"up\": 1536, "
	    "\"seconds\": 3700, \"held\": true, \"none\": null},\n"
	    "{\"id\": \"d\", \"state\": \"here\", \"requests\": 12, \"up\": "
	    "1536, "
	    "\"seconds\": 3700, \"held\": true, \"none\": null}\n]\n");
	free(text);
	a.of[QUERY_CLIENTS].failed = true;
	free(text_of("/show/clients", &a, 503));
	answers_free(&a);
}
END_TEST

START_TEST(metrics)
{
	struct answers a = { 0 };
	char *text;

	add_client(&a.of[QUERY_CLIENTS], "a\"b");
	add_client(&a.of[QUERY_CLIENTS], "d");
	add_status(&a.of[QUERY_STATUS]);
	text = text_of("/metrics", &a, 200);
	has(text,
	    "ptpd_client_requests_total{client=\"a\\\"b\"} 12\n"
	    "ptpd_client_requests_total{client=\"d\"} 12\n");
	has(text,
	    "# TYPE ptpd_bytes_total counter\n"
	    "ptpd_bytes_total{direction=\"up\"} 7\n");
	/* What the row has not is not 0. */
	ck_assert_ptr_null(strstr(text, "\nptpd_clients "));
	free(text);
	add_limit(&a.of[QUERY_LIMITS], "tunnels", NULL, 1);
	add_limit(&a.of[QUERY_LIMITS], "tunnels", "d", 2);
	add_limit(&a.of[QUERY_LIMITS], "speed", "d", -1);
	text = text_of("/metrics", &a, 200);
	has(text,
	    "\nptpd_limit_used{limit=\"tunnels\"} 1\n"
	    "ptpd_limit_used{limit=\"tunnels\",client=\"d\"} 2\n#");
	has(text, "\nptpd_limit_most{limit=\"speed\",client=\"d\"} 9\n");
	free(text);
	a.of[QUERY_LIMITS].failed = true;
	free(text_of("/metrics", &a, 503));
	answers_free(&a);
}
END_TEST

START_TEST(page)
{
	struct answers a = { 0 };
	char *text;

	free(text_of("/", &a, 503)); /* not even the status came */
	add_status(&a.of[QUERY_STATUS]);
	add_client(&a.of[QUERY_CLIENTS], "<b>&");
	a.of[QUERY_ROUTES].failed = true;
	a.of[QUERY_WORKERS].failed = true;
	text = text_of("/", &a, 200);
	has(text, "names: not to be had now");
	has(text, "&lt;b&gt;&amp;");
	has(text, "1.5 KiB");
	has(text, "1 h 1 min");
	has(text, "not to be had now");
	ck_assert_ptr_null(strstr(text, "<b>&<"));
	free(text);
	answers_free(&a);
}
END_TEST

/* How the figures went: what is old, too many or too young is left out. */
START_TEST(history)
{
	static struct history h;
	struct history_sample s = { .ms = 5000 }, r;
	struct answers a = { .history = &h };
	char *text;

	add_status(&a.of[QUERY_STATUS]);
	text = text_of("/", &a, 200); /* nothing to see yet */
	ck_assert_ptr_null(strstr(text, "<svg"));
	free(text);
	history_add(&h, &s);
	s.ms += HISTORY_GAP_MS - 1;
	history_add(&h, &s);
	ck_assert_uint_eq(h.n, 1);
	s = (struct history_sample){ 9000, 4096, 8192, 4 };
	history_add(&h, &s);
	r = history_rate(&h, 1);
	ck_assert_uint_eq(r.up, 1024);
	ck_assert_uint_eq(r.down, 2048);
	ck_assert_uint_eq(r.requests, 1);
	s = (struct history_sample){ 11000, 0, 9192, 4 }; /* went back */
	history_add(&h, &s);
	ck_assert_uint_eq(history_rate(&h, 2).up, 0);
	text = text_of("/", &a, 200);
	has(text, "<svg");
	has(text, "peak 2.0 KiB/s in 6 s");
	has(text, "<b>500 B/s</b>");
	free(text);
	for (int i = 0; i < 2 * HISTORY_SAMPLES; i++) {
		s.ms += HISTORY_GAP_MS;
		history_add(&h, &s);
	}
	ck_assert_uint_eq(h.n, HISTORY_SAMPLES);
	ck_assert_uint_eq(h.at[h.n - 1].ms, s.ms);
	s.ms += HISTORY_SPAN_MS + 1;
	history_add(&h, &s);
	ck_assert_uint_eq(h.n, 1);
	answers_free(&a);
}
END_TEST

/* More clients and names than anybody looks at. */
START_TEST(page_is_bounded)
{
	struct answers a = { 0 };
	const uint8_t *fields;
	struct ctl_row row;
	char *text, id[16];
	size_t n;

	add_status(&a.of[QUERY_STATUS]);
	for (int i = 0; i < CARDS_MAX + 7; i++) {
		snprintf(id, sizeof(id), "id%d", i);
		add_client(&a.of[QUERY_CLIENTS], id);
	}
	for (int i = 0; i < CARDS_NAMES_MAX + 3; i++) {
		ctl_row_begin(&row);
		ctl_row_str(&row, "host", "a.example.com");
		ctl_row_str(&row, "table", "http");
		ctl_row_str(&row, "kind", i == 0 ? "wildcard" : "full");
		ctl_row_str(&row, "client", "id0");
		fields = ctl_row_end(&row, &n);
		rows_add(&a.of[QUERY_ROUTES], fields, n);
	}
	ctl_row_begin(&row);
	ctl_row_str(&row, "listener", "http");
	ctl_row_num(&row, "port", 8080);
	fields = ctl_row_end(&row, &n);
	rows_add(&a.of[QUERY_LISTENERS], fields, n);
	text = text_of("/", &a, 200);
	has(text, "and 7 more: <a href=\"/show/clients\">");
	has(text, "<li>and 3 more</li>");
	has(text, "<li>a.example.com</li>");
	has(text, "href=\"http://a.example.com:8080/\"");
	free(text);
	answers_free(&a);
}
END_TEST

START_TEST(status)
{
	struct answers a = { 0 };
	const uint8_t *fields;
	struct ctl_row row;
	char *text;
	size_t n;

	text = text_of("/status", &a, 503);
	has(text, "\"status\": \"failed\"");
	free(text);
	ctl_row_begin(&row);
	ctl_row_str(&row, "result", "it \"broke\"");
	fields = ctl_row_end(&row, &n);
	rows_add(&a.of[QUERY_CHECK], fields, n);
	text = text_of("/status", &a, 503);
	has(text, "\"reason\": \"it \\\"broke\\\"\"");
	free(text);
	answers_free(&a);
	ctl_row_begin(&row);
	ctl_row_str(&row, "result", "ok");
	fields = ctl_row_end(&row, &n);
	rows_add(&a.of[QUERY_CHECK], fields, n);
	text = text_of("/status", &a, 200);
	ck_assert_str_eq(
	    text, "{\"status\": \"ok\", \"version\": \"" PTP_VERSION "\"}\n");
	free(text);
	answers_free(&a);
}
END_TEST

START_TEST(paths)
{
	static const char *const none[] = { "", "/show", "/show/", "/metric",
		"/metricss", "//", "?", "/status/" };

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		ck_assert_ptr_null(views_find(none[i], strlen(none[i])));
	ck_assert_ptr_nonnull(views_find("/?", 2));
}
END_TEST

/* Too much of anything fails as a whole. */
START_TEST(bounds)
{
	struct rows r = { .p = NULL };
	struct text_out out = { .p = NULL };
	static uint8_t big[UINT16_MAX + 1];

	rows_add(&r, big, UINT16_MAX);
	ck_assert(!r.failed);
	for (size_t i = 0; i < ROWS_BYTES_MAX / UINT16_MAX; i++)
		rows_add(&r, big, UINT16_MAX);
	ck_assert(r.failed);
	ck_assert_uint_le(r.n, ROWS_BYTES_MAX);
	free(r.p);
	memset(&r, 0, sizeof(r));
	rows_add(&r, big, sizeof(big));
	ck_assert(r.failed);
	free(r.p);
	for (size_t i = 0; i <= TEXT_OUT_MAX / sizeof(big); i++)
		text_out_add(&out, big, sizeof(big));
	ck_assert(out.failed);
	text_out_free(&out);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("views");
	TCase *t = tcase_create("views");
	SRunner *r;
	int failed;

	tcase_add_test(t, json);
	tcase_add_test(t, metrics);
	tcase_add_test(t, page);
	tcase_add_test(t, history);
	tcase_add_test(t, page_is_bounded);
	tcase_add_test(t, status);
	tcase_add_test(t, paths);
	tcase_add_test(t, bounds);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
