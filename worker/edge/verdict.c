/* Where a new connection belongs, by its first bytes. */
#include "worker/edge/verdict.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "common/base/text.h"
#include "common/http/peek.h"

static void
refuse(struct verdict *v, int status, const char *text)
{
	v->kind = VERDICT_REFUSE;
	v->status = (uint16_t)status;
	v->text = text;
}

static void
drop(struct verdict *v, enum msg_end end)
{
	v->kind = VERDICT_DROP;
	v->end = (uint8_t)end;
}

static void
judge_preface(struct verdict *v, const uint8_t *p, size_t n)
{
	int rc = preface_parse(&v->preface, p, n);

	if (rc > 0) {
		v->kind = VERDICT_TUNNEL;
	} else if (rc == -1 && errno == EPROTONOSUPPORT) {
		refuse(v, 505, NULL);
		v->range = true;
	} else if (rc == -1) {
		drop(v, END_GARBAGE);
	}
}

int
verdict_name(char name[HOST_NAME_SIZE], const struct head *h,
    const struct verdict_rules *rules)
{
	struct head_view v;

	if (strcasecmp(rules->mux_header, "Host") == 0 ||
	    h->kind == HEAD_METHOD_CONNECT)
		return host_called(name, 0, h->host.p, h->host.n) == 0 ? 0
								       : 400;
	if (head_find(h, rules->mux_header, &v) != 1 || v.n == 0)
		return 400;
	return text_label(name, v.p, v.n) == 0 ? 0 : 404;
}

static void
judge_request(struct verdict *v, struct head *h,
    const struct verdict_rules *rules, const char *p, size_t n)
{
	int rc = head_parse_request(h, p, n, rules->head_max);

	if (rc == 0)
		return;
	if (rc < 0)
		refuse(v, -rc, NULL);
	else if ((rc = verdict_name(v->name, h, rules)) == 400)
		refuse(v, rc, "the request names no host");
	else if (rc != 0)
		refuse(v, rc, NULL);
	else
		v->kind = VERDICT_ROUTE;
}

static void
alert(struct verdict *v, uint8_t description)
{
	v->kind = VERDICT_REFUSE;
	v->alert = description;
}

static void
judge_hello(struct verdict *v, const uint8_t *p, size_t n)
{
	struct hello h;
	int rc = hello_parse(&h, p, n);

	if (rc == 0) {
		v->need = h.need;
	} else if (rc == -1) {
		alert(v, h.alert);
	} else if (h.name[0] == '\0') {
		alert(v, ALERT_MISSING_EXTENSION); /* RFC 8446, 9.2 */
	} else {
		v->kind = VERDICT_ROUTE;
		strcpy(v->name, h.name);
	}
}

static void
judge_tls(struct verdict *v, const struct verdict_rules *rules,
    const uint8_t *p, size_t n)
{
	if (rules->sni)
		judge_hello(v, p, n);
	else
		refuse(v, 400, "this port speaks HTTP, not HTTPS");
}

static void
judge_http(struct verdict *v, struct head *h, const struct verdict_rules *rules,
    const void *p, size_t n)
{
	if (rules->sni)
		refuse(v, 400, "this port speaks HTTPS, not HTTP");
	else
		judge_request(v, h, rules, p, n);
}

/*
 * Take the header that a PROXIED connection begins with. 1: *p and *n are
 * behind it, or there is none to be taken; 0: it is not whole; -1: not one.
 */
static int
take_proxy(struct verdict *v, uint8_t flags, const uint8_t **p, size_t *n)
{
	int rc;

	if ((flags & EDGE_PROXIED) == 0)
		return 1;
	rc = proxy_header_parse(&v->proxy, *p, *n);
	if (rc != 1) {
		memset(&v->proxy, 0, sizeof(v->proxy));
		return rc;
	}
	*p += v->proxy.n;
	*n -= v->proxy.n;
	return 1;
}

void
verdict_give(struct verdict *v, struct head *h,
    const struct verdict_rules *rules, uint8_t flags, const void *bytes,
    size_t n)
{
	const uint8_t *p = bytes;
	int rc;

	memset(v, 0, sizeof(*v));
	if ((rc = take_proxy(v, flags, &p, &n)) <= 0) {
		if (rc == -1)
			drop(v, END_GARBAGE);
		return;
	}
	switch (peek_kind(p, n)) {
	case PEEK_MORE:
		return;
	case PEEK_TUNNEL:
		judge_preface(v, p, n);
		return;
	case PEEK_HTTP:
		judge_http(v, h, rules, p, n);
		return;
	case PEEK_TLS:
		judge_tls(v, rules, p, n);
		if (v->need > 0)
			v->need += v->proxy.n;
		return;
	case PEEK_BAD:
		break;
	}
	drop(v, END_GARBAGE);
}

void
verdict_late(struct verdict *v, const struct verdict_rules *rules,
    uint8_t flags, const void *bytes, size_t n, bool ended)
{
	enum peek kind = PEEK_MORE;
	const uint8_t *p = bytes;

	memset(v, 0, sizeof(*v));
	if (take_proxy(v, flags, &p, &n) == 1)
		kind = peek_kind(p, n);
	if (kind == PEEK_HTTP && !rules->sni && ended)
		refuse(v, 400, "the request is incomplete");
	else if (kind == PEEK_HTTP && !rules->sni)
		refuse(v, 408, NULL);
	else if (kind == PEEK_TLS && rules->sni && ended)
		alert(v, ALERT_DECODE_ERROR);
	else
		drop(v, ended ? END_GARBAGE : END_TIMEOUT);
}

size_t
verdict_bytes(const struct verdict_rules *rules, uint8_t flags)
{
	/* One more than a head may have: so that too long is seen as such. */
	size_t n = rules->sni ? HELLO_MAX : rules->head_max + 1;

	return (flags & EDGE_PROXIED) != 0 ? n + PROXY_HEADER_MAX : n;
}
