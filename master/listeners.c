/* The public addresses. */
#include "master/listeners.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/net/accept.h"
#include "master/access.h"
#include "master/api.h"
#include "master/clock.h"
#include "master/conns.h"
#include "master/edge.h"
#include "master/tls.h"
#include "master/workers.h"

#define HTTPS_PORT 443
#define COMPLAIN_MS 60000 /* between two lines on the same trouble */

/* How the listeners of a kind are made, and who takes their connections. */
struct kind {
	const char *name;
	bool defer; /* TCP_DEFER_ACCEPT: whoever comes speaks first */
	enum role role;
	uint8_t scheme; /* enum msg_scheme */
	bool https;	/* users come by https:// */
};

static const struct kind kinds[LISTENER_KINDS] = {
	[LISTENER_HTTP] = { "http", true, ROLE_HTTP, SCHEME_HTTP, false },
	[LISTENER_REDIRECT] = { "http_redirect", true, ROLE_HTTP, SCHEME_HTTP,
	    false },
	[LISTENER_SNI] = { "sni", true, ROLE_SNI, SCHEME_SNI, true },
	[LISTENER_API] = { "api", true, ROLE_API, SCHEME_HTTP, false },
	[LISTENER_TLS] = { "tls", true, ROLE_TLS, SCHEME_HTTPS, true },
};

struct bound {
	struct listener l;
	struct listeners *listeners;
	struct event *readable;
	bool fresh;  /* prepared, not committed */
	bool wanted; /* in the list that was prepared */
	TAILQ_ENTRY(bound) link;
};

struct listeners {
	struct master *master;
	TAILQ_HEAD(, bound) all;
	struct event *resume; /* after a pause for want of descriptors */
	uint16_t number;
	bool open;	       /* we serve */
	bool paused;	       /* for want of descriptors */
	bool idle[ROLE_COUNT]; /* nobody of that role takes a connection */
	uint64_t accepted, refused;
	uint64_t complained;
};

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	listeners_resume(arg);
}

struct listeners *
listeners_new(struct master *m)
{
	struct listeners *ls;

	if ((ls = calloc(1, sizeof(*ls))) == NULL)
		return NULL;
	ls->master = m;
	TAILQ_INIT(&ls->all);
	if ((ls->resume = evtimer_new(m->base, on_resume, ls)) == NULL) {
		free(ls);
		return NULL;
	}
	return ls;
}

static void
drop(struct listeners *ls, struct bound *b)
{
	TAILQ_REMOVE(&ls->all, b, link);
	event_free(b->readable);
	close(b->l.fd);
	free(b);
}

void
listeners_close(struct listeners *ls)
{
	struct bound *b;

	while ((b = TAILQ_FIRST(&ls->all)) != NULL)
		drop(ls, b);
}

void
listeners_free(struct listeners *ls)
{
	if (ls == NULL)
		return;
	listeners_close(ls);
	event_free(ls->resume);
	free(ls);
}

/* Introduce a new connection to who takes those of this kind. */
static void
take(struct bound *b, const struct accepted *a)
{
	struct master *m = b->listeners->master;
	struct msg_conn who = { .listener = b->l.number,
		.scheme = kinds[b->l.kind].scheme,
		.peer = a->peer,
		.local = b->l.local };
	struct conn *c;

	if (b->l.kind == LISTENER_API) {
		if (access_allows(&m->conf, b->l.kind, &a->peer))
			api_take(m, a->fd);
		else
			close(a->fd);
		return;
	}
	/* On all addresses: which of them was it? */
	if (b->l.asked.family == ADDR_ANY)
		(void)listen_local(a->fd, &who.local);
	if ((c = conns_add(m->conns, a->fd, &who)) == NULL)
		return;
	c->kind = b->l.kind;
	c->proxied = access_proxied(&m->conf, b->l.kind, &a->peer);
	if (kinds[b->l.kind].role == ROLE_TLS)
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
		if (kinds[b->l.kind].role == role)
			event_del(b->readable);
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
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
		pause_idle(ls, kinds[b->l.kind].role);
	}
}

static struct bound *
add(struct listeners *ls, enum listener_kind kind, const struct addr *asked,
    int fd)
{
	struct bound *b;
	uint16_t port;

	if ((b = calloc(1, sizeof(*b))) == NULL)
		return NULL;
	b->listeners = ls;
	b->l.kind = (uint8_t)kind;
	b->l.asked = *asked;
	b->l.fd = fd;
	if (listen_local(fd, &b->l.local) == -1 ||
	    (b->readable = event_new(ls->master->base, fd, EV_READ | EV_PERSIST,
		 on_readable, b)) == NULL) {
		free(b);
		return NULL;
	}
	if (asked->family == ADDR_ANY) {
		port = b->l.local.port;
		b->l.local = *asked;
		b->l.local.port = port;
	}
	b->l.number = ls->number++;
	TAILQ_INSERT_TAIL(&ls->all, b, link);
	return b;
}

static int
bind_one(struct listeners *ls, enum listener_kind kind,
    const struct addr *asked, char why[static LISTEN_WHY])
{
	struct bound *b;
	int fd;

	fd = listen_open(asked, kinds[kind].defer, why);
	if (fd == -1)
		return -1;
	if ((b = add(ls, kind, asked, fd)) == NULL) {
		snprintf(why, LISTEN_WHY, "%s", strerror(errno));
		close(fd);
		return -1;
	}
	b->fresh = b->wanted = true;
	return 0;
}

