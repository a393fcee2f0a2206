/*
 * Requests and answers of a rewritten connection, cut anywhere. The input is
 * a list of pieces {direction and length, one byte; bytes}. Then all of one
 * direction's bytes go through another one in one piece: what has gone on is
 * the same, as far as the first got.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/engine/edit.h"
#include "client/engine/rules.h"

#define DOWN 0x80 /* the piece comes from the service */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A piece whose memory ends where it ends. */
static int
feed(struct edit *e, const uint8_t *p, size_t n, struct outq *out, bool *go_on)
{
	uint8_t *copy;
	int ret;

	if ((copy = malloc(n + 1)) == NULL)
		abort();
	memcpy(copy, p, n);
	ret = out != NULL ? edit_request(e, copy, n, out)
			  : edit_response(e, copy, n, go_on);
	free(copy);
	return ret;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char cookie[] = "Cookie";
	struct rules rules = { .conf = { .host = "local:1",
				   .nremove = 1,
				   .remove = { cookie } } };
	struct outq pieces = { 0 }, whole = { 0 };
	struct edit *e = edit_new(&rules), *f = edit_new(&rules);
	uint8_t *up = malloc(size + 1);
	size_t nup = 0, len, n;
	bool go_on, answered = false;
	int ret = 0;

	if (e == NULL || f == NULL || up == NULL)
		abort();
	while (size > 1 && ret == 0) {
		len = data[0] & ~DOWN;
		if (len > size - 1)
			len = size - 1;
		go_on = false;
		if ((data[0] & DOWN) != 0) {
			answered = true;
			ret = feed(e, data + 1, len, NULL, &go_on);
			if (ret == 0 && go_on)
				ret = edit_request(e, NULL, 0, &pieces);
		} else {
			memcpy(up + nup, data + 1, len);
			nup += len;
			ret = feed(e, data + 1, len, &pieces, NULL);
		}
		data += 1 + len;
		size -= 1 + len;
	}
	if (!answered && feed(f, up, nup, &whole, NULL) == 0) {
		n = outq_left(&pieces);
		if (ret != 0 || n != outq_left(&whole) ||
		    (n > 0 &&
			memcmp(pieces.p + pieces.head, whole.p + whole.head,
			    n) != 0))
			abort();
	}
	edit_free(e);
	edit_free(f);
	outq_free(&pieces);
	outq_free(&whole);
	free(up);
	return 0;
}
