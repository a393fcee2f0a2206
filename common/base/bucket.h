/*
 * A token bucket: how many bytes may pass now, if so many may in a second.
 * Pure arithmetic; the caller knows the time, and what to do with a wait.
 *
 * What others have used of the same rate is taken out as well
 * (bucket_charge), so that several processes keep one rate together.
 */
#ifndef BUCKET_H
#define BUCKET_H

#include <stddef.h>
#include <stdint.h>

#define BUCKET_RATE_MAX (UINT64_C(1) << 40) /* bytes per second */
#define BUCKET_BURST_MS 100		    /* of the rate may pass at once, */
#define BUCKET_BURST_MIN 512		    /* and so many bytes anyway */
#define BUCKET_DEBT_MS 1000 /* of the rate may others have used in advance */

struct bucket {
	uint64_t rate;	/* bytes per second, 0: any number */
	int64_t tokens; /* bytes that may pass */
	uint64_t at;	/* when they were counted, microseconds */
	uint32_t part;	/* of a token, in millionths */
};

/* Begin, or go on with another rate (at most BUCKET_RATE_MAX), full or less. */
void bucket_set(struct bucket *b, uint64_t rate, uint64_t now_us);

/* How many of `want` bytes may pass now. */
size_t bucket_room(struct bucket *b, size_t want, uint64_t now_us);

/* n bytes have passed, here or elsewhere: a debt of BUCKET_DEBT_MS at most. */
void bucket_charge(struct bucket *b, uint64_t n);

/* The same for a piece that passes whole, and is paid for whole. */
void bucket_charge_whole(struct bucket *b, uint32_t n);

/* Microseconds until n bytes (or as many as ever at once) may pass. */
uint64_t bucket_wait(struct bucket *b, size_t n, uint64_t now_us);

#endif
