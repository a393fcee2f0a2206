/* What a proven login leads to. */
#include "master/login.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/tunnel/login.h"
#include "master/check.h"
#include "master/rivals.h"
#include "master/handshake.h"
#include "master/hold.h"
#include "master/listeners.h"
#include "master/tunnels.h"
#include "master/vouch.h"

struct proof {
	uint8_t method; /* enum login_method */
	char id[TEXT_LABEL_MAX + 1];
	uint8_t instance[LOGIN_INSTANCE];
	uint8_t cipher;
	uint8_t vouched; /* by the external check, for these names */
	struct names allowed;
};

static int
get_proof(struct proof *p, const struct msg *msg)
{
	char label[TEXT_LABEL_MAX + 1];
	struct buf b;

	buf_read(&b, msg->p, msg->n);
	buf_get_u8(&b, &p->method);
	buf_get_cstr8(&b, p->id, sizeof(p->id));
	buf_get(&b, p->instance, sizeof(p->instance));
	buf_get_u8(&b, &p->cipher);
	buf_get_u8(&b, &p->vouched);
	names_get(&b, &p->allowed);
	if (!buf_done(&b) || p->method < LOGIN_SECRET ||
	    p->method > LOGIN_PLAIN || p->vouched > 1 ||
	    text_label(label, p->id, strlen(p->id)) == -1 ||
	    strcmp(label, p->id) != 0)
		return -1;
	return 0;
}

/*
 * The same process again, over a new link: the old one is dead, whether it
 * knows or not. On a relay that drains, its streams may end in peace.
 */
static void
replace(struct master *m, struct client *client, const struct proof *p,
    const struct conn *c)
{
	struct session *s, *next;
	char peer[ADDR_TEXT];

	addr_format(peer, &c->who.peer);
	for (s = LIST_FIRST(&client->sessions); s != NULL; s = next) {
		next = LIST_NEXT(s, of);
		if (s->state == SESSION_LOST ||
		    memcmp(s->instance, p->instance, LOGIN_INSTANCE) != 0)
			continue;
		if (s->relay != NULL && s->relay->state == WORKER_DRAINING)
			continue;
		tunnels_goaway(s, GOAWAY_REPLACED, peer);
		/* Its names stay its client's until the new one has them. */
		client->tunnels -= s->tunnels;
		s->tunnels = 0;
		tunnels_lost(m, s);
	}
}

/* What auth granted comes to nothing: nobody may hold the id by it. */
static void
void_grant(struct master *m, const char *id)
{
	const struct client *client = clients_find(m->clients, id);

	if (m->any_client && server_conf_user(&m->conf, id) == NULL &&
	    (client == NULL || !client->held || client->unproven))
		tunnels_release(m, id);
}

/*
 * Its secret went with an auth that is no more: until it is back, only the
 * process that held the id may have it again.
 */
static bool
is_reserved(const struct client *client, const struct proof *p)
{
	const struct session *s;

	if (!client->unproven)
		return false;
	LIST_FOREACH(s, &client->sessions, of)
	{
		if (memcmp(s->instance, p->instance, LOGIN_INSTANCE) == 0)
			return false;
	}
	return true;
}

/* The client of an id that may log in; NULL and why not. */
static struct client *
admit(struct master *m, const struct conn *c, const struct proof *p,
    enum login_code *code)
{
	const char *id = p->id;
	struct client *client;
	bool known =
	    server_conf_user(&m->conf, id) != NULL || check_is_id(m->check, id);
	bool vouched = !known && p->vouched && vouch_configured(m);

	*code = LOGIN_UNKNOWN_ID;
	if (!known && !vouched && !m->any_client)
		return NULL;
	if ((client = clients_get(m->clients, id)) == NULL ||
	    is_reserved(client, p)) {
		*code = LOGIN_BUSY;
		void_grant(m, id);
		return NULL;
	}
	client->vouched = vouched;
	client->unproven = false;
	if (known || vouched ||
	    clients_hold(m->clients, client, &c->who.peer) == 0)
		return client;
	*code = LOGIN_LIMIT;
	void_grant(m, id);
	tunnels_forget(m, client);
	return NULL;
}

static void
send_client(struct conn *c, const struct session *s, const struct limits *l)
{
	uint8_t payload[24 + 1 + TEXT_LABEL_MAX];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	buf_put_u32(&b, s->client->number);
	buf_put_u64(&b, s->generation);
	buf_put_cstr8(&b, s->client->id);
	buf_put_u32(&b, (uint32_t)l->streams);
	buf_put_u64(&b, l->speed);
	worker_send(c->worker, MSG_CLIENT, c->id, payload, buf_used(&b));
}

/* A session on the relay that has the connection. */
static int
open_session(struct master *m, struct conn *c, struct client *client,
    const struct proof *p)
{
	struct session *s;

	s = sessions_add(m->sessions, client, p->instance, c->worker);
	if (s == NULL)
		return -1;
	if (p->vouched && sessions_restrict(s, &p->allowed) == -1) {
		sessions_end(m->sessions, s, m->routes);
		return -1;
	}
	s->port = c->kind == LISTENER_SNI ? 0 : c->who.local.port;
	s->relay->clients++;
	tunnel_count(c, s);
	return 0;
}

int
login_grant(struct master *m, struct conn *c, const struct msg *msg)
{
	struct login_msg accepted = { .type = LOGIN_ACCEPTED };
	uint8_t out[LOGIN_MAX];
	struct client *client;
	struct limits limits;
	enum login_code code;
	struct proof p;
	size_t n;

	if (get_proof(&p, msg) == -1)
		return -1;
	if ((client = admit(m, c, &p, &code)) == NULL) {
		handshake_refuse(m, c, code, p.id);
		return 0;
	}
	limits = server_conf_limits(&m->conf, server_conf_user(&m->conf, p.id));
	replace(m, client, &p, c);
	if (tunnels_of(client) >= limits.tunnels ||
	    open_session(m, c, client, &p) == -1) {
		/* Dead ones among them are gone when it tries again. */
		rivals_probe(m, client);
		handshake_refuse(m, c, LOGIN_LIMIT, p.id);
		tunnels_forget(m, client);
		return 0;
	}
	if (m->conf.domain != NULL)
		strcpy(accepted.domain, m->conf.domain);
	accepted.tunnels = (uint8_t)limits.tunnels;
	n = login_msg_put(out, &accepted);
	send_client(c, c->session, &limits);
	handshake_finish(m, c, p.cipher, out, n);
	return 0;
}

int
login_missed(struct master *m, const struct msg *msg)
{
	struct proof p;

	if (get_proof(&p, msg) == -1)
		return -1;
	void_grant(m, p.id);
	return 0;
}

void
login_done(struct master *m, struct conn *c)
{
	char peer[ADDR_TEXT];

	tunnel_up(m, c);
	log_info("client %s logged in from %s", c->session->client->id,
	    addr_format(peer, &c->who.peer));
}
