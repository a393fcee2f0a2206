/*
 * Fuzz target of walk.c: however the bytes are cut, and whether what can be
 * foreseen is walked or skipped, the same messages come out. First byte: a
 * request or response walk, and what was asked; second: a seed of the cuts.
 */
#include <stdlib.h>
#include <string.h>

#include "common/http/walk.h"

#define MAX 512
#define LOG_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What came out: every event, with the bytes of runs added up. */
struct log {
	struct {
		unsigned event;
		size_t len;
	} entry[LOG_MAX];
	size_t n;
};

static void
note(struct log *l, unsigned event, size_t len)
{
	if (l->n > 0 && l->entry[l->n - 1].event == event &&
	    (event == WALK_BODY || event == WALK_OPAQUE)) {
		l->entry[l->n - 1].len += len;
		return;
	}
	if (l->n == LOG_MAX)
		return;
	l->entry[l->n].event = event;
	l->entry[l->n++].len = len;
}

static void
ask(struct walk *w, uint8_t mode)
{
	if (mode & 1)
		walk_expect(w, (enum head_method)(mode / 2 % 5), mode & 0x40);
}

/* Move the bytes that are foreseen without a look at them. */
static size_t
skip(struct walk *w, size_t n, struct log *l)
{
	uint64_t left = walk_left(w);
	size_t k = n < left ? n : (size_t)left;

	if (k == 0)
		return 0;
	note(l, walk_is_opaque(w) ? WALK_OPAQUE : WALK_BODY, k);
	walk_skip(w, k);
	return k;
}

/* After an event: what an owner does. */
static void
answer(struct walk *w, uint8_t mode, enum walk_event event)
{
	if (event == WALK_END)
		ask(w, mode);
	if (event == WALK_HOLD && (mode & 0x80))
		walk_opaque(w);
	else if (event == WALK_HOLD)
		walk_resume(w);
}

/* Walk on over what there is; returns how many bytes were taken. */
static size_t
run(struct walk *w, uint8_t mode, const uint8_t *p, size_t n, bool skips,
    struct log *l)
{
	struct head head;
	size_t taken = 0, len;

	for (;;) {
		enum walk_event event;
		bool foreseen;

		if (skips)
			taken += skip(w, n - taken, l);
		foreseen = walk_left(w) > 0 && n > taken;
		event = walk_step(w, p + taken, n - taken, &len, &head);
		if (len > n - taken ||
		    (foreseen && event != WALK_BODY && event != WALK_OPAQUE))
			abort();
		if (event == WALK_MORE)
			return taken;
		note(
		    l, event, event == WALK_BAD ? (size_t)walk_status(w) : len);
		taken += len;
		if (event == WALK_BAD)
			return taken;
		answer(w, mode, event);
	}
}

/* seed 0: not cut at all, and nothing skipped. */
static void
walk_cut(
    const uint8_t *data, size_t n, uint8_t mode, unsigned seed, struct log *l)
{
	struct walk w;
	size_t from = 0, upto = 0;

	l->n = 0;
	if (mode & 1)
		walk_init_response(&w, MAX);
	else
		walk_init_request(&w, MAX);
	ask(&w, mode);
	do {
		uint8_t *piece;

		upto += seed == 0 ? n : 1 + (seed >> 16) % 40;
		seed = seed == 0 ? 0 : (seed * 1103515245 + 12345) | 1;
		if (upto > n)
			upto = n;
		/* A copy of its own: reading behind it is seen. */
		piece = malloc(upto - from + 1);
		memcpy(piece + 1, data + from, upto - from);
		from += run(&w, mode, piece + 1, upto - from, seed & 2, l);
		free(piece);
		if (walk_status(&w) != 0)
			return;
	} while (upto < n);
	note(l, 100 + (unsigned)walk_eof(&w), n - from);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct log whole, cut;
	uint8_t mode;

	if (n < 2)
		return 0;
	mode = data[0];
	walk_cut(data + 2, n - 2, mode, data[1] + 1u, &cut);
	walk_cut(data + 2, n - 2, mode, 0, &whole);
	if (whole.n != cut.n ||
	    memcmp(whole.entry, cut.entry, whole.n * sizeof(*cut.entry)) != 0)
		abort();
	return 0;
}
