/*
 * The head of one HTTP/1 message, taken apart in place.
 *
 * Each parse_ function returns the offset behind what it has parsed, 0 if the
 * bytes end before that, or a status, negated. Requests and responses share
 * the statuses here; head_parse_response() makes one of all.
 */
#include "common/http/head.h"

#include <endian.h>
#include <string.h>
#include <strings.h>

#include "common/http/judge.h"
#include "common/http/name.h"

#define VERSION_LEN 8 /* "HTTP/1.1" */

/*
 * How many of the n bytes at p come before the first control character other
 * than HTAB: the end of a line if all is well. Eight at a time; the lowest
 * marked byte of either mask is exact, higher ones may be marked in vain.
 */
static size_t
text_span(const char *p, size_t n)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	size_t i = 0;

	while (n - i >= 8) {
		uint64_t x, low, del, mark;

		memcpy(&x, p + i, sizeof(x));
		x = le64toh(x);
		low = (x - ones * 0x20) & ~x;
		del = ((x ^ (ones * 0x7f)) - ones) & ~x;
		mark = (low | del) & (ones * 0x80);
		if (mark == 0) {
			i += 8;
			continue;
		}
		i += (size_t)__builtin_ctzll(mark) / 8;
		if (p[i] != '\t')
			return i;
		i++;
	}
	for (; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			break;
	}
	return i;
}

/* Exactly CRLF at `at`. */
static int
parse_crlf(const char *p, size_t at, size_t n)
{
	if (at < n && p[at] != '\r')
		return -400;
	if (at + 1 < n && p[at + 1] != '\n')
		return -400;
	return at + 1 < n ? (int)at + 2 : 0;
}

/* HTTP/1.0 or HTTP/1.1 at `at`. */
static int
parse_version(struct head *h, size_t at, size_t n)
{
	const char *v = h->p + at;

	if (n - at < VERSION_LEN)
		return 0;
	if (memcmp(v, "HTTP/", 5) != 0 || v[5] < '0' || v[5] > '9' ||
	    v[6] != '.' || v[7] < '0' || v[7] > '9')
		return -400;
	if (v[5] != '1' || v[7] > '1')
		return -505;
	h->minor = (uint8_t)(v[7] - '0');
	return (int)(at + VERSION_LEN);
}

