/* What a head means once its lines are known. */
#include "common/http/judge.h"

#include <string.h>
#include <strings.h>

#include "common/http/host.h"
#include "common/http/value.h"

/* What Connection, over all its lines, and the version say. */
static int
judge_connection(struct head *h)
{
	unsigned options = 0;
	struct head_view v;

	if (h->seen & HEAD_BIT(HEAD_ID_CONNECTION))
		for (size_t i = h->at[HEAD_ID_CONNECTION]; i < h->nfield; i++)
			if (h->field[i].id == HEAD_ID_CONNECTION &&
			    value_connection(head_value(h, i), &options) == -1)
				return -400;
	h->keepalive = !(options & VALUE_CLOSE) &&
	    (h->minor == 1 || (options & VALUE_KEEP_ALIVE));
	h->upgrade = h->minor == 1 && (options & VALUE_UPGRADE) &&
	    head_known(h, HEAD_ID_UPGRADE, &v) == 1 && value_upgrade(v);
	return 0;
}

/* Content-Length and Transfer-Encoding, of which there may be one, once. */
static int
judge_framing(struct head *h)
{
	struct head_view v;
	int coding = head_known(h, HEAD_ID_TRANSFER_ENCODING, &v);
	int length = h->seen & HEAD_BIT(HEAD_ID_CONTENT_LENGTH) ? 1 : 0;

	if (coding == -1 || (coding == 1 && (length == 1 || h->minor == 0)))
		return -400;
	if (coding == 1) {
		h->body = HEAD_BODY_CHUNKED;
		return value_coding(v);
	}
	if (length == 0)
		return 0;
	if (head_known(h, HEAD_ID_CONTENT_LENGTH, &v) != 1 ||
	    value_length(v, &h->length) == -1)
		return -400;
	h->body = h->length > 0 ? HEAD_BODY_LENGTH : HEAD_BODY_NONE;
	return 0;
}

/*
 * scheme://authority and what is behind it (RFC 9112, 3.2.2). Host is to be
 * the same; HTTP/1.0 may come without, then the authority is the host.
 */
static int
judge_absolute(struct head *h)
{
	static const char *const scheme[] = { "http://", "https://" };
	static const uint16_t port[] = { 80, 443 };
	const char *t = h->target.p;
	size_t n = h->target.n, from, to;

	for (int i = 0; i < 2; i++) {
		from = strlen(scheme[i]);
		if (n < from || strncasecmp(t, scheme[i], from) != 0)
			continue;
		for (to = from; to < n && t[to] != '/' && t[to] != '?';)
			to++;
		if (!host_valid(t + from, to - from))
			return -400;
		if (h->host.n > 0 &&
		    !host_same(
			h->host.p, h->host.n, t + from, to - from, port[i]))
			return -400;
		if (h->host.n == 0)
			h->host = (struct head_view){ t + from, to - from };
		h->path = (struct head_view){ t + to, n - to };
		h->absolute = true;
		return 0;
	}
	return -400;
}

/* host:port of a CONNECT; Host may leave the port out. */
static int
judge_authority(struct head *h)
{
	const char *t = h->target.p;
	size_t n = h->target.n;

	/* The colon of a port, not one inside an IPv6 address. */
	if (!host_valid(t, n) || memrchr(t, ':', n) == NULL || t[n - 1] == ']')
		return -400;
	if (h->host.n > 0 && !host_same(h->host.p, h->host.n, t, n, 0))
		return -400;
	h->host = h->target;
	return 0;
}

/* Host and the four forms of a target (RFC 9112, 3.2). */
static int
judge_target(struct head *h)
{
	int found = head_known(h, HEAD_ID_HOST, &h->host);

	if (found == -1 || (found == 0 && h->minor == 1))
		return -400;
	if (found == 1 && !host_valid(h->host.p, h->host.n))
		return -400;
	if (h->kind == HEAD_METHOD_CONNECT)
		return judge_authority(h);
	h->path = h->target;
	if (h->target.p[0] == '/' ||
	    (h->kind == HEAD_METHOD_OPTIONS && head_view_is(h->target, "*")))
		return 0;
	return judge_absolute(h);
}

int
judge_request(struct head *h)
{
	struct head_view v;
	int status;

	if ((status = judge_target(h)) != 0 ||
	    (status = judge_connection(h)) != 0 ||
	    (status = judge_framing(h)) != 0)
		return status;
	if (h->kind == HEAD_METHOD_CONNECT) {
		if (h->body != HEAD_BODY_NONE)
			return -400;
		h->upgrade = false;
	}
	h->expect_continue = h->minor == 1 &&
	    head_known(h, HEAD_ID_EXPECT, &v) == 1 &&
	    head_view_is(v, "100-continue");
	return 0;
}

/*
 * The body of a response (RFC 9112, 6.3). Where there can be none, a field
 * that promises one is refused, but for HEAD and 304, where it tells what a
 * GET would have got.
 */
static int
judge_body(struct head *h, enum head_method asked)
{
	bool promised = h->body != HEAD_BODY_NONE;
	bool switched = h->status == 101 ||
	    (asked == HEAD_METHOD_CONNECT && h->status / 100 == 2);

	if (switched || h->status < 200 || h->status == 204) {
		if (promised)
			return -502;
		h->body = switched ? HEAD_BODY_OPAQUE : HEAD_BODY_NONE;
		return 0;
	}
	if (asked == HEAD_METHOD_HEAD || h->status == 304) {
		h->body = HEAD_BODY_NONE;
		h->length = 0;
	} else if (!promised && !(h->seen & HEAD_BIT(HEAD_ID_CONTENT_LENGTH))) {
		h->body = HEAD_BODY_UNTIL_CLOSE;
		h->keepalive = false;
	}
	return 0;
}

int
judge_response(struct head *h, enum head_method asked)
{
	if (judge_connection(h) != 0 || judge_framing(h) != 0)
		return -502;
	return judge_body(h, asked);
}
