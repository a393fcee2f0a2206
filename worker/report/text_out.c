/* An answer that grows as it is written. */
#include "worker/report/text_out.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for n more bytes and a terminator. Whether there is. */
static bool
grow(struct text_out *t, size_t n)
{
	size_t cap = t->cap == 0 ? 4096 : t->cap;
	char *p;

	if (t->failed || n > TEXT_OUT_MAX - t->n) {
		t->failed = true;
		return false;
	}
	while (cap < t->n + n + 1)
		cap *= 2;
	if (cap == t->cap)
		return true;
	if ((p = realloc(t->p, cap)) == NULL) {
		t->failed = true;
		return false;
	}
	t->p = p;
	t->cap = cap;
	return true;
}

void
text_out_add(struct text_out *t, const void *p, size_t n)
{
	if (!grow(t, n))
		return;
	memcpy(t->p + t->n, p, n);
	t->n += n;
}

void
text_out_printf(struct text_out *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !grow(t, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(t->p + t->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	t->n += (size_t)n;
}

void
text_out_html(struct text_out *t, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		switch (p[i]) {
		case '<':
			text_out_printf(t, "&lt;");
			break;
		case '>':
			text_out_printf(t, "&gt;");
			break;
		case '&':
			text_out_printf(t, "&amp;");
			break;
		case '"':
			text_out_printf(t, "&quot;");
			break;
		default:
			text_out_add(t, p + i, 1);
		}
	}
}

void
text_out_json(struct text_out *t, const char *p, size_t n)
{
	text_out_add(t, "\"", 1);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c == '"' || c == '\\')
			text_out_printf(t, "\\%c", c);
		else if (c < 0x20 || c > 0x7e)
			text_out_printf(t, "\\u%04x", c);
		else
			text_out_add(t, p + i, 1);
	}
	text_out_add(t, "\"", 1);
}

void
text_out_free(struct text_out *t)
{
	free(t->p);
	t->p = NULL;
	t->n = t->cap = 0;
}
