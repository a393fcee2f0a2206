/* All of the master's tables, as a state file. */
#include "master/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/ipc/ctl_server.h"
#include "common/tunnel/services.h"
#include "master/conns.h"
#include "master/feed.h"
#include "master/handshake.h"
#include "master/listeners.h"
#include "master/ports.h"
#include "master/sessions.h"
#include "master/sources.h"
#include "master/tls.h"
#include "master/workers.h"

struct snapshot {
	struct master *m;
	struct state_writer *out;
	struct worker **workers; /* by their number in the file */
	uint32_t nworkers;
};

static void
put_head(struct snapshot *s, int exe_fd, int call_fd)
{
	const struct master *m = s->m;
	struct certs_files files;
	struct state_head h = { .args_fd = m->options->args_fd,
		.cwd_fd = m->options->cwd_fd,
		.exe_fd = exe_fd,
		.ctl_fd = ctl_server_fd(m->ctl),
		.call_fd = call_fd,
		.started = m->started,
		.exe_uid = m->exe.uid,
		.exe_dir_uid = m->exe.dir_uid,
		.any_client = m->any_client,
		.privileged = m->privileged,
		.uids = m->uids };

	tls_files(m, &files);
	h.certs_fd = files.certs;
	h.keys_fd = files.keys;
	strcpy(h.exe_path, m->exe.path);
	strcpy(h.jail, m->jail);
	strcpy(h.socket, m->conf.socket);
	memcpy(h.host_public, m->host_public, sizeof(h.host_public));
	feed_get(m, &h.feed_generation, &h.feed_usable);
	state_put_head(s->out, &h);
}

static int
put_conf(void *arg, const void *frame, size_t n)
{
	state_put_conf(arg, frame, n);
	return 0;
}

static void
put_listener(void *arg, const struct listener *l)
{
	struct state_listener r = { .kind = l->kind,
		.asked = l->asked,
		.number = l->number,
		.fd = l->fd };

	state_put_listener(arg, &r);
}

static void
put_worker(void *arg, struct worker *w)
{
	struct snapshot *s = arg;
	struct state_worker r = { .role = (uint8_t)w->role,
		.state = (uint8_t)w->state,
		.index = (uint16_t)w->index,
		.pid = (uint32_t)w->pid,
		.fd = chan_fd(w->chan),
		.full = w->full,
		.posted = w->post != NULL,
		.started = w->started };

	s->workers[s->nworkers++] = w;
	state_put_worker(s->out, &r);
}

/* Its number in the file + 1; 0: none, or one that has died. */
static uint32_t
number_of(const struct snapshot *s, const struct worker *w)
{
	for (uint32_t i = 0; i < s->nworkers; i++) {
		if (s->workers[i] == w)
			return i + 1;
	}
	return 0;
}

static void
put_session(struct snapshot *s, const struct session *x)
{
	struct state_session r = { .generation = x->generation,
		.state = (uint8_t)x->state,
		.relay = number_of(s, x->relay),
		.since = x->since,
		.port = x->port,
		.told = x->told };
	uint8_t offer[SERVICES_BYTES];
	struct buf b;

	strcpy(r.id, x->client->id);
	memcpy(r.instance, x->instance, sizeof(r.instance));
	for (size_t i = 0; i < STATE_TICKETS; i++) {
		memcpy(r.tickets[i].id, x->tickets[i].id, TICKET_ID);
		r.tickets[i].issued = x->tickets[i].issued;
	}
	if ((r.restricted = x->allowed != NULL))
		r.allowed = *x->allowed;
	buf_write(&b, offer, sizeof(offer));
	if (services_put(&b, &x->offer) == 0) {
		r.offer = offer;
		r.offer_len = buf_used(&b);
	}
	state_put_session(s->out, &r);
}

static void
put_client(void *arg, void *value)
{
	struct snapshot *s = arg;
	const struct client *c = value;
	const struct session *x;
	struct state_client r = { .number = c->number,
		.held = c->held,
		.vouched = c->vouched,
		.held_from = c->held_from,
		.total = c->total,
		.up = c->up,
		.down = c->down };

	strcpy(r.id, c->id);
	state_put_client(s->out, &r);
	LIST_FOREACH(x, &c->sessions, of)
	put_session(s, x);
}

static void
put_route(void *arg, void *value)
{
	struct snapshot *s = arg;
	const struct route *x = value;
	struct state_route r = { .table = (uint8_t)x->table,
		.kind = (uint8_t)x->kind,
		.generation = x->session != NULL ? x->session->generation : 0,
		.service = x->service,
		.since = x->since,
		.kept = x->kept };

	strcpy(r.name, x->name);
	strcpy(r.id, x->client->id);
	state_put_route(s->out, &r);
}

static void
put_port(void *arg, void *value)
{
	struct snapshot *s = arg;
	const struct port *p = value;
	struct state_port r = { .way = p->way,
		.number = p->number,
		.asked = p->asked,
		.service = p->service,
		.generation = p->session->generation,
		.since = p->since,
		.fd = p->fd };

	state_put_port(s->out, &r);
}

static void
put_conn(void *arg, struct conn *c)
{
	struct snapshot *s = arg;
	struct state_conn r = { .id = c->id,
		.parent = c->parent,
		.reroutes = c->reroutes,
		.state = (uint8_t)c->state,
		.tries = c->tries,
		.rerouted = c->rerouted,
		.kind = c->kind,
		.proxied = c->proxied,
		.fd = c->fd,
		.who = c->who,
		.worker = number_of(s, c->worker),
		.since = c->since,
		.service = c->service,
		.skip = c->skip };

	if (c->handshake != NULL)
		r.handshake = handshake_progress(c);
	if (c->session != NULL && c->session->state != SESSION_ENDED)
		r.generation = c->session->generation;
	if (c->client != NULL)
		strcpy(r.client, c->client->id);
	if (c->name != NULL)
		strcpy(r.name, c->name);
	state_put_conn(s->out, &r);
}

static void
put_source(void *arg, void *value)
{
	const struct source *x = value;
	struct state_source r = {
		.block = x->block, .failures = x->failures, .failed = x->failed
	};

	if (x->failures > 0)
		state_put_source(arg, &r);
}

int
snapshot_make(struct master *m, int exe_fd, int call_fd)
{
	struct snapshot s = { .m = m };

	s.workers = calloc(workers_count(m->workers) + 1, sizeof(*s.workers));
	if (s.workers == NULL)
		return -1;
	if ((s.out = state_writer_new()) == NULL) {
		free(s.workers);
		return -1;
	}
	put_head(&s, exe_fd, call_fd);
	server_conf_encode(&m->conf, put_conf, s.out);
	listeners_each(m->listeners, put_listener, s.out);
	workers_each(m->workers, put_worker, &s);
	clients_each(m->clients, put_client, &s);
	routes_each(m->routes, put_route, &s);
	ports_each(m->ports, put_port, &s);
	conns_each(m->conns, put_conn, &s);
	sources_each(m->sources, put_source, s.out);
	free(s.workers);
	return state_seal(s.out);
}
