/*
 * How the server's counters went lately: samples, taken whenever somebody
 * asks, and the rates between them. What is old, or too many, is forgotten.
 */
#ifndef HISTORY_H
#define HISTORY_H

#include <stddef.h>
#include <stdint.h>

#define HISTORY_SAMPLES 200
#define HISTORY_GAP_MS 2000    /* between two samples, at least */
#define HISTORY_SPAN_MS 600000 /* older ones are forgotten */

struct history_sample {
	uint64_t ms;		     /* of a monotonic clock */
	uint64_t up, down, requests; /* counters */
};

struct history {
	struct history_sample at[HISTORY_SAMPLES]; /* the oldest first */
	size_t n;
};

/* Take a sample, unless the last one is that young. */
void history_add(struct history *h, const struct history_sample *s);

/*
 * What moved each second between samples i - 1 and i (0 < i < n); .ms is when
 * it ended. A counter that went back counts as 0.
 */
struct history_sample history_rate(const struct history *h, size_t i);

#endif
