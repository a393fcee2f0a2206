/*
 * What a client offers and what a server grants. The first byte picks which;
 * what is understood writes itself again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/tunnel/services.h"

#define SPACE 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_services(const uint8_t *p, size_t n, uint8_t *again)
{
	struct services s;
	struct buf b;

	buf_read(&b, p, n);
	if (services_get(&s, &b) == -1)
		return;
	if (s.count > SERVICES_MAX)
		abort();
	for (size_t i = 0; i < s.count; i++)
		if (s.list[i].nnames > SERVICE_NAMES_MAX)
			abort();
	buf_write(&b, again, SPACE);
	if (services_put(&b, &s) == -1 || buf_used(&b) != n ||
	    memcmp(p, again, n) != 0)
		abort();
	services_free(&s);
}

static void
check_granted(const uint8_t *p, size_t n, uint8_t *again)
{
	struct buf in, out;
	struct granted g;
	uint32_t serial;
	uint16_t count;

	buf_read(&in, p, n);
	buf_write(&out, again, SPACE);
	if (granted_get_head(&in, &serial, &count) == -1)
		return;
	granted_put_head(&out, serial, count);
	while (count-- > 0) {
		if (granted_get(&in, &g) == -1)
			return;
		if (granted_put(&out, &g) == -1)
			return; /* more than there is space for */
	}
	if (buf_used(&out) > n || memcmp(p, again, buf_used(&out)) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *p, *again;

	if (n == 0)
		return 0;
	p = malloc(n);
	again = malloc(SPACE);
	memcpy(p, data + 1, n - 1);
	if (data[0] % 2 == 0)
		check_services(p, n - 1, again);
	else
		check_granted(p, n - 1, again);
	free(p);
	free(again);
	return 0;
}
