/*
 * The first bytes of any connection, as an edge judges them: given once, a
 * verdict stays, whatever follows; and the name in it goes by the rules. The
 * first byte picks the field that carries the name, the role, and whether a
 * header of the PROXY protocol comes first.
 */
#include <stdlib.h>
#include <string.h>

#include "worker/edge/verdict.h"

#define STEPS 256 /* beginnings that are tried, about */
#define LIMIT 512 /* so that heads that are too long come up soon */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_name(const struct verdict *v)
{
	char again[HOST_NAME_SIZE];
	size_t n = strnlen(v->name, sizeof(v->name));

	if (n == 0 || n == sizeof(v->name) ||
	    host_called(again, 0, v->name, n) == -1 ||
	    strcmp(again, v->name) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct verdict was, is;
	static struct head h;
	struct verdict_rules rules = { .head_max = LIMIT,
		.mux_header = "Host" };

	uint8_t flags = 0;
	size_t most, step;

	if (n == 0)
		return 0;
	if ((data[0] & 1) != 0)
		rules.mux_header = "X-Applet";
	rules.sni = (data[0] & 2) != 0;
	if ((data[0] & 4) != 0)
		flags = EDGE_PROXIED;
	most = verdict_bytes(&rules, flags);
	step = n / STEPS + 1;
	memset(&was, 0, sizeof(was));
	for (size_t k = 1; k < n && k <= most + 8; k += step) {
		uint8_t *p = malloc(k);

		memcpy(p, data + 1, k);
		verdict_give(&is, &h, &rules, flags, p, k);
		free(p);
		if (was.kind != 0 &&
		    (is.kind != was.kind || is.end != was.end ||
			is.status != was.status || is.alert != was.alert ||
			is.proxy.n != was.proxy.n || is.range != was.range ||
			strcmp(is.name, was.name) != 0))
			abort();
		if (is.kind == 0 && k >= most)
			abort();
		was = is;
	}
	if (was.kind == VERDICT_ROUTE)
		check_name(&was);
	return 0;
}
