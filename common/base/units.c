/* Durations and sizes as people write them. */
#include "common/base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	uint64_t ms;
} units[] = {
	{ "h", 3600000 },
	{ "m", 60000 },
	{ "s", 1000 },
	{ "ms", 1 },
};

#define UNITS (sizeof(units) / sizeof(units[0]))

/* Read a decimal number and step over it. -1: no digit, or too large. */
static int
number(const char **s, uint64_t *v)
{
	uint64_t sum = 0;
	const char *p = *s;

	for (; *p >= '0' && *p <= '9'; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (sum > (UINT64_MAX - digit) / 10)
			return -1;
		sum = sum * 10 + digit;
	}
	if (p == *s)
		return -1;
	*s = p;
	*v = sum;
	return 0;
}

/* The longest unit at s, but none before `from`; UNITS if there is none. */
static size_t
unit_at(const char *s, size_t from)
{
	size_t n = strspn(s, "hms");

	for (size_t i = from; i < UNITS; i++) {
		if (n == strlen(units[i].name) &&
		    strncmp(s, units[i].name, n) == 0)
			return i;
	}
	return UNITS;
}

int
units_duration(uint64_t *ms, const char *s)
{
	uint64_t sum = 0, v;
	size_t next = 0, unit;

	if (strcmp(s, "0") == 0) {
		*ms = 0;
		return 0;
	}
	do {
		if (number(&s, &v) == -1)
			return -1;
		unit = unit_at(s, next);
		if (unit == UNITS || v > UNITS_DURATION_MAX / units[unit].ms)
			return -1;
		sum += v * units[unit].ms;
		if (sum > UNITS_DURATION_MAX)
			return -1;
		s += strlen(units[unit].name);
		next = unit + 1;
	} while (*s != '\0');
	*ms = sum;
	return 0;
}

int
units_size(uint64_t *bytes, const char *s)
{
	static const char suffixes[] = "kKmMgG";
	const char *suffix;
	uint64_t v;
	unsigned int shift = 0;

	if (number(&s, &v) == -1)
		return -1;
	if (*s != '\0') {
		suffix = strchr(suffixes, *s);
		if (suffix == NULL || s[1] != '\0')
			return -1;
		shift = 10 * (unsigned int)((suffix - suffixes) / 2 + 1);
	}
	if (v > UINT64_MAX >> shift)
		return -1;
	*bytes = v << shift;
	return 0;
}

char *
units_duration_text(char dst[UNITS_TEXT], uint64_t ms)
{
	size_t used = 0;

	memcpy(dst, "0", 2);
	for (size_t i = 0; i < UNITS && used < UNITS_TEXT; i++) {
		uint64_t v = ms / units[i].ms;

		ms %= units[i].ms;
		if (v == 0)
			continue;
		used += (size_t)snprintf(dst + used, UNITS_TEXT - used,
		    "%llu%s", (unsigned long long)v, units[i].name);
	}
	return dst;
}
