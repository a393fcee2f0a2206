/* The time that deadlines are counted in: since some point in the past. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

/* Microseconds; never goes back. */
static inline uint64_t
clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* The same in milliseconds. */
static inline uint64_t
clock_ms(void)
{
	return clock_us() / 1000;
}

#endif
