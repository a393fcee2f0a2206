/* A token bucket. */
#include "common/base/bucket.h"

#define US_PER_S UINT64_C(1000000)
#define MS_PER_S 1000

static int64_t
burst(const struct bucket *b)
{
	int64_t n = (int64_t)(b->rate / MS_PER_S * BUCKET_BURST_MS);

	return n < BUCKET_BURST_MIN ? BUCKET_BURST_MIN : n;
}

/* Tokens of the time that has passed; what is less than one is not lost. */
static void
refill(struct bucket *b, uint64_t now)
{
	uint64_t missing, passed, sum;

	passed = now > b->at ? now - b->at : 0;
	b->at = now > b->at ? now : b->at;
	/* Below 2^41 bytes, so that no product exceeds 2^62. */
	missing = (uint64_t)(burst(b) - b->tokens) * US_PER_S;
	if (passed > missing / b->rate) {
		b->tokens = burst(b);
		b->part = 0;
		return;
	}
	sum = b->rate * passed + b->part;
	b->tokens += (int64_t)(sum / US_PER_S);
	b->part = (uint32_t)(sum % US_PER_S);
}

void
bucket_set(struct bucket *b, uint64_t rate, uint64_t now_us)
{
	uint64_t before = b->rate;

	b->rate = rate < BUCKET_RATE_MAX ? rate : BUCKET_RATE_MAX;
	if (before == 0)
		b->tokens = burst(b);
	else if (b->tokens > burst(b))
		b->tokens = burst(b);
	b->at = now_us;
}

size_t
bucket_room(struct bucket *b, size_t want, uint64_t now_us)
{
	if (b->rate == 0)
		return want;
	refill(b, now_us);
	if (b->tokens <= 0)
		return 0;
	return (uint64_t)b->tokens < want ? (size_t)b->tokens : want;
}

void
bucket_charge(struct bucket *b, uint64_t n)
{
	int64_t least = -(int64_t)(b->rate / MS_PER_S * BUCKET_DEBT_MS);

	if (b->rate == 0)
		return;
	if (least > -BUCKET_BURST_MIN)
		least = -BUCKET_BURST_MIN;
	if (b->tokens <= least)
		return;
	if (n > (uint64_t)(b->tokens - least))
		b->tokens = least;
	else
		b->tokens -= (int64_t)n;
}

void
bucket_charge_whole(struct bucket *b, uint32_t n)
{
	if (b->rate != 0)
		b->tokens -= n;
}

uint64_t
bucket_wait(struct bucket *b, size_t n, uint64_t now_us)
{
	int64_t want, missing;

	if (b->rate == 0)
		return 0;
	refill(b, now_us);
	want = n < (uint64_t)burst(b) ? (int64_t)n : burst(b);
	missing = want - b->tokens;
	if (missing <= 0)
		return 0;
	return (uint64_t)missing * US_PER_S / b->rate + 1;
}
