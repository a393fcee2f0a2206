/* Clients' connections. */
#include "master/tunnels.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/tunnel/prologue.h"
#include "master/rivals.h"
#include "master/handshake.h"
#include "master/hold.h"
#include "master/feed.h"
#include "master/ports.h"
#include "master/visit.h"
#include "master/workers.h"

static size_t
make_tunnel(uint8_t *payload, size_t size, const struct conn *c,
    enum preface_kind kind, const uint8_t *ticket)
{
	struct buf b;

	buf_write(&b, payload, size);
	msg_put_conn(&b, &c->who);
	buf_put_u8(&b, (uint8_t)kind);
	buf_put_u8(&b, TRANSPORT_TCP);
	buf_put_u16(&b, c->skip);
	if (ticket != NULL)
		buf_put(&b, ticket, TICKET_ID);
	return buf_used(&b);
}

/*
 * Have w begin a login. The descriptor stays ours as well until w has read
 * from it, so that another relay can if it dies before. -1: w took it not.
 */
static int
begin_at(struct conn *c, struct worker *w)
{
	uint8_t payload[80];
	size_t n;

	n = make_tunnel(payload, sizeof(payload), c, PREFACE_SESSION, NULL);
	if (worker_send_copy(w, MSG_TUNNEL, c->id, payload, n, c->fd) == -1)
		return -1;
	hold_by(c, w);
	return 0;
}

void
tunnel_begin(struct master *m, struct conn *c)
{
	struct worker *w = workers_relay(m->workers);
	char peer[ADDR_TEXT];

	hold_by(c, NULL);
	if (w == NULL || handshake_begin(m, c) == -1) {
		log_info("%s: no relay takes its tunnel now",
		    addr_format(peer, &c->who.peer));
		hold_drop(m, c);
		return;
	}
	c->state = CONN_HANDSHAKE;
	c->tries = 0;
	if (begin_at(c, w) == -1)
		tunnel_end(m, c, END_LOST);
}

bool
tunnel_again(struct master *m, struct conn *c)
{
	struct worker *w;

	/* What came in front of the preface is gone, if there was any. */
	if (c->state != CONN_HANDSHAKE || c->fd == -1 || c->skip > 0 ||
	    ++c->tries >= TUNNEL_TRIES ||
	    (w = workers_relay(m->workers)) == NULL)
		return false;
	hold_by(c, NULL);
	return begin_at(c, w) == 0;
}

void
tunnel_count(struct conn *c, struct session *s)
{
	hold_session(c, s);
	s->tunnels++;
	s->client->tunnels++;
}

unsigned
tunnels_of(const struct client *client)
{
	const struct session *s;
	unsigned n = 0;

	LIST_FOREACH(s, &client->sessions, of)
	{
		if (s->relay != NULL && s->relay->state == WORKER_READY)
			n += s->tunnels;
	}
	return n;
}

void
tunnel_attach(struct master *m, struct conn *c, const uint8_t ticket[TICKET_ID])
{
	struct session *s = sessions_use_ticket(m->sessions, ticket);
	struct limits limits;
	char peer[ADDR_TEXT];
	uint8_t payload[80];
	size_t n;

	addr_format(peer, &c->who.peer);
	hold_by(c, NULL);
	if (s == NULL || !tunnels_serves(s)) {
		log_info("%s: unknown or spent ticket", peer);
		hold_drop(m, c);
		return;
	}
	limits = server_conf_limits(
	    &m->conf, server_conf_user(&m->conf, s->client->id));
	if (tunnels_of(s->client) >= limits.tunnels || s->relay->full) {
		log_info(
		    "%s: no further tunnel for client %s", peer, s->client->id);
		hold_drop(m, c);
		return;
	}
	c->state = CONN_ATTACH;
	tunnel_count(c, s);
	hold_by(c, s->relay);
	n = make_tunnel(payload, sizeof(payload), c, PREFACE_TICKET, ticket);
	worker_send_fd(
	    s->relay, MSG_TUNNEL, c->id, payload, n, conn_take_fd(c));
}

