/* The services that are published. */
#include "client/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "client/child.h"
#include "client/conf_compare.h"
#include "client/conf_ports.h"
#include "client/engine_conf.h"
#include "client/gates.h"
#include "client/grants.h"
#include "client/locals.h"
#include "client/secure.h"
#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/tunnel/services.h"

struct catalog *
catalog_new(struct parent *p)
{
	struct catalog *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->parent = p;
	TAILQ_INIT(&c->entries);
	return c;
}

static void
entry_free(struct catalog *c, struct entry *e)
{
	TAILQ_REMOVE(&c->entries, e, link);
	c->count--;
	locals_forget(e->target);
	grants_forget(e);
	source_drop(e->source);
	free(e);
}

void
catalog_free(struct catalog *c)
{
	if (c == NULL)
		return;
	while (!TAILQ_EMPTY(&c->entries))
		entry_free(c, TAILQ_FIRST(&c->entries));
	free(c);
}

struct entry *
catalog_find(const struct catalog *c, uint16_t index)
{
	struct entry *e;

	TAILQ_FOREACH(e, &c->entries, link)
	{
		if (e->index == index)
			return e;
	}
	return NULL;
}

static struct entry *
entry_new(struct catalog *c, struct source *s, const struct client_service *v)
{
	struct entry *e;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		return NULL;
	if ((e->target = locals_target(c->parent, v)) == NULL) {
		free(e);
		return NULL;
	}
	do
		e->index = c->next++;
	while (catalog_find(c, e->index) != NULL);
	locals_number(e->target, e->index);
	e->source = source_use(s);
	e->conf = v;
	TAILQ_INSERT_TAIL(&c->entries, e, link);
	c->count++;
	return e;
}

/* How one service is to be treated, for the engine. */
static void
tell_engine(const struct catalog *c, const struct entry *e)
{
	const struct client_service *v = e->conf;
	const struct engine_service s = {
		.index = e->index,
		.timeout = (uint32_t)v->timeout,
		.pair = v->local.scheme == LOCAL_HTTPS,
		.proxy = (uint8_t)v->proxy_protocol,
		.datagrams = v->local.scheme == LOCAL_UDP,
		.label = v->local_text,
		.host = v->rewrite_host,
		.nremove = v->remove_headers.n,
		.remove = (const char *const *)v->remove_headers.v,
	};
	uint8_t payload[MSG_PAYLOAD_MAX];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	if (engine_conf_put_service(&b, &s) == 0)
		child_send(c->parent->engine, MSG_ENGINE_CONF, 0, payload,
		    buf_used(&b));
	else
		log_warnx("%s: its headers do not fit", v->local_text);
	if (v->local.scheme == LOCAL_HTTPS)
		secure_configure(c->parent, e->index, v);
}

/* How its users are to come. */
static void
set_way(struct service *s, const struct client_service *v)
{
	if (v->local.scheme == LOCAL_TLS)
		s->kind = SERVICE_TLS;
	else if (v->local.scheme == LOCAL_UDP)
		s->kind = SERVICE_UDP;
	else
		s->kind = conf_ports_is_raw(v) ? SERVICE_TCP : SERVICE_HTTP;
	s->flags |= v->random ? SERVICE_RANDOM : 0;
	s->flags |= v->tls ? SERVICE_ENDS_TLS : 0;
	s->port = v->port;
	s->port_last = v->port_last;
	s->idle_ms = (uint32_t)v->timeout;
	/* By server name nobody can be asked for a token, or be rewritten. */
	if (v->local.scheme == LOCAL_HTTPS && !v->private && v->basic == NULL &&
	    v->rewrite_host == NULL && v->remove_headers.n == 0)
		s->flags |= SERVICE_SNI;
}

/* The list as the server is to know it. */
static int
put_offer(const struct catalog *c, struct buf *b)
{
	struct services list = { .serial = c->serial };
	struct service rows[SERVICES_MAX];
	const struct entry *e;
	int ret;

	memset(rows, 0, sizeof(rows));
	list.list = rows;
	TAILQ_FOREACH(e, &c->entries, link)
	{
		struct service *s = &rows[list.count++];

		s->index = e->index;
		set_way(s, e->conf);
		gates_offer(s, e->conf, c->id);
		s->streams = (uint32_t)e->conf->streams;
		s->speed = e->conf->speed;
		s->nnames = (uint8_t)e->conf->names.n;
		s->names = calloc(s->nnames + 1u, sizeof(*s->names));
		for (size_t i = 0; s->names != NULL && i < s->nnames; i++)
			strncpy(
			    s->names[i], e->conf->names.v[i], TEXT_NAME_MAX);
		if (s->names == NULL)
			s->nnames = 0;
	}
	ret = services_put(b, &list);
	for (size_t i = 0; i < list.count; i++)
		free(rows[i].names);
	return ret;
}

