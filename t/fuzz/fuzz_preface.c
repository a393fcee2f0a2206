/*
 * The first bytes of a client: judged the same however they are cut, and what
 * was understood writes itself again; so does the prologue that it goes into.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/tunnel/preface.h"
#include "common/tunnel/prologue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t again[PREFACE_MAX], out[PROLOGUE_MAX];
	struct preface f;
	int was = 0, is = 0;

	for (size_t k = 0; k <= n && k <= PREFACE_MAX + 2; k++) {
		uint8_t *p = malloc(k + 1);

		memcpy(p, data, k);
		is = preface_parse(&f, p, k);
		free(p);
		if (was != 0 && is != was)
			abort();
		if (is > (int)k || (is == 0 && k >= PREFACE_MAX))
			abort();
		was = is;
	}
	if (is > 0) {
		size_t len = (size_t)is;

		if (preface_make(again, &f) != len ||
		    memcmp(again, data, len) != 0)
			abort();
		if (n > len &&
		    prologue_make(out, data, len, data[len], data + len + 1,
			n - len - 1) > sizeof(out))
			abort();
	}
	return 0;
}
