/*
 * Fuzz target of peek.c and host.c: the first bytes decide once and for all,
 * and a name that comes out is one that goes in again.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/http/host.h"
#include "common/http/peek.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_peek(const uint8_t *data, size_t n)
{
	enum peek was = PEEK_MORE;

	for (size_t k = 0; k <= n && k <= 2 * PEEK_BYTES; k++) {
		uint8_t *p = malloc(k + 1);
		enum peek is;

		memcpy(p + 1, data, k);
		is = peek_kind(p + 1, k);
		free(p);
		if (was != PEEK_MORE && is != was)
			abort();
		if (k >= PEEK_BYTES && is == PEEK_MORE)
			abort();
		was = is;
	}
}

/* Enough is enough however it comes, and never too little again. */
static void
check_whole(const uint8_t *data, size_t n)
{
	size_t max = n % 64;
	bool was = false;

	for (size_t k = 1; k <= n && !was; k++) {
		uint8_t *p = malloc(k);

		memcpy(p, data, k);
		was = peek_is_whole(p, k, k - 1, max);
		free(p);
	}
	if (peek_is_whole(data, n, 0, max) != was)
		abort();
}

static void
check_host(const char *p, size_t n)
{
	char name[HOST_NAME_SIZE], again[HOST_NAME_SIZE];
	uint16_t port;

	if (host_name(name, &port, p, n) == -1)
		return;
	if (!host_valid(p, n) || memchr(name, '\0', sizeof(name)) == NULL)
		abort();
	if (host_name(again, NULL, name, strlen(name)) == -1 ||
	    strcmp(name, again) != 0)
		abort();
	if (!host_same(p, n, p, n, 80))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *p = malloc(n + 1);

	check_peek(data, n);
	if (n <= 256)
		check_whole(data, n);
	memcpy(p + 1, data, n);
	check_host(p + 1, n);
	free(p);
	return 0;
}