void
catalog_names(const struct catalog *c, struct names *names)
{
	const struct entry *e;
	bool fit = true;

	memset(names, 0, sizeof(*names));
	TAILQ_FOREACH(e, &c->entries, link)
	{
		for (size_t i = 0; i < e->conf->names.n; i++)
			fit &= names_add(names, e->conf->names.v[i]) == 0;
	}
	if (!fit)
		log_debug("the names are too many for a plain login: a server "
			  "that has them checked will refuse some");
}

static void
send_offer(const struct catalog *c)
{
	uint8_t payload[SERVICES_BYTES];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	if (put_offer(c, &b) == 0)
		child_send(
		    c->parent->engine, MSG_OFFER, 0, payload, buf_used(&b));
	else
		log_error("the names of all services do not fit a message");
}

void
catalog_boot(const struct catalog *c)
{
	const struct entry *e;

	TAILQ_FOREACH(e, &c->entries, link)
	{
		tell_engine(c, e);
	}
	send_offer(c);
}

void
catalog_offer(struct catalog *c)
{
	c->serial++;
	send_offer(c);
}

void
catalog_identify(struct catalog *c, const char *id)
{
	if (strcmp(c->id, id) == 0)
		return;
	strncpy(c->id, id, sizeof(c->id) - 1);
	catalog_offer(c);
}

static void
drop(struct catalog *c, struct entry *e)
{
	uint8_t payload[8];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	engine_conf_put_gone(&b, e->index);
	child_send(
	    c->parent->engine, MSG_ENGINE_CONF, 0, payload, buf_used(&b));
	entry_free(c, e);
}

/* The entry of an older source that is just this service, or NULL. */
static struct entry *
find_same(const struct catalog *c, const struct source *s,
    const struct client_service *v, bool added)
{
	struct entry *e;

	TAILQ_FOREACH(e, &c->entries, link)
	{
		if (e->source != s && (added || !e->added) &&
		    conf_compare_same(e->conf, v))
			return e;
	}
	return NULL;
}

/* Whether the services of s may stand beside those that stay. */
static int
check(
    const struct catalog *c, const struct source *s, bool all, const char **why)
{
	const struct client_service_list *list = &s->conf.services;
	size_t stay = 0;
	struct entry *e;

	TAILQ_FOREACH(e, &c->entries, link)
	{
		if (!all && !e->added)
			continue;
		stay++;
		for (size_t i = 0; i < list->n; i++) {
			if (conf_compare_collide(e->conf, &list->v[i])) {
				*why = "another service has that name or port";
				return -1;
			}
		}
	}
	if (stay + list->n > SERVICES_MAX) {
		*why = "too many services";
		return -1;
	}
	return 0;
}

int
catalog_load(struct catalog *c, struct source *s, const char **why)
{
	const struct client_service_list *list = &s->conf.services;
	struct entry *e, *next;

	if (check(c, s, false, why) == -1)
		return -1;
	for (size_t i = 0; i < list->n; i++) {
		if ((e = find_same(c, s, &list->v[i], false)) != NULL) {
			source_drop(e->source);
			e->source = source_use(s);
			e->conf = &list->v[i];
		} else if ((e = entry_new(c, s, &list->v[i])) != NULL) {
			tell_engine(c, e);
		}
	}
	for (e = TAILQ_FIRST(&c->entries); e != NULL; e = next) {
		next = TAILQ_NEXT(e, link);
		if (e->source != s && !e->added)
			drop(c, e);
	}
	catalog_offer(c);
	return 0;
}

int
catalog_add(struct catalog *c, struct source *s, const char **why)
{
	const struct client_service_list *list = &s->conf.services;
	struct entry *e;

	if (check(c, s, true, why) == -1)
		return -1;
	for (size_t i = 0; i < list->n; i++) {
		if ((e = entry_new(c, s, &list->v[i])) == NULL)
			continue;
		e->added = true;
		tell_engine(c, e);
	}
	catalog_offer(c);
	return 0;
}

static bool
is_named(const struct entry *e, const char *what)
{
	if (strcmp(e->conf->local_text, what) == 0)
		return true;
	for (size_t i = 0; i < e->conf->names.n; i++) {
		if (strcasecmp(e->conf->names.v[i], what) == 0)
			return true;
	}
	return false;
}

size_t
catalog_remove(struct catalog *c, const char *what)
{
	struct entry *e, *next;
	size_t n = 0;

	for (e = TAILQ_FIRST(&c->entries); e != NULL; e = next) {
		next = TAILQ_NEXT(e, link);
		if (!is_named(e, what))
			continue;
		drop(c, e);
		n++;
	}
	if (n > 0)
		catalog_offer(c);
	return n;
}

size_t
catalog_remove_same(struct catalog *c, const struct source *s)
{
	const struct client_service_list *list = &s->conf.services;
	struct entry *e;
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		if ((e = find_same(c, s, &list->v[i], true)) == NULL)
			continue;
		drop(c, e);
		n++;
	}
	if (n > 0)
		catalog_offer(c);
	return n;
}
