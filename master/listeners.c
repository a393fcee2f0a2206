/* The public addresses. */
#include "master/listeners.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "master/listeners_impl.h"
#include "master/workers.h"

#define HTTPS_PORT 443

const struct listeners_kind listeners_kinds[LISTENER_KINDS] = {
	[LISTENER_HTTP] = { "http", true, ROLE_HTTP, SCHEME_HTTP, false },
	[LISTENER_REDIRECT] = { "http_redirect", true, ROLE_HTTP, SCHEME_HTTP,
	    false },
	[LISTENER_SNI] = { "sni", true, ROLE_SNI, SCHEME_SNI, true },
	[LISTENER_API] = { "api", true, ROLE_API, SCHEME_HTTP, false },
	[LISTENER_TLS] = { "tls", true, ROLE_TLS, SCHEME_HTTPS, true },
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
		 listeners_accept, b)) == NULL) {
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

	fd = listen_open(asked, listeners_kinds[kind].defer, why);
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
			    listeners_kinds[kind].name, reason);
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
		if (!b->fresh && !ls->idle[listeners_kinds[b->l.kind].role])
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
		if (listeners_kinds[b->l.kind].https &&
		    b->l.local.port == HTTPS_PORT)
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
		if (listeners_kinds[b->l.kind].role == role &&
		    b->l.kind != LISTENER_REDIRECT)
			return b->l.local.port;
	}
	return 0;
}

const char *
listener_kind_name(enum listener_kind kind)
{
	return listeners_kinds[kind].name;
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
