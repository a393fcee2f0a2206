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
		return host_name(name, NULL, h->host.p, h->host.n);
	if (head_find(h, rules->mux_header, &v) != 1)
		return -1;
	return text_name(name, v.p, v.n);
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
	else if (verdict_name(v->name, h, rules) == -1)
		refuse(v, 400, "the request names no host");
	else
		v->kind = VERDICT_ROUTE;
}

void
verdict_give(struct verdict *v, struct head *h,
    const struct verdict_rules *rules, const void *p, size_t n)
{
	memset(v, 0, sizeof(*v));
	switch (peek_kind(p, n)) {
	case PEEK_MORE:
		return;
	case PEEK_TUNNEL:
		judge_preface(v, p, n);
		return;
	case PEEK_HTTP:
		judge_request(v, h, rules, p, n);
		return;
	case PEEK_TLS:
		refuse(v, 400, "this port speaks HTTP, not HTTPS");
		return;
	case PEEK_BAD:
		break;
	}
	drop(v, END_GARBAGE);
}