void
tunnel_up(struct master *m, struct conn *c)
{
	struct session *s = c->session;

	(void)m;
	c->state = CONN_TUNNEL;
	s->live++;
	if (s->state == SESSION_OPENING)
		s->state = SESSION_LIVE;
}

void
tunnels_release(struct master *m, const char *id)
{
	struct worker *auth = feed_auth(m);
	uint8_t payload[1 + TEXT_LABEL_MAX];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	if (auth != NULL && buf_put_cstr8(&b, id) == 0)
		worker_send(auth, MSG_RELEASE, 0, payload, buf_used(&b));
}

void
tunnels_forget(struct master *m, struct client *client)
{
	bool configured = server_conf_user(&m->conf, client->id) != NULL;
	bool held = client->held;
	char id[TEXT_LABEL_MAX + 1];

	strcpy(id, client->id);
	if (clients_forget(m->clients, client, configured, m->routes) && held)
		tunnels_release(m, id);
}

void
tunnels_over(struct master *m, struct session *s)
{
	struct client *client = s->client;

	if (s->state == SESSION_ENDED)
		return;
	rivals_forget(m, s);
	if (s->relay != NULL)
		s->relay->clients--;
	s->relay = NULL;
	ports_close_of(s);
	sessions_end(m->sessions, s, m->routes);
	visit_review(m, client);
	tunnels_forget(m, client);
}

/* Whether its client is there by another session: it has come again. */
static bool
lives_on(const struct session *s)
{
	const struct session *other;

	LIST_FOREACH(other, &s->client->sessions, of)
	{
		if (other != s && other->state == SESSION_LIVE)
			return true;
	}
	return false;
}

static void
say_gone(const struct session *s)
{
	if (lives_on(s))
		log_debug("client %s: a former session is over", s->client->id);
	else
		log_info("client %s is gone", s->client->id);
}

static void
on_forgotten(void *arg, void *owner)
{
	struct session *s = owner;

	say_gone(s);
	tunnels_over(arg, s);
}

struct waits *
tunnels_lost_new(struct master *m)
{
	return waits_new(m->base, on_forgotten, m);
}

bool
tunnels_serves(const struct session *s)
{
	return s->state == SESSION_LIVE && s->relay->state == WORKER_READY;
}

void
tunnels_lost(struct master *m, struct session *s)
{
	if (s->state == SESSION_LOST || s->state == SESSION_ENDED)
		return;
	s->state = SESSION_LOST;
	rivals_forget(m, s);
	if (s->relay != NULL)
		s->relay->clients--;
	s->relay = NULL;
	if (m->conf.timeouts.park == 0) {
		say_gone(s);
		tunnels_over(m, s);
		return;
	}
	waits_add(m->lost, &s->wait, s, m->conf.timeouts.park);
}

void
tunnels_goaway(struct session *s, enum goaway reason, const char *text)
{
	uint8_t payload[8 + 1 + 256];
	struct buf b;

	if (s->relay == NULL)
		return;
	buf_write(&b, payload, sizeof(payload));
	buf_put_u64(&b, s->generation);
	buf_put_u8(&b, (uint8_t)reason);
	buf_put_cstr8(&b, text);
	worker_send(s->relay, MSG_KICK, 0, payload, buf_used(&b));
}

/* Its last tunnel is gone: it left, or we wait for it to come back. */
static void
lost_last(struct master *m, struct session *s, enum msg_end why)
{
	if (why == END_CLEAN) {
		log_info("client %s has logged out", s->client->id);
		tunnels_over(m, s);
		return;
	}
	if (lives_on(s))
		log_debug("client %s: a former session lost its last tunnel: "
			  "%s",
		    s->client->id, msg_end_text(why));
	else
		log_info("client %s lost its last tunnel: %s", s->client->id,
		    msg_end_text(why));
	tunnels_lost(m, s);
}

