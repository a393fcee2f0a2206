/* The answers that we give ourselves. */
#include "common/http/page.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/buf.h"

#define BODY_MAX (PAGE_TEXT_MAX * 2 * 6 + 256) /* an escape has 6 bytes */

static const struct {
	int status;
	const char *reason;
	const char *sentence;
} known[] = {
	{ 308, "Permanent Redirect", "this site is served over https" },
	{ 400, "Bad Request", "the request is malformed or ambiguous" },
	{ 401, "Unauthorized", "this service asks for credentials" },
	{ 403, "Forbidden", "access to this service is not allowed" },
	{ 404, "Not Found", "no client holds this name" },
	{ 405, "Method Not Allowed", "this method is not taken here" },
	{ 407, "Proxy Authentication Required",
	    "this service asks for a token in Proxy-Authorization" },
	{ 408, "Request Timeout", "the request did not arrive in time" },
	{ 413, "Content Too Large", "the request is too large" },
	{ 417, "Expectation Failed", "the request expects what we cannot do" },
	{ 421, "Misdirected Request",
	    "this connection does not lead to the host that was asked for" },
	{ 429, "Too Many Requests", "too many connections from this address" },
	{ 431, "Request Header Fields Too Large",
	    "the head of the request is too large" },
	{ 500, "Internal Server Error", "something went wrong here" },
	{ 501, "Not Implemented", "the request uses an unknown coding" },
	{ 502, "Bad Gateway",
	    "the service did not accept the connection or gave no valid "
	    "answer" },
	{ 503, "Service Unavailable",
	    "the client of this name is away or at its limit; try again" },
	{ 504, "Gateway Timeout", "the service did not answer in time" },
	{ 505, "HTTP Version Not Supported",
	    "only HTTP/1.0 and HTTP/1.1 are spoken here" },
};

#define NKNOWN (sizeof(known) / sizeof(known[0]))

static size_t
find(int status)
{
	size_t i = 0;

	while (i < NKNOWN && known[i].status != status)
		i++;
	return i;
}

const char *
page_reason(int status)
{
	size_t i = find(status);

	return i < NKNOWN ? known[i].reason : "Error";
}

static void
put_string(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

static const char *
html_escape(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

static const char *
json_escape(char c)
{
	if (c == '"')
		return "\\\"";
	return c == '\\' ? "\\\\" : NULL;
}

/* At most PAGE_TEXT_MAX bytes of s; what is not printable ASCII as "?". */
static void
put_escaped(struct buf *b, const char *s, bool json)
{
	for (size_t i = 0; i < PAGE_TEXT_MAX && s[i] != '\0'; i++) {
		char c = s[i];
		const char *escape = json ? json_escape(c) : html_escape(c);

		if (escape != NULL)
			put_string(b, escape);
		else
			buf_put_u8(b,
			    c >= ' ' && c < 0x7f ? (uint8_t)c : (uint8_t)'?');
	}
}

static void
put_sentence(struct buf *b, const struct page *page)
{
	size_t i = find(page->status);
	const char *text = page->text;

	if (text == NULL)
		text = i < NKNOWN ? known[i].sentence : "no answer";
	put_string(b, "ptpd: ");
	put_escaped(b, text, page->json);
	if (page->name != NULL) {
		put_string(b, ": ");
		put_escaped(b, page->name, page->json);
	}
}

static void
put_body(struct buf *b, const struct page *page)
{
	char title[64];

	if (page->json) {
		snprintf(title, sizeof(title),
		    "{\"status\": %d, \"error\": ", page->status);
		put_string(b, title);
		put_string(b, "\"");
		put_string(b, page_reason(page->status));
		put_string(b, "\", \"message\": \"");
		put_sentence(b, page);
		put_string(b, "\"}\n");
		return;
	}
	snprintf(title, sizeof(title), "%d %s", page->status,
	    page_reason(page->status));
	put_string(b, "<!DOCTYPE html>\n<html><head><title>");
	put_string(b, title);
	put_string(b, "</title></head>\n<body><h1>");
	put_string(b, title);
	put_string(b, "</h1>\n<p>");
	put_sentence(b, page);
	put_string(b, "</p></body></html>\n");
}

size_t
page_make(char *out, size_t cap, const struct page *page)
{
	char body[BODY_MAX], head[256];
	struct buf b, o;
	size_t n;

	buf_write(&b, body, sizeof(body));
	put_body(&b, page);
	n = buf_used(&b);
	snprintf(head, sizeof(head),
	    "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
	    "Cache-Control: no-store\r\n%s",
	    page->status, page_reason(page->status),
	    page->json ? "application/json" : "text/html; charset=utf-8", n,
	    page->keepalive ? "" : "Connection: close\r\n");

	buf_write(&o, out, cap);
	put_string(&o, head);
	if (page->fields != NULL && strlen(page->fields) <= PAGE_FIELDS_MAX)
		put_string(&o, page->fields);
	put_string(&o, "\r\n");
	if (!page->head_only)
		buf_put(&o, body, n);
	return buf_ok(&b) && buf_ok(&o) ? buf_used(&o) : 0;
}

/* Whether v holds s, case-blind. */
static bool
holds(struct head_view v, const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i + n <= v.n; i++)
		if (strncasecmp(v.p + i, s, n) == 0)
			return true;
	return false;
}

bool
page_wants_json(const struct head *h)
{
	struct head_view v;

	return head_known(h, HEAD_ID_ACCEPT, &v) == 1 &&
	    (holds(v, "application/json") || holds(v, "+json")) &&
	    !holds(v, "text/html");
}
