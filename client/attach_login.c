/* Getting a session: the login, between `proof`, the engine and our trust. */
#include <string.h>

#include "client/attach_impl.h"
#include "client/catalog.h"
#include "client/child.h"
#include "client/identity.h"
#include "client/parent.h"
#include "client/trust.h"
#include "common/base/buf.h"
#include "common/base/log.h"

void
attach_log_in(struct attach *a, struct link *l, int fd)
{
	static const struct preface f = { .min = PREFACE_VERSION,
		.max = PREFACE_VERSION,
		.kind = PREFACE_SESSION };
	uint8_t preface[PREFACE_MAX], payload[1024];
	struct identity_start s = { .preface = preface,
		.identity = (uint8_t)l->server,
		.plain = l->plain };
	struct buf b;

	catalog_names(a->parent->catalog, &s.asked);
	s.preface_len = preface_make(preface, &f);
	buf_write(&b, payload, sizeof(payload));
	identity_start_put(&b, &s);
	l->state = LINK_LOGIN;
	link_pass(l, PREFACE_SESSION, fd);
	child_send(
	    a->parent->proof, MSG_HS_START, l->conn, payload, buf_used(&b));
}

/* The link that a frame of a handshake belongs to, or NULL: it has ended. */
static struct link *
handshake_of(const struct attach *a, uint32_t conn)
{
	return a->attempt != NULL && a->attempt->conn == conn &&
		a->attempt->state == LINK_LOGIN
	    ? a->attempt
	    : NULL;
}

int
attach_on_hs_in(void *child, const struct msg *m)
{
	struct parent *p = child_parent(child);

	if (handshake_of(p->attach, m->id) != NULL)
		child_send(p->proof, MSG_HS_IN, m->id, m->p, m->n);
	return 0;
}

int
attach_on_hs_out(void *child, const struct msg *m)
{
	struct parent *p = child_parent(child);

	if (handshake_of(p->attach, m->id) != NULL)
		child_send(p->engine, MSG_HS_OUT, m->id, m->p, m->n);
	return 0;
}

int
attach_on_server_key(void *child, const struct msg *m)
{
	struct parent *p = child_parent(child);
	struct attach *a = p->attach;
	struct link *l = handshake_of(a, m->id);
	uint8_t trust;

	if (l == NULL)
		return 0;
	memcpy(l->key, m->p, sizeof(l->key));
	l->trust = trust_decide(&l->source->conf, l->server, &l->to, l->key);
	trust = (uint8_t)l->trust;
	if (l->trust == TRUST_CHANGED)
		attach_refused(a, l, "its key is not to be believed");
	else
		child_send(p->proof, MSG_TRUST, m->id, &trust, 1);
	return 0;
}

int
attach_on_hs_keys(void *child, const struct msg *m)
{
	struct parent *p = child_parent(child);
	struct attach *a = p->attach;
	struct link *l = handshake_of(a, m->id);
	const struct client_conf *c;

	if (l == NULL)
		return 0;
	c = &l->source->conf;
	catalog_identify(p->catalog, c->servers[l->server].id);
	child_send(p->engine, MSG_HS_KEYS, m->id, m->p, m->n);
	link_up(l);
	a->attempt = NULL;
	a->session = l;
	trust_remember(c, l->server, l->key);
	log_info("%s: logged in as %s", l->name, c->servers[l->server].id);
	return 0;
}

/* This id's secret has to be sent: to a server that is verified only. */
static void
need_plain(struct attach *a, struct link *l)
{
	const struct server_addr *s = &l->source->conf.servers[l->server];
	struct server_addr pinned = *s;
	char line[SERVER_ADDR_MAX];

	if (l->trust != TRUST_FIRST && !l->plain) {
		a->plain[l->server] = true;
		attach_drop(a, l);
		attach_begin(a);
		return;
	}
	if (l->trust == TRUST_FIRST) {
		pinned.has_key = true;
		memcpy(pinned.key, l->key, sizeof(pinned.key));
		log_error("if its key is the right one, pin it: -s %s",
		    server_addr_format(line, &pinned, false));
	}
	server_addr_wipe(&pinned);
	attach_refused(a, l, login_code_text(LOGIN_NEED_PLAIN));
}

int
attach_on_hs_fail(void *child, const struct msg *m)
{
	struct attach *a = child_parent(child)->attach;
	struct link *l = handshake_of(a, m->id);
	enum login_code code = (enum login_code)m->p[0];

	if (l == NULL)
		return 0;
	if (code == LOGIN_NEED_PLAIN) {
		need_plain(a, l);
	} else if (code == LOGIN_NEED_SECRET && l->plain) {
		/* It has changed its mind since. */
		a->plain[l->server] = false;
		attach_drop(a, l);
		attach_begin(a);
	} else if (login_code_final(code)) {
		attach_refused(a, l, login_code_text(code));
	} else {
		attach_failed(a, l, login_code_text(code));
	}
	return 0;
}
