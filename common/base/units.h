/*
 * Durations and sizes as people write them: "30s", "1h30m", "16K".
 */
#ifndef UNITS_H
#define UNITS_H

#include <stdint.h>

#define UNITS_DURATION_MAX (UINT64_C(366) * 24 * 3600 * 1000) /* ms */
#define UNITS_TEXT 32

/*
 * Parse a duration into milliseconds: one or more of NUMBER and unit, units
 * h, m, s, ms in falling order, each at most once, nothing between ("1h30m",
 * "500ms"); or "0". At most UNITS_DURATION_MAX. Returns 0, or -1 with *ms
 * untouched.
 */
int units_duration(uint64_t *ms, const char *s);

/*
 * Parse a size into bytes: a decimal number, and K, M or G (either case) for
 * 1024, 1024^2, 1024^3. Returns 0, or -1 if it is malformed or does not fit.
 */
int units_size(uint64_t *bytes, const char *s);

/* The shortest text that units_duration() reads as ms, to dst. Returns dst. */
char *units_duration_text(char dst[UNITS_TEXT], uint64_t ms);

#endif