static enum head_method
method_kind(struct head_view m)
{
	static const struct {
		const char *name;
		enum head_method kind;
	} known[] = {
		{ "GET", HEAD_METHOD_GET },
		{ "HEAD", HEAD_METHOD_HEAD },
		{ "CONNECT", HEAD_METHOD_CONNECT },
		{ "OPTIONS", HEAD_METHOD_OPTIONS },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (head_view_is(m, known[i].name))
			return known[i].kind;
	return HEAD_METHOD_OTHER;
}

/* The method and the blank behind it. */
static int
parse_method(struct head *h, size_t at, size_t n)
{
	size_t i = at;

	while (i < n && name_folded[(unsigned char)h->p[i]] != '\0')
		i++;
	if (i - at > HEAD_METHOD_MAX || (i < n && (i == at || h->p[i] != ' ')))
		return -400;
	if (i == n)
		return 0;
	h->method.p = h->p + at;
	h->method.n = i - at;
	h->kind = method_kind(h->method);
	/* "head" might get an answer without body from a careless server. */
	if (h->kind != HEAD_METHOD_OTHER)
		for (size_t k = at; k < i; k++)
			if (h->p[k] >= 'a')
				return -400;
	return (int)i + 1;
}

/*
 * The target and the blank behind it: no control character and no fragment.
 * Bytes from 0x80 on should be written as %XX; curl sends what was typed, and
 * servers take it.
 */
static int
parse_target(struct head *h, size_t at, size_t n)
{
	size_t i = at;

	while (i < n && (unsigned char)h->p[i] > ' ' && h->p[i] != 0x7f &&
	    h->p[i] != '#')
		i++;
	if (i < n && (i == at || h->p[i] != ' '))
		return -400;
	if (i == n)
		return 0;
	h->target.p = h->p + at;
	h->target.n = i - at;
	return (int)i + 1;
}

static int
parse_request_line(struct head *h, size_t n)
{
	int at = 0;

	for (int i = 0; i < HEAD_BLANKS && n > (size_t)at && h->p[at] == '\r';
	    i++)
		if ((at = parse_crlf(h->p, (size_t)at, n)) <= 0)
			return at;
	h->start = (uint32_t)at;
	if ((at = parse_method(h, (size_t)at, n)) <= 0 ||
	    (at = parse_target(h, (size_t)at, n)) <= 0 ||
	    (at = parse_version(h, (size_t)at, n)) <= 0)
		return at;
	return parse_crlf(h->p, (size_t)at, n);
}

/* Many servers leave the blank behind the status out with the reason. */
static int
parse_status_line(struct head *h, size_t n)
{
	int at;

	h->start = 0;
	if ((at = parse_version(h, 0, n)) <= 0)
		return at;
	if (n - (size_t)at < 4)
		return 0;
	for (int i = 1; i <= 3; i++) {
		char c = h->p[at + i];

		if (c < '0' || c > '9')
			return -400;
		h->status = h->status * 10 + (c - '0');
	}
	if (h->p[at] != ' ' || h->status < 100)
		return -400;
	at += 4;
	if ((size_t)at < n && h->p[at] == ' ')
		at += (int)text_span(h->p + at, n - (size_t)at);
	return parse_crlf(h->p, (size_t)at, n);
}

/*
 * Name the field and count its id; -1 if nobody sends it in good faith. The
 * name folded is at hand from the scan: NAME_KNOWN_MAX bytes of it, no more.
 */
static int
note_field(struct head *h, struct head_field *f, const char *folded)
{
	enum head_id id = name_known(folded, f->name_len);

	if (id != HEAD_ID_OTHER &&
	    memchr(h->p + f->name, '_', f->name_len) != NULL) {
		int twin = name_twin(id);

		if (twin == -1)
			return -1;
		id = (enum head_id)twin;
	}
	f->id = (uint8_t)id;
	if (h->seen & HEAD_BIT(id)) {
		h->many |= HEAD_BIT(id);
	} else {
		h->seen |= HEAD_BIT(id);
		h->at[id] = (uint8_t)h->nfield;
	}
	h->nfield++;
	return 0;
}

/* One field line: name ":" value CRLF. */
static int
parse_field(struct head *h, size_t at, size_t n)
{
	struct head_field *f = &h->field[h->nfield];
	char folded[NAME_KNOWN_MAX], c;
	const char *p = h->p;
	size_t i, from, to;
	int next;

	for (i = at; i < n; i++) {
		if ((c = name_folded[(unsigned char)p[i]]) == '\0')
			break;
		if (i - at < sizeof(folded))
			folded[i - at] = c;
	}
	if (i < n && (i == at || p[i] != ':'))
		return -400;
	if (i == n)
		return 0;
	f->name = (uint16_t)at;
	f->name_len = (uint16_t)(i - at);

	for (from = i + 1; from < n && (p[from] == ' ' || p[from] == '\t');)
		from++;
	to = from + text_span(p + from, n - from);
	if ((next = parse_crlf(p, to, n)) <= 0)
		return next;
	while (to > from && (p[to - 1] == ' ' || p[to - 1] == '\t'))
		to--;
	f->value = (uint16_t)from;
	f->value_len = (uint16_t)(to - from);
	return note_field(h, f, folded) == -1 ? -400 : next;
}

/* The field lines from `at` to the empty line that ends the head. */
static int
parse_fields(struct head *h, size_t at, size_t n)
{
	int next;

	h->fields = (uint32_t)at;
	while (at < n && h->p[at] != '\r') {
		if (h->nfield == HEAD_FIELDS)
			return -431;
		if ((next = parse_field(h, at, n)) <= 0)
			return next;
		at = (size_t)next;
	}
	h->end = (uint32_t)at;
	if ((next = parse_crlf(h->p, at, n)) > 0)
		h->size = (uint32_t)next;
	return next;
}

/* Everything but the field array, which nfield bounds. */
static void
head_clear(struct head *h, const char *p)
{
	memset(h, 0, offsetof(struct head, field));
	h->p = p;
}

int
head_parse_request(struct head *h, const char *p, size_t n, size_t max)
{
	size_t limit;
	int at;

	if (max > HEAD_MAX)
		max = HEAD_MAX;
	limit = n < max ? n : max;
	head_clear(h, p);
	if ((at = parse_request_line(h, limit)) > 0)
		at = parse_fields(h, (size_t)at, limit);
	if (at == 0)
		return n < max ? 0 : -431;
	if (at > 0) {
		int status = judge_request(h);

		if (status != 0)
			return status;
	}
	return at;
}

int
head_parse_response(
    struct head *h, const char *p, size_t n, size_t max, enum head_method asked)
{
	size_t limit;
	int at;

	if (max > HEAD_MAX)
		max = HEAD_MAX;
	limit = n < max ? n : max;
	head_clear(h, p);
	if ((at = parse_status_line(h, limit)) > 0)
		at = parse_fields(h, (size_t)at, limit);
	if (at == 0)
		return n < max ? 0 : -502;
	return at > 0 && judge_response(h, asked) == 0 ? at : -502;
}

struct head_view
head_value(const struct head *h, size_t i)
{
	return (struct head_view){ h->p + h->field[i].value,
		h->field[i].value_len };
}

int
head_known(const struct head *h, enum head_id id, struct head_view *v)
{
	if (!(h->seen & HEAD_BIT(id)))
		return 0;
	if (h->many & HEAD_BIT(id))
		return -1;
	*v = head_value(h, h->at[id]);
	return 1;
}

/* 1: the field's name is `name`; -1: its twin is; 0: neither. */
static int
same_name(const char *p, const char *name, size_t n)
{
	int same = 1;

	for (size_t i = 0; i < n; i++) {
		char a = name_folded[(unsigned char)p[i]];

		if (a != name_folded[(unsigned char)name[i]])
			return 0;
		if (a == '-' && p[i] != name[i])
			same = -1;
	}
	return same;
}

int
head_find(const struct head *h, const char *name, struct head_view *v)
{
	size_t n = strlen(name);
	int found = 0;

	for (size_t i = 0; i < h->nfield; i++) {
		const struct head_field *f = &h->field[i];
		int same;

		if (f->name_len != n)
			continue;
		if ((same = same_name(h->p + f->name, name, n)) == 0)
			continue;
		if (same == -1 || found != 0)
			return -1;
		found = 1;
		*v = head_value(h, i);
	}
	return found;
}

size_t
head_line_end(const struct head *h, size_t i)
{
	return i + 1 < h->nfield ? h->field[i + 1].name : h->end;
}

bool
head_view_is(struct head_view v, const char *s)
{
	return strlen(s) == v.n && (v.n == 0 || strncasecmp(v.p, s, v.n) == 0);
}
