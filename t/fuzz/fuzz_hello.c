/*
 * ClientHellos: more bytes never change an answer, what is needed is told
 * truly, and a name is one that a table may hold.
 */
#include <stdlib.h>
#include <string.h>

#include "common/tls/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define STEPS 64 /* beginnings that are tried, of a long input */

static void
check(const struct hello *h, int rc, size_t n)
{
	char again[TEXT_NAME_MAX + 1];

	if (rc == 0 && (h->need <= n || n >= HELLO_MAX || h->need > HELLO_MAX))
		abort();
	if (rc == -1 && h->alert == 0)
		abort();
	if (rc == 1 && h->name[0] != '\0' &&
	    (text_name(again, h->name, strlen(h->name)) == -1 ||
		strcmp(again, h->name) != 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	size_t step = n / STEPS + 1, need = 0;
	struct hello was, is;
	int before = 0, rc;

	memset(&was, 0, sizeof(was));
	for (size_t k = 0;; k = k + step < n ? k + step : n) {
		uint8_t *p = malloc(k + 1);

		memcpy(p + 1, data, k);
		rc = hello_parse(&is, p + 1, k);
		free(p);
		check(&is, rc, k);
		if (before != 0 &&
		    (rc != before || is.alert != was.alert ||
			strcmp(is.name, was.name) != 0))
			abort();
		/* Good news does not come earlier than was said. */
		if (rc == 1 && k < need)
			abort();
		need = is.need;
		before = rc;
		was = is;
		if (k == n)
			break;
	}
	return 0;
}
