/*
 * Names of services: what a client asks for, what a user calls. What is
 * understood has one form, which is understood as itself.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/service_name.h"
#include "common/http/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_asked(const char *p, size_t n)
{
	char dst[TEXT_NAME_MAX + 1], again[TEXT_NAME_MAX + 1];
	int kind = service_name_parse(dst, p, n);

	if (kind == -1)
		return;
	if (service_name_parse(again, dst, strlen(dst)) != kind ||
	    strcmp(dst, again) != 0)
		abort();
}

static void
check_called(const char *p, size_t n)
{
	char dst[HOST_NAME_SIZE], again[HOST_NAME_SIZE];
	char wider[TEXT_NAME_MAX + 1];
	const char *at = dst;

	if (host_called(dst, 80, p, n) == -1)
		return;
	if (host_called(again, 80, dst, strlen(dst)) == -1 ||
	    strcmp(dst, again) != 0)
		abort();
	while (service_name_wider(wider, &at) != NULL) {
		if (strlen(wider) > TEXT_NAME_MAX)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *p = malloc(n);

	if (p == NULL)
		return 0;
	memcpy(p, data, n);
	check_asked(p, n);
	check_called(p, n);
	free(p);
	return 0;
}
