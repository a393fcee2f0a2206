/*
 * Addresses, blocks, durations and sizes: what parses prints as something
 * that parses to the same, and what decodes encodes to the same bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/addr.h"
#include "common/base/buf.h"
#include "common/base/units.h"

#define TEXT_MAX 255

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(int condition)
{
	if (!condition)
		abort();
}

static void
wire(const uint8_t *data, size_t size)
{
	uint8_t again[ADDR_WIRE + 1];
	struct sockaddr_storage ss;
	struct addr_block k;
	struct addr a, back;
	struct buf b, out;

	buf_read(&b, data, size);
	if (addr_get(&b, &a) == 0) {
		socklen_t n = addr_to_sockaddr(&ss, &a);

		buf_write(&out, again, sizeof(again));
		require(addr_put(&out, &a) == 0);
		require(memcmp(again, data, ADDR_WIRE) == 0);
		require(
		    addr_from_sockaddr(&back, (struct sockaddr *)&ss, n) == 0);
		require(a.family == ADDR_ANY || addr_equal(&a, &back));
	}
	buf_read(&b, data, size);
	if (addr_block_get(&b, &k) == 0) {
		buf_write(&out, again, sizeof(again));
		require(addr_block_put(&out, &k) == 0);
		require(memcmp(again, data, sizeof(again)) == 0);
		require(addr_block_has(&k, &k.net));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char s[TEXT_MAX + 1], text[ADDR_TEXT], unit[UNITS_TEXT];
	struct addr a, back, source;
	struct addr_block k;
	uint64_t v, w;

	wire(data, size);
	if (size > TEXT_MAX)
		size = TEXT_MAX;
	memcpy(s, data, size);
	s[size] = '\0';
	if (addr_parse_listen(&a, s) == 0) {
		require(addr_parse_listen(&back, addr_format(text, &a)) == 0);
		require(addr_equal(&a, &back));
		source = addr_source(&a);
		require(source.port == 0 && source.family == a.family);
	}
	if (addr_parse_ip(&a, s) == 0) {
		require(addr_parse_ip(&back, addr_format_ip(text, &a)) == 0);
		require(addr_equal(&a, &back));
	}
	if (addr_block_parse(&k, s) == 0)
		require(addr_block_has(&k, &k.net));
	if (units_duration(&v, s) == 0) {
		require(v <= UNITS_DURATION_MAX);
		require(units_duration(&w, units_duration_text(unit, v)) == 0);
		require(v == w);
	}
	if (units_size(&v, s) == 0)
		require(size > 0);
	return 0;
}
