/* Connections before their verdict, and those that an edge answers. */
#include "master/edge.h"

#include <sys/socket.h>

#include <stdlib.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/net/proxy_header.h"
#include "master/access.h"
#include "master/hold.h"
#include "master/listeners.h"
#include "master/tunnels.h"
#include "master/visit.h"
#include "master/workers.h"

struct edges {
	struct master *master;
	struct waits *waiting;	   /* both of PEEK and UNPLACED */
	struct conn_list unplaced; /* those without an edge */
};

bool
edge_has(enum role role)
{
	return role == ROLE_HTTP || role == ROLE_SNI;
}

/* Whose business a connection is that has no verdict, or has to be told. */
static enum role
role_of(const struct conn *c)
{
	return c->who.scheme == SCHEME_SNI ? ROLE_SNI : ROLE_HTTP;
}

/* No verdict came. The edge still has its copy: it sees the end of it. */
static void
on_deadline(void *arg, void *owner)
{
	struct edges *e = arg;
	struct conn *c = owner;
	char peer[ADDR_TEXT];

	if (c->state == CONN_UNPLACED) {
		TAILQ_REMOVE(&e->unplaced, c, of);
		hold_drop(e->master, c);
		return;
	}
	log_debug("%s: no verdict in time", addr_format(peer, &c->who.peer));
	shutdown(c->fd, SHUT_RDWR);
	close(conn_take_fd(c));
	c->state = CONN_ENDING;
}

struct edges *
edges_new(struct master *m)
{
	struct edges *e;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		return NULL;
	e->master = m;
	TAILQ_INIT(&e->unplaced);
	if ((e->waiting = waits_new(m->base, on_deadline, e)) == NULL) {
		free(e);
		return NULL;
	}
	return e;
}

void
edges_free(struct edges *e)
{
	if (e == NULL)
		return;
	waits_free(e->waiting);
	free(e);
}

static void
await(struct master *m, struct conn *c)
{
	if (m->conf.timeouts.head != 0)
		waits_add(m->edges->waiting, &c->wait, c,
		    m->conf.timeouts.head + EDGE_GRACE_MS);
}

static void
set_aside(struct master *m, struct conn *c)
{
	c->state = CONN_UNPLACED;
	hold_by(c, NULL);
	TAILQ_INSERT_TAIL(&m->edges->unplaced, c, of);
	await(m, c);
}

/* Give it to w. -1: w took it not, or died of it. */
static int
place(struct master *m, struct conn *c, struct worker *w)
{
	uint8_t payload[64];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	msg_put_conn(&b, &c->who);
	if (buf_put_u8(&b, c->proxied ? EDGE_PROXIED : 0) == -1)
		return -1;
	if (worker_send_copy(
		w, MSG_CONN, c->id, payload, buf_used(&b), c->fd) == -1)
		return -1;
	c->state = CONN_PEEK;
	hold_by(c, w);
	await(m, c);
	return 0;
}

void
edge_restore(struct master *m, struct conn *c)
{
	if (c->worker == NULL)
		set_aside(m, c);
	else
		await(m, c);
}

void
edge_place(struct master *m, struct conn *c)
{
	struct worker *w = workers_least(m->workers, role_of(c));

	if (w == NULL || place(m, c, w) == -1)
		set_aside(m, c);
}

void
edge_place_waiting(struct master *m)
{
	struct conn *c, *next;
	struct worker *w;

	for (c = TAILQ_FIRST(&m->edges->unplaced); c != NULL; c = next) {
		next = TAILQ_NEXT(c, of);
		if ((w = workers_least(m->workers, role_of(c))) == NULL)
			continue;
		TAILQ_REMOVE(&m->edges->unplaced, c, of);
		if (place(m, c, w) == -1) {
			set_aside(m, c);
			return;
		}
	}
}

void
edge_answer(struct master *m, struct conn *c, uint16_t status)
{
	struct worker *w = workers_least(m->workers, role_of(c));
	uint8_t payload[6 + ADDR_WIRE];
	struct buf b;

	if (w == NULL) {
		hold_drop(m, c);
		return;
	}
	buf_write(&b, payload, sizeof(payload));
	buf_put_u16(&b, status);
	buf_put_u16(&b, c->skip);
	buf_put_u16(&b, listeners_https_port(m->listeners));
	addr_put(&b, &c->who.peer);
	c->state = CONN_REFUSED;
	hold_by(c, w);
	worker_send_fd(
	    w, MSG_NOROUTE, c->id, payload, buf_used(&b), conn_take_fd(c));
}

void
edge_lost(struct master *m, struct conn *c)
{
	waits_remove(&c->wait);
	/* Who comes through a load balancer has another address by now. */
	if (c->state != CONN_PEEK || c->skip > 0 || ++c->tries >= EDGE_TRIES)
		hold_drop(m, c);
	else
		set_aside(m, c);
}

