/* Login messages. */
#include "common/tunnel/login.h"

#include <string.h>

#include "common/base/buf.h"

static size_t
finish(const struct buf *b)
{
	return buf_ok(b) ? buf_used(b) : 0;
}

size_t
login_hello_put(uint8_t *out, const struct login_hello *h)
{
	struct buf b;

	buf_write(&b, out, LOGIN_MAX);
	buf_put_cstr8(&b, h->version);
	buf_put_u8(&b, h->ciphers);
	return finish(&b);
}

int
login_hello_get(struct login_hello *h, const uint8_t *p, size_t n)
{
	struct buf b;

	buf_read(&b, p, n);
	buf_get_cstr8(&b, h->version, sizeof(h->version));
	buf_get_u8(&b, &h->ciphers);
	return buf_done(&b) ? 0 : -1;
}

size_t
login_put(uint8_t *out, const struct login *l)
{
	struct buf b;

	buf_write(&b, out, LOGIN_MAX);
	buf_put_u8(&b, l->method);
	buf_put_u8(&b, l->cipher);
	buf_put(&b, l->instance, sizeof(l->instance));
	buf_put_cstr8(&b, l->id);
	buf_put_cstr8(&b, l->version);
	if (l->method == LOGIN_SECRET)
		buf_put(&b, l->ya, sizeof(l->ya));
	if (l->method == LOGIN_PLAIN) {
		buf_put_cstr8(&b, l->secret);
		names_put(&b, &l->asked);
	}
	return finish(&b);
}

/* The id must come as the label that it names, in lower case. */
static bool
is_label(const char *id)
{
	char label[TEXT_LABEL_MAX + 1];

	return text_label(label, id, strlen(id)) == 0 && strcmp(label, id) == 0;
}

int
login_get(struct login *l, const uint8_t *p, size_t n)
{
	struct buf b;

	memset(l, 0, sizeof(*l));
	buf_read(&b, p, n);
	buf_get_u8(&b, &l->method);
	buf_get_u8(&b, &l->cipher);
	buf_get(&b, l->instance, sizeof(l->instance));
	buf_get_cstr8(&b, l->id, sizeof(l->id));
	if (buf_get_cstr8(&b, l->version, sizeof(l->version)) == -1)
		return -1;
	switch (l->method) {
	case LOGIN_SECRET:
		buf_get(&b, l->ya, sizeof(l->ya));
		break;
	case LOGIN_KEY:
		break;
	case LOGIN_PLAIN:
		buf_get_cstr8(&b, l->secret, sizeof(l->secret));
		names_get(&b, &l->asked);
		break;
	default:
		return -1;
	}
	return buf_done(&b) && is_label(l->id) ? 0 : -1;
}

size_t
login_msg_put(uint8_t *out, const struct login_msg *m)
{
	struct buf b;

	buf_write(&b, out, LOGIN_MAX);
	buf_put_u8(&b, m->type);
	switch (m->type) {
	case LOGIN_CHALLENGE:
		buf_put(&b, m->yb, sizeof(m->yb));
		buf_put(&b, m->tag, sizeof(m->tag));
		break;
	case LOGIN_CONFIRM:
		buf_put(&b, m->tag, sizeof(m->tag));
		break;
	case LOGIN_ABORT:
		break;
	case LOGIN_ACCEPTED:
		buf_put_cstr8(&b, m->domain);
		buf_put_u8(&b, m->tunnels);
		break;
	case LOGIN_REFUSED:
		buf_put_u8(&b, m->code);
		buf_put_u32(&b, m->retry);
		break;
	default:
		return 0;
	}
	return finish(&b);
}

int
login_msg_get(struct login_msg *m, const uint8_t *p, size_t n)
{
	struct buf b;

	memset(m, 0, sizeof(*m));
	buf_read(&b, p, n);
	if (buf_get_u8(&b, &m->type) == -1)
		return -1;
	switch (m->type) {
	case LOGIN_CHALLENGE:
		buf_get(&b, m->yb, sizeof(m->yb));
		buf_get(&b, m->tag, sizeof(m->tag));
		break;
	case LOGIN_CONFIRM:
		buf_get(&b, m->tag, sizeof(m->tag));
		break;
	case LOGIN_ABORT:
		break;
	case LOGIN_ACCEPTED:
		buf_get_cstr8(&b, m->domain, sizeof(m->domain));
		buf_get_u8(&b, &m->tunnels);
		break;
	case LOGIN_REFUSED:
		buf_get_u8(&b, &m->code);
		buf_get_u32(&b, &m->retry);
		if (m->code == LOGIN_OK || m->code >= LOGIN_CODES)
			return -1;
		break;
	default:
		return -1;
	}
	return buf_done(&b) ? 0 : -1;
}

static const struct {
	const char *text;
	bool final;
} codes[LOGIN_CODES] = {
	[LOGIN_OK] = { "accepted", false },
	[LOGIN_UNKNOWN_ID] = { "unknown id", true },
	[LOGIN_WRONG_SECRET] = { "wrong secret, or not your server", true },
	[LOGIN_WRONG_KEY] = { "wrong key for this id", true },
	[LOGIN_NEED_SECRET] = { "this id logs in by secret", true },
	[LOGIN_NEED_KEY] = { "this id logs in by key", true },
	[LOGIN_NEED_PLAIN] = { "this id logs in by a secret that must be sent "
			       "to the server, which is not verified yet",
	    true },
	[LOGIN_BUSY] = { "the server is busy", false },
	[LOGIN_LIMIT] = { "over a limit", false },
	[LOGIN_CIPHER] = { "no cipher that both sides allow", true },
	[LOGIN_BAD] = { "malformed login", true },
	[LOGIN_LOCKED] = { "too many failed logins from this address", false },
};

const char *
login_code_text(enum login_code code)
{
	return code < LOGIN_CODES ? codes[code].text : "unknown refusal";
}

bool
login_code_final(enum login_code code)
{
	return code < LOGIN_CODES && codes[code].final;
}

int
login_case_put(uint8_t *out, size_t cap, size_t *n, const struct login_case *c)
{
	struct buf b;

	buf_write(&b, out, cap);
	addr_put(&b, &c->source);
	buf_put(&b, c->h, sizeof(c->h));
	buf_put(&b, c->client_static, sizeof(c->client_static));
	buf_put(&b, c->server_static, sizeof(c->server_static));
	if (buf_put(&b, c->login, c->n) == -1)
		return -1;
	*n = buf_used(&b);
	return 0;
}

int
login_case_get(struct login_case *c, const uint8_t *p, size_t n)
{
	struct buf b;

	buf_read(&b, p, n);
	addr_get(&b, &c->source);
	buf_get(&b, c->h, sizeof(c->h));
	buf_get(&b, c->client_static, sizeof(c->client_static));
	if (buf_get(&b, c->server_static, sizeof(c->server_static)) == -1)
		return -1;
	c->n = buf_left(&b);
	return buf_get_view(&b, &c->login, c->n);
}
