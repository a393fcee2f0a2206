/* Numbers and names as people read them, into a web page. */
#ifndef FIGURES_H
#define FIGURES_H

#include <stdint.h>

#include "worker/report/history.h"
#include "worker/report/rows.h"
#include "worker/report/text_out.h"

/* "1.5 KiB" for 1536. */
void figures_bytes(struct text_out *out, uint64_t v);

/* "1 h 1 min" for 3700. */
void figures_seconds(struct text_out *out, uint64_t s);

/* A field of a row as text, and as a number; nothing, or 0, without it. */
void figures_field(struct text_out *out, struct buf row, const char *name);
void figures_number(struct text_out *out, struct buf row, const char *name);

/*
 * A chart (SVG) of what went up and down each second, and what it shows in
 * words. Nothing with fewer than two rates: then there is nothing to see yet.
 */
void figures_chart(struct text_out *out, const struct history *h);

#endif
