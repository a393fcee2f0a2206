/* New connections, and when to take none. */
#include "master/listeners_impl.h"

#include <event2/event.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/net/accept.h"
#include "master/access.h"
#include "master/api.h"
#include "master/conns.h"
#include "master/edge.h"
#include "master/tls.h"
#include "master/workers.h"

#define COMPLAIN_MS 60000 /* between two lines on the same trouble */

/* Introduce a new connection to who takes those of this kind. */
static void
take(struct bound *b, const struct accepted *a)
{
	struct master *m = b->listeners->master;
	struct msg_conn who = { .listener = b->l.number,
		.scheme = listeners_kinds[b->l.kind].scheme,
		.peer = a->peer,
		.local = b->l.local };
	struct conn *c;

	if (b->l.kind == LISTENER_API &&
	    !access_allows(&m->conf, b->l.kind, &a->peer)) {
		close(a->fd);
		return;
	}
	if (b->l.kind == LISTENER_API && !api_is_secure(m)) {
		api_take(m, a->fd);
		return;
	}
	/* On all addresses: which of them was it? */
	if (b->l.asked.family == ADDR_ANY)
		(void)listen_local(a->fd, &who.local);
	if ((c = conns_add(m->conns, a->fd, &who)) == NULL)
		return;
	c->kind = b->l.kind;
	c->proxied = access_proxied(&m->conf, b->l.kind, &a->peer);
	if (c->kind == LISTENER_API)
		c->who.scheme = SCHEME_HTTPS;
	if (c->kind == LISTENER_API ||
	    listeners_kinds[b->l.kind].role == ROLE_TLS)
		tls_place(m, c);
	else
		edge_place(m, c);
}

/*
 * Out of descriptors: one visitor is told, then nobody is looked at for a
 * while, or the listener would keep the loop busy with nothing.
 */
static void
exhausted(struct listeners *ls, struct bound *b)
{
	struct timeval tv = { LISTENERS_PAUSE_MS / 1000, 0 };
	uint64_t now = clock_ms();

	if (fds_refuse(&ls->master->fds, b->l.fd) == 1)
		ls->refused++;
	if (ls->complained == 0 || now - ls->complained > COMPLAIN_MS) {
		ls->complained = now;
		log_warnx("no descriptors left: connections have to wait");
	}
	listeners_pause(ls);
	evtimer_add(ls->resume, &tv);
}

/* While nobody of that role takes connections, they wait outside. */
static void
pause_idle(struct listeners *ls, enum role role)
{
	struct bound *b;

	if (workers_least(ls->master->workers, role) != NULL)
		return;
	ls->idle[role] = true;
	TAILQ_FOREACH(b, &ls->all, link)
	{
		if (listeners_kinds[b->l.kind].role == role)
			event_del(b->readable);
	}
}

void
listeners_accept(evutil_socket_t fd, short what, void *arg)
{
	struct accepted batch[LISTENERS_BATCH];
	struct bound *b = arg;
	struct listeners *ls = b->listeners;
	enum accept_end end;
	size_t n;

	(void)what;
	n = accept_batch(fd, batch, LISTENERS_BATCH, &end);
	for (size_t i = 0; i < n; i++)
		take(b, &batch[i]);
	ls->accepted += n;
	if (end == ACCEPT_EXHAUSTED) {
		exhausted(ls, b);
	} else if (end == ACCEPT_BROKEN) {
		log_warn("a listener has failed");
		event_del(b->readable);
	} else if (b->l.kind != LISTENER_API) {
		pause_idle(ls, listeners_kinds[b->l.kind].role);
	}
}