void
tunnel_end(struct master *m, struct conn *c, enum msg_end why)
{
	struct session *s = c->session;
	char peer[ADDR_TEXT];

	if (c->handshake != NULL)
		handshake_abort(m, c, why);
	if (s == NULL || s->state == SESSION_ENDED) {
		hold_drop(m, c);
		return;
	}
	if (s->tunnels > 0) { /* else they were written off: login.c */
		s->tunnels--;
		s->client->tunnels--;
	}
	if (c->state == CONN_TUNNEL) {
		log_debug("client %s: tunnel from %s: %s", s->client->id,
		    addr_format(peer, &c->who.peer), msg_end_text(why));
		s->live--;
	}
	sessions_ref(s);
	hold_drop(m, c);
	if (s->live == 0 && s->state == SESSION_OPENING && s->tunnels == 0) {
		tunnels_over(m, s);
	} else if (s->live == 0 && s->state == SESSION_LIVE) {
		lost_last(m, s, why);
	}
	sessions_unref(s);
}

struct relay_gone {
	struct master *m;
	struct worker *w;
};

/* Its tunnels are gone already; this is for one that had none left. */
static void
leave_relay(void *arg, void *value)
{
	struct relay_gone *g = arg;
	struct session *s = value;

	if (s->relay == g->w)
		tunnels_lost(g->m, s);
}

void
tunnels_relay_gone(struct master *m, struct worker *w)
{
	struct relay_gone gone = { m, w };

	sessions_each(m->sessions, leave_relay, &gone);
}

/* The connection that a frame of w is about, if it holds it. */
static struct conn *
of_worker(struct worker *w, uint32_t id)
{
	struct conn *c = conns_find(w->master->conns, id);

	return c != NULL && c->worker == w ? c : NULL;
}

struct memory {
	const struct worker *w;
	uint64_t generation;
	bool found;
};

static void
look_for(void *arg, struct conn *c)
{
	struct memory *memory = arg;

	memory->found |= c->worker == memory->w && c->session != NULL &&
	    c->session->generation == memory->generation;
}

struct session *
tunnels_session(struct worker *w, uint64_t generation, bool *broken)
{
	struct master *m = w->master;
	struct session *s = sessions_find(m->sessions, generation);
	struct memory memory = { w, generation, false };

	*broken = false;
	if (s != NULL && s->relay == w)
		return s;
	/* Its connections stay until the relay has said CLOSED of each. */
	if (s == NULL || s->relay == NULL)
		conns_each(m->conns, look_for, &memory);
	*broken = !memory.found;
	return NULL;
}

int
tunnel_on_attached(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct conn *c = of_worker(w, msg->id);
	uint64_t generation = 0;
	struct buf b;

	buf_read(&b, msg->p, msg->n);
	if (c == NULL || c->state != CONN_ATTACH ||
	    buf_get_u64(&b, &generation) == -1 ||
	    c->session->generation != generation)
		return -1;
	if (c->session->state == SESSION_ENDED ||
	    c->session->state == SESSION_LOST)
		return 0;
	tunnel_up(w->master, c);
	return 0;
}

int
tunnel_on_ticket(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	uint8_t ticket[TICKET_ID];
	uint64_t generation = 0;
	struct session *s;
	bool broken;
	struct buf b;

	buf_read(&b, msg->p, msg->n);
	if (buf_get_u64(&b, &generation) == -1 ||
	    buf_get(&b, ticket, sizeof(ticket)) == -1)
		return -1;
	if ((s = tunnels_session(w, generation, &broken)) == NULL)
		return broken ? -1 : 0;
	sessions_put_ticket(w->master->sessions, s, ticket);
	return 0;
}

int
tunnel_on_closed(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct conn *c = of_worker(w, msg->id);
	uint64_t up = 0, down = 0;
	uint8_t why = 0;
	struct buf b;

	buf_read(&b, msg->p, msg->n);
	buf_get_u8(&b, &why);
	buf_get_u64(&b, &up);
	if (c == NULL || buf_get_u64(&b, &down) == -1 || why >= END_COUNT)
		return -1;
	if (why == END_NOFILE)
		worker_exhausted(w);
	if (c->state == CONN_USER)
		visit_end(w->master, c, up, down);
	else
		tunnel_end(w->master, c, (enum msg_end)why);
	return 0;
}
