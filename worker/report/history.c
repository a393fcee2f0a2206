/* How the server's counters went lately. */
#include "worker/report/history.h"

#include <string.h>

static void
forget(struct history *h, size_t n)
{
	h->n -= n;
	memmove(h->at, h->at + n, h->n * sizeof(h->at[0]));
}

void
history_add(struct history *h, const struct history_sample *s)
{
	size_t old = 0;

	if (h->n > 0 && s->ms - h->at[h->n - 1].ms < HISTORY_GAP_MS)
		return;
	while (old < h->n && s->ms - h->at[old].ms > HISTORY_SPAN_MS)
		old++;
	if (old == 0 && h->n == HISTORY_SAMPLES)
		old = 1;
	forget(h, old);
	h->at[h->n++] = *s;
}

static uint64_t
rate(uint64_t before, uint64_t after, uint64_t ms)
{
	return after < before ? 0 : (after - before) * 1000 / ms;
}

struct history_sample
history_rate(const struct history *h, size_t i)
{
	const struct history_sample *a = &h->at[i - 1], *b = &h->at[i];
	uint64_t ms = b->ms - a->ms;

	return (struct history_sample){ .ms = b->ms,
		.up = rate(a->up, b->up, ms),
		.down = rate(a->down, b->down, ms),
		.requests = rate(a->requests, b->requests, ms) };
}
