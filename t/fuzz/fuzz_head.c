/*
 * Fuzz target of head.c. First byte: a request or a response to what. Whatever
 * is taken lies within the bytes given, and no shorter piece of it is.
 */
#include <stdlib.h>
#include <string.h>

#include "common/http/head.h"

#define MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int
parse(struct head *h, uint8_t mode, const char *p, size_t n)
{
	if (mode & 1)
		return head_parse_response(
		    h, p, n, MAX, (enum head_method)(mode / 2 % 5));
	return head_parse_request(h, p, n, MAX);
}

static void
inside(const struct head *h, struct head_view v)
{
	if (v.n > 0 && (v.p < h->p || v.p + v.n > h->p + h->size))
		abort();
}

static void
check_fields(const struct head *h)
{
	size_t at = h->fields;

	if (h->nfield > HEAD_FIELDS)
		abort();
	for (size_t i = 0; i < h->nfield; i++) {
		const struct head_field *f = &h->field[i];
		struct head_view v = head_value(h, i);

		if (f->name != at || f->id >= HEAD_IDS || f->name_len == 0 ||
		    h->p[f->name + f->name_len] != ':')
			abort();
		at = head_line_end(h, i);
		inside(h, v);
		if (memcmp(h->p + at - 2, "\r\n", 2) != 0 ||
		    memchr(v.p, '\r', v.n) != NULL ||
		    memchr(v.p, '\n', v.n) != NULL ||
		    memchr(v.p, '\0', v.n) != NULL)
			abort();
	}
	if (at != h->end || h->end + 2 != h->size)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct head h, again;
	struct head_view v;
	char *p;
	int got;

	if (n < 1)
		return 0;
	p = malloc(n);
	memcpy(p, data + 1, n - 1);
	got = parse(&h, data[0], p, n - 1);
	for (size_t k = 0; k + 1 < n && k < MAX; k++) {
		int part = parse(&again, data[0], p, k);

		if (part != 0 && part != got)
			abort();
		if (part > 0 && (size_t)part != k)
			abort();
		if (part != 0)
			break;
	}
	if (got > 0) {
		if (h.size != (size_t)got || h.size >= n || h.p != p)
			abort();
		check_fields(&h);
		inside(&h, h.method);
		inside(&h, h.target);
		inside(&h, h.path);
		inside(&h, h.host);
		if (h.body != HEAD_BODY_LENGTH && h.length != 0)
			abort();
		if (head_find(&h, "x-ptp-token", &v) == 1)
			inside(&h, v);
	}
	free(p);
	return 0;
}
