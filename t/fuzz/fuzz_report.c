/*
 * What the processes that report get: records and lines come back as they
 * were, and are one line of text; answers and addresses harm nobody. The first
 * byte says which.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/jsontext.h"
#include "common/conf/dsn.h"
#include "common/ipc/access.h"
#include "common/ipc/line.h"
#include "worker/fetch/question.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
one_line(const char *p, size_t n)
{
	if (n == 0 || p[n - 1] != '\n' || memchr(p, '\n', n - 1) != NULL)
		abort();
}

static void
records(const uint8_t *data, size_t size)
{
	char out[ACCESS_LINE_MAX];
	uint8_t again[ACCESS_MAX];
	struct access a;
	struct buf b, put;

	buf_read(&b, data, size);
	while (buf_left(&b) > 0) {
		size_t from = buf_used(&b);

		if (access_get(&b, &a) == -1)
			return;
		buf_write(&put, again, sizeof(again));
		if (access_put(&put, &a) == -1 ||
		    buf_used(&put) != buf_used(&b) - from ||
		    memcmp(again, data + from, buf_used(&put)) != 0)
			abort();
		one_line(out, access_format(out, &a, "ptpd", false));
		one_line(out, access_format(out, &a, "ptpd", true));
	}
}

static void
lines(const uint8_t *data, size_t size)
{
	char out[LOGLINE_MAX];
	struct line line;
	size_t n;
	struct buf b;

	buf_read(&b, data, size);
	if (line_get(&b, &line) == -1)
		return;
	n = logline_format(out, &line.l, true);
	one_line(out, n);
	if (n >= sizeof(out) || !jsontext_is_utf8(out, n))
		abort();
	if (logline_format(out, &line.l, false) >= sizeof(out))
		abort();
}

static void
answers(const uint8_t *data, size_t size)
{
	struct question q = { .number = 1 };
	struct names allowed;
	const char *why;

	names_add(&q.asked, "web");
	names_add(&q.asked, "blog");
	if (question_verdict(&q, 200, (const char *)data, size, &allowed,
		&why) != VOUCH_YES &&
	    allowed.count != 0)
		abort();
	if (allowed.count > q.asked.count)
		abort();
}

static void
questions(const uint8_t *data, size_t size)
{
	char body[QUESTION_BODY_MAX];
	struct question q;
	size_t n;

	if (question_get(&q, data, size) == 0 &&
	    (n = question_body(body, &q)) > 0 && !jsontext_is_utf8(body, n))
		abort();
}

static void
addresses(const uint8_t *data, size_t size)
{
	char text[2048];
	struct dsn d;

	if (size >= sizeof(text))
		return;
	memcpy(text, data, size);
	text[size] = '\0';
	if (dsn_parse(&d, text) == 0 &&
	    (strpbrk(d.url, " \r\n\t\"") != NULL || d.key[0] == '\0'))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const targets[])(const uint8_t *, size_t) = { records,
		lines, answers, questions, addresses };

	if (size > 0 && data[0] < sizeof(targets) / sizeof(targets[0]))
		targets[data[0]](data + 1, size - 1);
	return 0;
}
