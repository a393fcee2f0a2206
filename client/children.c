/* What the parent's children are told. */
#include "client/children.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/attach.h"
#include "client/catalog.h"
#include "client/child.h"
#include "client/control.h"
#include "client/engine_conf.h"
#include "client/identity.h"
#include "client/keyfile.h"
#include "client/locals.h"
#include "client/parent.h"
#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/crypto/record.h"
#include "common/sys/jail.h"
#include "common/sys/sandbox.h"
#include "common/sys/user.h"

/* Once, when everything is in its sandbox: what this machine cannot give. */
static void
say_missing(struct parent *p)
{
	char text[128];

	if (p->missing_said || !child_is_ready(p->engine) ||
	    !child_is_ready(p->proof))
		return;
	p->missing_said = true;
	if (p->missing == 0)
		return;
	sandbox_missing_text(text, sizeof(text), p->missing);
	log_info("%sprotection that is missing: %s",
	    p->privileged ? "" : "without root, ", text);
}

static void
engine_boot(struct child *c)
{
	struct parent *p = child_parent(c);

	/* child_new() has not returned the first time. */
	p->engine = c;
	children_configure(p);
	catalog_boot(p->catalog);
}

static void
engine_ready(struct child *c)
{
	struct parent *p = child_parent(c);

	say_missing(p);
	attach_start(p->attach);
}

static void
engine_gone(struct child *c)
{
	struct parent *p = child_parent(c);

	control_engine_gone(p->control);
	attach_engine_gone(p->attach);
	if (p->stopping)
		parent_exit(p, 0);
}

static int
on_drained(void *child, const struct msg *m)
{
	(void)m;
	parent_exit(child_parent(child), 0);
	return 0;
}

static const chan_handler engine_handlers[MSG_TYPES] = {
	CHILD_HANDLERS,
	[MSG_DRAINED] = on_drained,
	[MSG_HS_IN] = attach_on_hs_in,
	[MSG_LINK_END] = attach_on_link_end,
	[MSG_AWAY] = attach_on_away,
	[MSG_WANT] = attach_on_want,
	[MSG_ANSWER] = attach_on_answer,
	[MSG_DIAL] = locals_on_dial,
	[MSG_ROW] = control_on_row,
};

static const struct child_ops engine_ops = { engine_handlers, engine_boot,
	engine_ready, engine_gone };

void
children_configure(struct parent *p)
{
	const struct engine_pool pool = {
		.connections = (uint8_t)p->conf->connections,
		.idle = (uint8_t)p->conf->idle,
		.timeout = (uint32_t)p->conf->timeout,
	};
	uint8_t payload[16];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	engine_conf_put_pool(&b, &pool);
	child_send(p->engine, MSG_ENGINE_CONF, 0, payload, buf_used(&b));
}

static uint8_t
cipher_of(const struct client_conf *c)
{
	switch ((enum client_cipher)c->cipher) {
	case CLIENT_CIPHER_CHACHA20_POLY1305:
		return RECORD_CHACHA20_POLY1305;
	case CLIENT_CIPHER_AES256_GCM:
		return RECORD_AES256_GCM;
	case CLIENT_CIPHER_NONE:
		return RECORD_NONE;
	case CLIENT_CIPHER_AUTO:
		break;
	}
	return IDENTITY_CIPHER_AUTO;
}

/* Who we are at one server. */
static int
fill_identity(struct identity *i, const struct parent *p, size_t server)
{
	const struct server_addr *s = &p->conf->servers[server];
	char why[KEYFILE_WHY];

	memset(i, 0, sizeof(*i));
	i->number = (uint8_t)server;
	i->cipher = cipher_of(p->conf);
	memcpy(i->instance, p->instance, sizeof(i->instance));
	strcpy(i->id, s->id);
	if (s->secret[0] != '\0' || p->conf->key == NULL) {
		i->method = LOGIN_SECRET;
		strcpy(i->secret, s->secret);
		return 0;
	}
	i->method = LOGIN_KEY;
	if (keyfile_read(p->conf->key, i->key, why) == 0)
		return 0;
	log_error("key: %s", why);
	return -1;
}

int
children_identify(struct parent *p)
{
	uint8_t payload[1024];
	struct identity i;
	struct buf b;
	int ret = 0;

	for (size_t k = 0; k < p->conf->nservers; k++) {
		buf_write(&b, payload, sizeof(payload));
		if (fill_identity(&i, p, k) == 0 && identity_put(&b, &i) == 0)
			child_send(
			    p->proof, MSG_IDENTITY, 0, payload, buf_used(&b));
		else
			ret = -1;
	}
	sodium_memzero(&i, sizeof(i));
	sodium_memzero(payload, sizeof(payload));
	return ret;
}

static void
proof_boot(struct child *c)
{
	struct parent *p = child_parent(c);

	p->proof = c;
	if (children_identify(p) == -1)
		child_end(c, "there is no identity for it");
}

static void
proof_ready(struct child *c)
{
	struct parent *p = child_parent(c);

	say_missing(p);
	attach_start(p->attach);
}

static void
proof_gone(struct child *c)
{
	attach_proof_gone(child_parent(c)->attach);
}

static const chan_handler proof_handlers[MSG_TYPES] = {
	CHILD_HANDLERS,
	[MSG_HS_OUT] = attach_on_hs_out,
	[MSG_SERVER_KEY] = attach_on_server_key,
	[MSG_HS_KEYS] = attach_on_hs_keys,
	[MSG_HS_FAIL] = attach_on_hs_fail,
};

static const struct child_ops proof_ops = { proof_handlers, proof_boot,
	proof_ready, proof_gone };

/* Started by root: accounts, and a directory with nothing in it. */
static int
find_accounts(struct parent *p)
{
	const char *name = p->conf->user;
	bool must = (p->conf->set & CLIENT_SET_USER) != 0;
	struct user u[2];
	char other[64];

	snprintf(other, sizeof(other), "%sproof", name);
	if ((must ? user_find(name, &u[0])
		  : user_find_or_choose(name, NULL, 0, &u[0])) == -1 ||
	    user_find_or_choose(other, u, 1, &u[1]) == -1) {
		log_error("user: %s: %s", name,
		    errno == EPERM ? "it is root, and workers must not be"
			: errno == ENOENT ? "there is no such account"
					  : strerror(errno));
		return -1;
	}
	if (u[0].made_up)
		log_info("there is no account %s: workers run as unused uids "
			 "%u and %u",
		    name, u[0].uid, u[1].uid);
	p->uids =
	    (struct parent_uids){ u[0].uid, u[1].uid, u[0].gid, u[1].gid };
	if (jail_make(p->conf->chroot) != -1)
		return 0;
	log_error("chroot: %s: %s", p->conf->chroot,
	    errno == EPERM ? "it must be root's, and nobody else's to write to"
			   : strerror(errno));
	return -1;
}

int
children_prepare(struct parent *p)
{
	return p->privileged ? find_accounts(p) : 0;
}

int
children_start(struct parent *p)
{
	if (child_new(p, ROLE_PROOF, "ptp-worker", &proof_ops) == NULL ||
	    child_new(p, ROLE_ENGINE, "ptp-engine", &engine_ops) == NULL)
		return -1;
	return 0;
}
