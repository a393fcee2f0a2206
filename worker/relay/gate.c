/* Who may use a service. */
#include "worker/relay/gate.h"

#include <string.h>

#include "common/crypto/gate.h"
#include "common/http/credential.h"

#define CHALLENGE_BASIC \
	"WWW-Authenticate: Basic realm=\"ptp\", charset=\"UTF-8\"\r\n"
#define CHALLENGE_TOKEN \
	CHALLENGE_BASIC "WWW-Authenticate: Bearer realm=\"ptp\"\r\n"
#define CHALLENGE_FIELD "WWW-Authenticate: X-Ptp-Token realm=\"ptp\"\r\n"
#define CHALLENGE_PROXY                               \
	"Proxy-Authenticate: Basic realm=\"ptp\"\r\n" \
	"Proxy-Authenticate: Bearer realm=\"ptp\"\r\n"

/* Deny first; a list that allows leaves out who is not in it. */
static bool
may_come_from(const struct service *sv, const struct addr *user)
{
	if (user->family == ADDR_ANY)
		return sv->ndeny == 0 && sv->nallow == 0;
	if (addr_blocks_have(sv->deny, sv->ndeny, user))
		return false;
	return sv->nallow == 0 || addr_blocks_have(sv->allow, sv->nallow, user);
}

/* Opaque bytes would pass what is checked or changed in each request. */
static bool
wants_requests(const struct service *sv)
{
	return sv->has_basic || (sv->flags & SERVICE_EDITS) != 0;
}

/* What a client sent is compared with the hash of it; "" is no secret. */
static bool
matches(const struct service *sv, const char *id, const uint8_t want[GATE_HASH],
    bool has, struct head_view secret)
{
	uint8_t hash[GATE_HASH];

	if (!has || secret.n == 0)
		return false;
	gate_hash(hash, id, sv->index, secret.p, secret.n);
	return gate_equal(hash, want);
}

static struct gate_verdict
refuse(int status, const char *fields, const char *text)
{
	return (struct gate_verdict){
		.status = status, .text = text, .fields = fields
	};
}

/* The token in X-Ptp-Token or, if that is not there, in the field `id`. */
static int
find_token(struct credential *c, const struct head *h, enum head_id id,
    struct head_view *token)
{
	struct head_view v;
	int found;

	if ((found = head_known(h, HEAD_ID_X_PTP_TOKEN, token)) != 0)
		return found;
	if (id == HEAD_ID_X_PTP_TOKEN || (found = head_known(h, id, &v)) != 1)
		return found;
	if (credential_parse(c, v) == -1)
		return 0; /* it is none of ours */
	*token = credential_token(c);
	return 1;
}

/* Check the token of a private service; `id` is the field of the request. */
static struct gate_verdict
check_token(const struct service *sv, const char *client, const struct head *h,
    enum head_id id, int status, const char *challenge)
{
	bool own = h->seen & HEAD_BIT(HEAD_ID_X_PTP_TOKEN);
	struct gate_verdict v = { .drop = own ? 0 : HEAD_BIT(id) };
	struct credential c = { 0 };
	struct head_view token;
	int found = find_token(&c, h, id, &token);

	if (found == -1)
		v = refuse(400, NULL, NULL);
	else if (found == 0 ||
	    !matches(sv, client, sv->token, sv->has_token, token))
		v = refuse(status, challenge, NULL);
	credential_wipe(&c);
	return v;
}

/* Check user and password of a service with `basic`. */
static struct gate_verdict
check_basic(const struct service *sv, const char *client, const struct head *h)
{
	struct gate_verdict v = { 0 };
	struct credential c = { 0 };
	struct head_view value;
	int found = head_known(h, HEAD_ID_AUTHORIZATION, &value);

	if (found == -1)
		v = refuse(400, NULL, NULL);
	else if (found == 0 || credential_parse(&c, value) == -1 ||
	    c.kind != CREDENTIAL_BASIC ||
	    !matches(sv, client, sv->basic, sv->has_basic,
		(struct head_view){ c.text, c.n }))
		v = refuse(401, CHALLENGE_BASIC, NULL);
	credential_wipe(&c);
	return v;
}