static struct bound *
find(struct listeners *ls, enum listener_kind kind, const struct addr *asked)
{
	struct bound *b;

	TAILQ_FOREACH(b, &ls->all, link)
	{
		if (!b->wanted && b->l.kind == kind &&
		    addr_equal(&b->l.asked, asked))
			return b;
	}
	return NULL;
}

static int
prepare(struct listeners *ls, enum listener_kind kind,
    const struct addr_list *addrs, char why[static LISTENERS_WHY])
{
	char reason[LISTEN_WHY];
	struct bound *b;

	for (size_t i = 0; i < addrs->n; i++) {
		if ((b = find(ls, kind, &addrs->v[i])) != NULL) {
			b->wanted = true;
		} else if (bind_one(ls, kind, &addrs->v[i], reason) == -1) {
			snprintf(why, LISTENERS_WHY, "listen.%s: %s",
			    kinds[kind].name, reason);
			return -1;
		}
	}
	return 0;
}

int
listeners_prepare(struct listeners *ls, const struct server_conf *conf,
    char why[static LISTENERS_WHY])
{
	struct bound *b;

	TAILQ_FOREACH(b, &ls->all, link)
	b->wanted = false;
	if (prepare(ls, LISTENER_HTTP, &conf->listen_http, why) == 0 &&
	    prepare(ls, LISTENER_REDIRECT, &conf->listen_http_redirect, why) ==
		0 &&
	    prepare(ls, LISTENER_SNI, &conf->listen_sni, why) == 0 &&
	    prepare(ls, LISTENER_API, &conf->listen_api, why) == 0 &&
	    prepare(ls, LISTENER_TLS, &conf->listen_tls, why) == 0)
		return 0;
	listeners_abort(ls);
	return -1;
}

void
listeners_abort(struct listeners *ls)
{
	struct bound *b, *next;

	for (b = TAILQ_FIRST(&ls->all); b != NULL; b = next) {
		next = TAILQ_NEXT(b, link);
		if (b->fresh)
			drop(ls, b);
	}
}

void
listeners_commit(struct listeners *ls)
{
	struct bound *b, *next;

	for (b = TAILQ_FIRST(&ls->all); b != NULL; b = next) {
		next = TAILQ_NEXT(b, link);
		b->fresh = false;
		if (!b->wanted)
			drop(ls, b);
	}
	if (ls->open)
		listeners_open(ls);
}

int
listeners_adopt(struct listeners *ls, enum listener_kind kind,
    const struct addr *asked, uint16_t number, int fd)
{
	struct bound *b;

	if ((b = add(ls, kind, asked, fd)) == NULL)
		return -1;
	b->l.number = number;
	if (ls->number <= number)
		ls->number = (uint16_t)(number + 1);
	return 0;
}

void
listeners_open(struct listeners *ls)
{
	struct bound *b;

	ls->open = true;
	if (ls->paused)
		return;
	TAILQ_FOREACH(b, &ls->all, link)
	{
		if (!b->fresh && !ls->idle[kinds[b->l.kind].role])
			event_add(b->readable, NULL);
	}
}

void
listeners_pause(struct listeners *ls)
{
	struct bound *b;

	ls->paused = true;
	TAILQ_FOREACH(b, &ls->all, link)
	event_del(b->readable);
}

void
listeners_resume(struct listeners *ls)
{
	bool changed = ls->paused;

	if (evtimer_pending(ls->resume, NULL))
		return;
	ls->paused = false;
	for (unsigned role = 0; role < ROLE_COUNT; role++) {
		if (!ls->idle[role] ||
		    workers_least(ls->master->workers, (enum role)role) == NULL)
			continue;
		ls->idle[role] = false;
		changed = true;
	}
	if (changed && ls->open)
		listeners_open(ls);
}

void
listeners_each(const struct listeners *ls,
    void (*fn)(void *arg, const struct listener *l), void *arg)
{
	const struct bound *b;

	TAILQ_FOREACH(b, &ls->all, link)
	fn(arg, &b->l);
}

uint16_t
listeners_https_port(const struct listeners *ls)
{
	uint16_t port = listeners_port(ls, ROLE_TLS);
	const struct bound *b;

	TAILQ_FOREACH(b, &ls->all, link)
	{
		if (kinds[b->l.kind].https && b->l.local.port == HTTPS_PORT)
			return HTTPS_PORT;
	}
	if (port == 0)
		port = listeners_port(ls, ROLE_SNI);
	return port != 0 ? port : HTTPS_PORT;
}

uint16_t
listeners_port(const struct listeners *ls, enum role role)
{
	const struct bound *b;

	TAILQ_FOREACH(b, &ls->all, link)
	{
		if (kinds[b->l.kind].role == role &&
		    b->l.kind != LISTENER_REDIRECT)
			return b->l.local.port;
	}
	return 0;
}

const char *
listener_kind_name(enum listener_kind kind)
{
	return kinds[kind].name;
}

uint64_t
listeners_accepted(const struct listeners *ls)
{
	return ls->accepted;
}

uint64_t
listeners_refused(const struct listeners *ls)
{
	return ls->refused;
}
