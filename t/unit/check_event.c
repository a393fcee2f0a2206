/* Events of an error service: where they go, what they say. */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/conf/dsn.h"
#include "common/conf/schema.h"
#include "common/fetch/event.h"
#include "common/fetch/setup.h"
#include "common/ipc/line.h"
#include "common/ipc/msg.h"

static const struct {
	const char *dsn, *url; /* NULL: malformed */
} dsns[] = {
	{ "https://key@host/1", "https://host/api/1/envelope/" },
	{ "http://key@127.0.0.1:9000/1",
	    "http://127.0.0.1:9000/api/1/envelope/" },
	{ "https://key@[::1]:80/1", "https://[::1]:80/api/1/envelope/" },
	{ "https://key:secret@host/a/b/42",
	    "https://host/a/b/api/42/envelope/" },
	{ "", NULL },
	{ "https://", NULL },
	{ "https://host/1", NULL },
	{ "https://@host/1", NULL },
	{ "https://key@/1", NULL },
	{ "https://key@host", NULL },
	{ "https://key@host/", NULL },
	{ "https://key@host/a/", NULL },
	{ "https://key@host/1?x", NULL },
	{ "https://ke y@host/1", NULL },
	{ "https://key@ho\nst/1", NULL },
	{ "https://key@host/a\r\nb/1", NULL },
	{ "https://a/b@host/1", NULL },
	{ "ftp://key@host/1", NULL },
	{ "HTTPS://key@host/1", NULL },
};

START_TEST(dsn)
{
	struct dsn d;

	if (dsns[_i].url == NULL) {
		ck_assert_int_eq(dsn_parse(&d, dsns[_i].dsn), -1);
		return;
	}
	ck_assert_int_eq(dsn_parse(&d, dsns[_i].dsn), 0);
	ck_assert_str_eq(d.url, dsns[_i].url);
	ck_assert_str_eq(d.key, "key");
}
END_TEST

START_TEST(dsn_bounds)
{
	char text[DSN_MAX + 64] = "https://";
	struct dsn d;

	memset(text + 8, 'k', DSN_KEY_MAX + 1);
	strcpy(text + 8 + DSN_KEY_MAX, "@h/1");
	ck_assert_int_eq(dsn_parse(&d, text), 0);
	strcpy(text + 8 + DSN_KEY_MAX, "k@h/1");
	ck_assert_int_eq(dsn_parse(&d, text), -1);
	strcpy(text, "https://k@h/");
	memset(text + 12, '1', DSN_MAX - 12);
	text[DSN_MAX] = '\0';
	ck_assert_int_eq(dsn_parse(&d, text), 0);
	ck_assert_str_eq(d.url + strlen(d.url) - 10, "/envelope/");
	strcat(text, "1");
	ck_assert_int_eq(dsn_parse(&d, text), -1);
}
END_TEST

/* The three lines of an envelope; the last as JSON. */
static json_t *
take_apart(char *p, size_t n)
{
	char *item = strchr(p, '\n') + 1, *body = strchr(item, '\n') + 1;
	json_t *head = json_loadb(p, (size_t)(item - p), 0, NULL);
	json_t *what = json_loadb(item, (size_t)(body - item), 0, NULL);
	json_int_t len = json_integer_value(json_object_get(what, "length"));
	json_t *event = json_loadb(body, (size_t)len, 0, NULL);

	ck_assert_ptr_nonnull(event);
	ck_assert_uint_eq((size_t)(body - p) + (size_t)len + 1, n);
	ck_assert_int_eq(p[n - 1], '\n');
	ck_assert_str_eq(json_string_value(json_object_get(head, "event_id")),
	    json_string_value(json_object_get(event, "event_id")));
	ck_assert_str_eq(
	    json_string_value(json_object_get(what, "type")), "event");
	json_decref(head);
	json_decref(what);
	return event;
}

static const char *
text_of(const json_t *event, const char *key)
{
	return json_string_value(json_object_get(event, key));
}

START_TEST(envelope)
{
	static const char *const names[] = { "debug", "debug", "info",
		"warning", "error", "fatal" };
	struct event_origin o = { "r\"1", "", "here" };
	struct logline l = { .ms = UINT64_C(1764000000007),
		.name = "ptpd",
		.pid = 5,
		.role = "relay",
		.role_pid = 7,
		.text = "a\n\"b\"" };
	char out[EVENT_MAX];
	json_t *event;
	size_t n;

	for (int level = 0; level < LOG_LEVEL_DISABLE; level++) {
		l.level = (enum log_level)level;
		n = event_envelope(
		    out, &l, &o, "0123456789abcdef0123456789abcdef", l.ms + 1);
		event = take_apart(out, n);
		ck_assert_str_eq(text_of(event, "level"), names[level]);
		ck_assert_str_eq(
		    text_of(event, "timestamp"), "2025-11-24T16:00:00.007Z");
		ck_assert_str_eq(text_of(event, "release"), "r\"1");
		ck_assert_ptr_null(text_of(event, "environment"));
		ck_assert_str_eq(
		    text_of(json_object_get(event, "message"), "formatted"),
		    "a\n\"b\"");
		ck_assert_str_eq(
		    text_of(json_object_get(event, "tags"), "role"), "relay");
		ck_assert_str_eq(
		    text_of(json_object_get(event, "tags"), "pid"), "7");
		json_decref(event);
	}
}
END_TEST

