/*
 * Fuzz target of rewrite.c: what comes out is again a head that we take, of
 * the same framing, for the host that was asked for, without what was to go.
 * First byte: the rules; second: a response to close, if odd.
 */
#include <stdlib.h>
#include <string.h>

#include "common/http/rewrite.h"

#define MAX 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static const char *const removed[] = { "Cookie", "X-Forwarded-Host", "Host",
	"content-length" };

static struct rewrite
rules_of(uint8_t bits)
{
	struct rewrite rw = { 0 };

	rw.host = bits & 1 ? "new.example:8080" : NULL;
	rw.strip_forwarded = bits & 2;
	rw.xff = bits & 4 ? "192.0.2.1" : NULL;
	rw.xfp = bits & 8 ? "https" : NULL;
	rw.xfh = bits & 16 ? "h" : NULL;
	rw.drop = bits & 32
	    ? HEAD_BIT(HEAD_ID_X_PTP_TOKEN) | HEAD_BIT(HEAD_ID_AUTHORIZATION)
	    : 0;
	rw.remove = removed;
	rw.nremove = bits & 64 ? 4 : 0;
	return rw;
}

static bool
same_view(struct head_view a, struct head_view b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static bool
holds(const struct head *h, uint32_t bits)
{
	return (h->seen & bits) != 0;
}

/* By an eye of its own: how many names look like X-Forwarded-. */
static int
forwarded_names(const struct head *h)
{
	static const char family[] = "x-forwarded-";
	int found = 0;

	for (size_t i = 0; i < h->nfield; i++) {
		const char *name = h->p + h->field[i].name;
		size_t k = 0;

		while (k < sizeof(family) - 1 &&
		    ((name[k] | 0x20) == family[k] ||
			(family[k] == '-' &&
			    (name[k] == '-' || name[k] == '_'))))
			k++;
		found += k == sizeof(family) - 1;
	}
	return found;
}

static void
check_forwarded(const struct head *h, const struct rewrite *rw)
{
	struct head_view v;

	if (rw->strip_forwarded) {
		must(forwarded_names(h) ==
		    (rw->xff != NULL) + (rw->xfp != NULL) +
			(rw->xfh != NULL && rw->nremove == 0));
		must(!holds(h,
		    HEAD_BIT(HEAD_ID_FORWARDED_TWIN) |
			HEAD_BIT(HEAD_ID_FORWARDED) |
			HEAD_BIT(HEAD_ID_X_REAL_IP) |
			HEAD_BIT(HEAD_ID_X_FORWARDED_OTHER)));
		must(holds(h, HEAD_BIT(HEAD_ID_X_FORWARDED_PROTO)) ==
		    (rw->xfp != NULL));
	}
	if (rw->xff != NULL) {
		must(head_known(h, HEAD_ID_X_FORWARDED_FOR, &v) == 1);
		must(v.n >= strlen(rw->xff) &&
		    memcmp(v.p + v.n - strlen(rw->xff), rw->xff,
			strlen(rw->xff)) == 0);
	}
	if (rw->nremove > 0)
		must(!holds(h, HEAD_BIT(HEAD_ID_X_FORWARDED_HOST)));
}

static void
check_request(
    const struct head *was, const struct head *is, const struct rewrite *rw)
{
	must(is->body == was->body && is->length == was->length);
	must(is->keepalive == was->keepalive && is->upgrade == was->upgrade);
	must(is->expect_continue == was->expect_continue);
	must(is->minor == was->minor && is->kind == was->kind);
	must(same_view(is->method, was->method) && !is->absolute);
	must((is->seen & rw->drop) == 0);
	if (rw->host != NULL && was->kind != HEAD_METHOD_CONNECT)
		must(head_view_is(is->host, rw->host));
	else
		must(same_view(is->host, was->host));
	if (!was->absolute)
		must(same_view(is->target, was->target));
	check_forwarded(is, rw);
}

static void
request(const char *p, size_t n, uint8_t bits)
{
	static char out[2 * MAX];
	struct rewrite rw = rules_of(bits);
	struct head was, is;
	ssize_t size;

	if (head_parse_request(&was, p, n, MAX) <= 0)
		return;
	size = rewrite_request(&was, &rw, out, was.size + rewrite_room(&rw));
	must(size > 0);
	if (was.nfield > HEAD_FIELDS - 4)
		return; /* what we add may be one too many */
	must(head_parse_request(&is, out, (size_t)size, 2 * MAX) == size);
	check_request(&was, &is, &rw);
	must(rewrite_request(&was, &rw, out, (size_t)size - 1) == -1);
}

static void
response(const char *p, size_t n)
{
	static char out[2 * MAX];
	struct head was, is;
	ssize_t size;

	if (head_parse_response(&was, p, n, MAX, HEAD_METHOD_GET) <= 0)
		return;
	size = rewrite_response_close(&was, out, was.size + REWRITE_CLOSE_ROOM);
	must(size > 0);
	if (was.nfield == HEAD_FIELDS)
		return;
	must(head_parse_response(
		 &is, out, (size_t)size, 2 * MAX, HEAD_METHOD_GET) == size);
	must(!is.keepalive && is.body == was.body && is.length == was.length &&
	    is.status == was.status);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 2)
		return 0;
	if (data[1] & 1)
		response((const char *)data + 2, n - 2);
	else
		request((const char *)data + 2, n - 2, data[0]);
	return 0;
}