static struct gate_verdict
check_connect(
    const struct service *sv, const char *client, const struct head *h)
{
	if (wants_requests(sv))
		return refuse(
		    403, NULL, "this service takes requests only, no CONNECT");
	if ((sv->flags & SERVICE_PRIVATE) == 0)
		return (struct gate_verdict){ 0 };
	return check_token(
	    sv, client, h, HEAD_ID_PROXY_AUTHORIZATION, 407, CHALLENGE_PROXY);
}

/* With `basic`, Authorization is for that: the token has its own field. */
static struct gate_verdict
check_private(
    const struct service *sv, const char *client, const struct head *h)
{
	if (sv->has_basic)
		return check_token(
		    sv, client, h, HEAD_ID_X_PTP_TOKEN, 401, CHALLENGE_FIELD);
	return check_token(
	    sv, client, h, HEAD_ID_AUTHORIZATION, 401, CHALLENGE_TOKEN);
}

struct gate_verdict
gate_request(const struct service *sv, const char *id, const struct addr *user,
    const struct head *h)
{
	struct gate_verdict v = { 0 }, basic;

	if (!may_come_from(sv, user))
		return refuse(403, NULL, NULL);
	if (h->kind == HEAD_METHOD_CONNECT)
		return check_connect(sv, id, h);
	if (sv->flags & SERVICE_PRIVATE)
		v = check_private(sv, id, h);
	if (v.status == 0 && sv->has_basic) {
		basic = check_basic(sv, id, h);
		if (basic.status != 0)
			return basic;
	}
	v.drop |= GATE_DROP;
	return v;
}

bool
gate_stream(const struct service *sv, const struct addr *user)
{
	return (sv->flags & SERVICE_PRIVATE) == 0 && !wants_requests(sv) &&
	    may_come_from(sv, user);
}

/* "1.2.3.4", "1.2.3.4:80", "::1", "[::1]", "[::1]:80"; ADDR_ANY: no address. */
static struct addr
parse_hop(const char *p, size_t n)
{
	struct addr a = { 0 };
	char text[ADDR_TEXT], *end;

	while (n > 0 && (*p == ' ' || *p == '\t'))
		p++, n--;
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	if (n == 0 || n >= sizeof(text))
		return a;
	memcpy(text, p, n);
	text[n] = '\0';
	if (text[0] == '[') {
		if ((end = strchr(text, ']')) == NULL)
			return a;
		*end = '\0';
		addr_parse_ip(&a, text + 1);
		return a;
	}
	end = strchr(text, ':');
	if (end != NULL && strchr(end + 1, ':') == NULL)
		*end = '\0';
	addr_parse_ip(&a, text);
	return a;
}

/*
 * Go back through one line of addresses. Returns whether one was found that
 * is not trusted, in *a; else *a is the first of the line.
 */
static bool
last_stranger(
    const struct msg_relay_conf *conf, struct head_view line, struct addr *a)
{
	size_t to = line.n, from;

	for (;;) {
		for (from = to; from > 0 && line.p[from - 1] != ',';)
			from--;
		*a = parse_hop(line.p + from, to - from);
		if (a->family == ADDR_ANY ||
		    !addr_blocks_have(conf->trusted, conf->ntrusted, a))
			return true;
		if (from == 0)
			return false;
		to = from - 1;
	}
}

struct addr
gate_user(const struct msg_relay_conf *conf, const struct addr *peer,
    const struct head *h)
{
	struct addr a = *peer;

	if (!(h->seen & HEAD_BIT(HEAD_ID_X_FORWARDED_FOR)) ||
	    !addr_blocks_have(conf->trusted, conf->ntrusted, peer))
		return a;
	for (size_t i = h->nfield; i > 0; i--) {
		if (h->field[i - 1].id == HEAD_ID_X_FORWARDED_FOR &&
		    last_stranger(conf, head_value(h, i - 1), &a))
			break;
	}
	return a;
}
