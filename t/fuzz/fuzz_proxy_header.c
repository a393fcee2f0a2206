/*
 * Headers of the PROXY protocol: more bytes never change an answer, and the
 * addresses that come out go in again.
 */
#include <stdlib.h>
#include <string.h>

#include "common/net/proxy_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define STEPS 64 /* beginnings that are tried, of a long input */

static void
check(const struct proxy_header *h, int rc, size_t n)
{
	uint8_t p[PROXY_HEADER_MADE];
	struct proxy_header again;
	size_t len;

	if (rc == 0 && n >= PROXY_HEADER_MAX)
		abort();
	if (rc != 1)
		return;
	if (h->n > n || h->n > PROXY_HEADER_MAX)
		abort();
	for (int v = PROXY_V1; h->known && v <= PROXY_V2; v++) {
		len = proxy_header_make(
		    p, (enum proxy_version)v, &h->peer, &h->local);
		if (proxy_header_parse(&again, p, len) != 1 || again.n != len ||
		    !again.known || !addr_equal(&again.peer, &h->peer) ||
		    !addr_equal(&again.local, &h->local))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct proxy_header was, is;
	size_t step = n / STEPS + 1;
	int before = 0, rc;

	memset(&was, 0, sizeof(was));
	for (size_t k = 0;; k = k + step < n ? k + step : n) {
		uint8_t *p = malloc(k + 1);

		memcpy(p + 1, data, k);
		rc = proxy_header_parse(&is, p + 1, k);
		free(p);
		check(&is, rc, k);
		if (before != 0 &&
		    (rc != before || (rc == 1 && is.n != was.n) ||
			(rc == 1 && is.known != was.known)))
			abort();
		before = rc;
		was = is;
		if (k == n)
			break;
	}
	return 0;
}