int
edge_on_origin(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct conn *c = conns_find(w->master->conns, msg->id);
	struct addr peer, local;
	uint16_t skip = 0;
	struct buf b;

	if (c == NULL || c->worker != w)
		return -1;
	if (c->state == CONN_ENDING) /* its verdict is too late */
		return 0;
	buf_read(&b, msg->p, msg->n);
	buf_get_u16(&b, &skip);
	if ((c->state != CONN_PEEK && c->state != CONN_TLS) || !c->proxied ||
	    c->skip != 0 || skip == 0 || skip > PROXY_HEADER_MAX)
		return -1;
	c->skip = skip;
	if (buf_done(&b)) /* it does not say who it is */
		return 0;
	addr_get(&b, &peer);
	addr_get(&b, &local);
	if (!buf_done(&b) || peer.family == ADDR_ANY ||
	    local.family == ADDR_ANY)
		return -1;
	c->who.peer = peer;
	c->who.local = local;
	return 0;
}

/* It may not be here. */
static bool
is_denied(const struct master *m, const struct conn *c)
{
	char peer[ADDR_TEXT];

	if (access_allows(&m->conf, c->kind, &c->who.peer))
		return false;
	log_info("%s is not allowed by access.%s",
	    addr_format(peer, &c->who.peer),
	    listener_kind_name((enum listener_kind)c->kind));
	return true;
}

/* Nothing binds a session to the TLS around it yet. */
static void
refuse_tunnel(struct master *m, struct conn *c)
{
	char peer[ADDR_TEXT];

	log_info("%s: no tunnel is taken inside TLS: the client should dial "
		 "tcp:// and a port of listen.http",
	    addr_format(peer, &c->who.peer));
	hold_drop(m, c);
}

/* VERDICT_TUNNEL: a preface of this kind, maybe a ticket. */
static int
take_tunnel(struct master *m, struct conn *c, struct buf *b)
{
	uint8_t kind, ticket[TICKET_ID] = { 0 };

	if (buf_get_u8(b, &kind) == -1 ||
	    (buf_left(b) > 0 && buf_get(b, ticket, sizeof(ticket)) == -1) ||
	    !buf_done(b))
		return -1;
	if (kind != PREFACE_SESSION && kind != PREFACE_TICKET)
		return -1;
	if (c->kind == LISTENER_REDIRECT || is_denied(m, c))
		hold_drop(m, c);
	else if (c->who.scheme == SCHEME_HTTPS)
		refuse_tunnel(m, c);
	else if (kind == PREFACE_SESSION)
		tunnel_begin(m, c);
	else
		tunnel_attach(m, c, ticket);
	return 0;
}

/* VERDICT_ROUTE: a request for this host, a hello for this server. */
static int
take_route(struct master *m, struct conn *c, struct buf *b)
{
	const char *name;
	size_t n;

	if (buf_get_str8(b, &name, &n) == -1 || !buf_done(b))
		return -1;
	if (is_denied(m, c))
		edge_answer(m, c, 403);
	else if (c->kind == LISTENER_REDIRECT)
		edge_answer(m, c, 308);
	else
		visit_begin(m, c, name, n);
	return 0;
}

/* VERDICT_REFUSE: the edge has begun to answer. */
static int
take_refuse(struct conn *c, struct buf *b)
{
	uint16_t status;

	if (buf_get_u16(b, &status) == -1 || !buf_done(b))
		return -1;
	c->state = CONN_REFUSED;
	close(conn_take_fd(c));
	return 0;
}

static int
take_drop(struct master *m, struct conn *c, struct buf *b)
{
	char peer[ADDR_TEXT];
	uint8_t reason;

	if (buf_get_u8(b, &reason) == -1 || !buf_done(b))
		return -1;
	if (reason == END_NOFILE)
		worker_exhausted(c->worker);
	if (reason == END_NOFILE && ++c->tries < EDGE_TRIES) {
		hold_by(c, NULL);
		edge_place(m, c);
		return 0;
	}
	/* Who came and left said nothing that is worth a line. */
	log_at((reason == END_GARBAGE || reason == END_TIMEOUT) &&
		    visit_may_log(m->visits)
		? LOG_LEVEL_INFO
		: LOG_LEVEL_DEBUG,
	    "%s: closed: %s", addr_format(peer, &c->who.peer),
	    msg_end_text(reason));
	hold_drop(m, c);
	return 0;
}

int
edge_on_verdict(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct master *m = w->master;
	struct conn *c = conns_find(m->conns, msg->id);
	struct buf b;
	uint8_t kind;

	if (c == NULL || c->worker != w)
		return -1;
	if (c->state == CONN_ENDING) { /* too late */
		/* What it has begun to answer, it will say CLOSED of. */
		if (msg->p[0] != VERDICT_REFUSE)
			hold_drop(m, c);
		return 0;
	}
	if (c->state != CONN_PEEK)
		return -1;
	buf_read(&b, msg->p, msg->n);
	if (buf_get_u8(&b, &kind) == -1)
		return -1;
	waits_remove(&c->wait);
	switch (kind) {
	case VERDICT_TUNNEL:
		return take_tunnel(m, c, &b);
	case VERDICT_ROUTE:
		return take_route(m, c, &b);
	case VERDICT_REFUSE:
		return take_refuse(c, &b);
	case VERDICT_DROP:
		return take_drop(m, c, &b);
	default:
		return -1;
	}
}

int
edge_on_closed(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct master *m = w->master;
	struct conn *c = conns_find(m->conns, msg->id);

	if (c == NULL || c->worker != w ||
	    (c->state != CONN_REFUSED && c->state != CONN_ENDING))
		return -1;
	hold_drop(m, c);
	return 0;
}
