/* Unit test of what role api writes: JSON, metrics, the page. */
#include "worker/report/views.h"

#include <check.h>
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
	    "[\n{\"id\": \"a\\\"b\\\\c\", \"requests\": 12, \"up\": 1536, "
	    "\"seconds\": 3700, \"held\": true, \"none\": null},\n"
	    "{\"id\": \"d\", \"requests\": 12, \"up\": 1536, "
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
	text = text_of("/", &a, 200);
	has(text, "&lt;b&gt;&amp;");
	has(text, "1.5 KiB");
	has(text, "1 h 1 min");
	has(text, "not to be had now");
	ck_assert_ptr_null(strstr(text, "<b>&<"));
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
