/*
 * An answer that grows as it is written: one block of text, bounded. Once it
 * has failed (too long, no memory) it stays so, and is worth nothing.
 */
#ifndef TEXT_OUT_H
#define TEXT_OUT_H

#include <stdbool.h>
#include <stddef.h>

#define TEXT_OUT_MAX (16u << 20) /* bytes of one answer */

struct text_out {
	char *p;
	size_t n, cap;
	bool failed;
};

void text_out_add(struct text_out *t, const void *p, size_t n);
void text_out_printf(struct text_out *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Add n bytes escaped: as HTML text, as a JSON string with its quotes. */
void text_out_html(struct text_out *t, const char *p, size_t n);
void text_out_json(struct text_out *t, const char *p, size_t n);

void text_out_free(struct text_out *t);

#endif