START_TEST(largest_envelope)
{
	char out[EVENT_MAX], text[LOG_LINE_MAX], word[MSG_WORD_MAX + 1];
	struct event_origin o = { word, word, word };
	struct logline l = { .name = "ptpd", .text = text };

	memset(text, 1, sizeof(text));
	text[sizeof(text) - 1] = '\0';
	memset(word, 1, sizeof(word));
	word[sizeof(word) - 1] = '\0';
	json_decref(take_apart(out,
	    event_envelope(
		out, &l, &o, "0123456789abcdef0123456789abcdef", 0)));
}
END_TEST

START_TEST(lines)
{
	struct logline l = { .ms = 77,
		.level = LOG_LEVEL_WARN,
		.name = "ptpd",
		.pid = 5,
		.role = "relay",
		.index = 3,
		.role_pid = 7,
		.text = "text" };
	uint8_t p[LINE_BYTES];
	struct line back;
	struct buf b;
	size_t n;

	for (int round = 0; round < 2; round++) {
		buf_write(&b, p, sizeof(p));
		ck_assert_int_eq(line_put(&b, &l), 0);
		n = buf_used(&b);
		ck_assert_uint_ge(n, msg_row(MSG_LINE)->min);
		ck_assert_uint_le(LINE_BYTES, msg_row(MSG_LINE)->max);
		buf_read(&b, p, n);
		ck_assert_int_eq(line_get(&b, &back), 0);
		ck_assert_uint_eq(back.l.ms, 77);
		ck_assert_int_eq(back.l.level, LOG_LEVEL_WARN);
		ck_assert_int_eq(back.l.index, l.index);
		ck_assert_str_eq(back.l.text, "text");
		ck_assert((back.l.role == NULL) == (l.role == NULL));
		for (size_t cut = 0; cut < n; cut++) {
			buf_read(&b, p, cut);
			ck_assert_int_eq(line_get(&b, &back), -1);
		}
		l.role = NULL;
		l.index = -1;
	}
	p[8] = LOG_LEVEL_DISABLE;
	buf_read(&b, p, n);
	ck_assert_int_eq(line_get(&b, &back), -1);
}
END_TEST

START_TEST(which_lines)
{
	char *words[] = { (char[]){ "warn" }, (char[]){ "info" } };
	struct sentry_conf c = { .dsn = (char[]){ "x" },
		.sample_rate = SCHEMA_WHOLE };
	struct logline l = { .ms = 1000, .level = LOG_LEVEL_ERROR };
	struct msg_fetch_conf m = { .auth_ms = 0 };
	struct setup_filter f;
	unsigned taken = 0;

	setup_filter(&f, &c);
	ck_assert(setup_is_event(&f, &l));
	l.level = LOG_LEVEL_WARN;
	ck_assert(!setup_is_event(&f, &l));
	c.level = (struct str_list){ words, 2 };
	setup_filter(&f, &c);
	ck_assert(setup_is_event(&f, &l));
	l.role = "fetch"; /* its own trouble is none */
	ck_assert(!setup_is_event(&f, &l));
	l.role = "relay";
	for (int i = 0; i < 100; i++)
		taken += setup_is_event(&f, &l);
	ck_assert_uint_eq(taken, SETUP_RATE - 1);
	l.ms += 1000;
	ck_assert(setup_is_event(&f, &l));
	c.sample_rate = 0;
	setup_filter(&f, &c);
	ck_assert(!setup_is_event(&f, &l));
	setup_events(&m, &c);
	ck_assert_str_eq(m.dsn, "x");
	ck_assert_str_eq(m.release, "ptp@" PTP_VERSION);
	ck_assert_str_eq(m.environment, "");
	ck_assert_str_ne(m.server_name, "");
	c.dsn = NULL;
	c.sample_rate = SCHEMA_WHOLE;
	setup_filter(&f, &c);
	ck_assert(!setup_is_event(&f, &l));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("event");
	TCase *t = tcase_create("event");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, dsn, 0, (int)(sizeof(dsns) / sizeof(dsns[0])));
	tcase_add_test(t, dsn_bounds);
	tcase_add_test(t, envelope);
	tcase_add_test(t, largest_envelope);
	tcase_add_test(t, lines);
	tcase_add_test(t, which_lines);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
