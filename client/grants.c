/* What the server made of our services. */
#include "client/grants.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/attach.h"
#include "client/catalog.h"
#include "client/parent.h"
#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/base/service_name.h"
#include "common/conf/hostport.h"

#define HTTP_PORT 80 /* left out of a URL, */
#define HTTPS_PORT 443

struct grants {
	struct parent *parent;
	struct event *retry;
	unsigned delay; /* ms until the next time */
};

/* How an answer came out, over all names. */
struct tally {
	unsigned granted, taken, refused;
};

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct grants *g = arg;

	(void)fd;
	(void)what;
	if (attach_is_up(g->parent->attach))
		catalog_offer(g->parent->catalog);
}

struct grants *
grants_new(struct parent *p)
{
	struct grants *g;

	if ((g = calloc(1, sizeof(*g))) == NULL)
		return NULL;
	g->parent = p;
	g->delay = GRANTS_RETRY_MS;
	if ((g->retry = evtimer_new(p->base, on_retry, g)) == NULL) {
		free(g);
		return NULL;
	}
	return g;
}

void
grants_free(struct grants *g)
{
	if (g == NULL)
		return;
	event_free(g->retry);
	free(g);
}

/* Ports are reached at the server itself. */
static bool
is_port(const struct granted *g)
{
	return g->way == GRANT_WAY_TCP || g->way == GRANT_WAY_UDP;
}

static const char *
way_name(const struct granted *g)
{
	return g->way == GRANT_WAY_UDP ? "udp" : "tcp";
}

static char *
port_url(char dst[GRANTS_URL], const struct granted *g, const char *host)
{
	char where[HOSTPORT_TEXT];

	if (g->host[0] != '\0')
		host = g->host;
	snprintf(dst, GRANTS_URL, "%s://%s", way_name(g),
	    hostport_format(where, host, g->opened, 0));
	return dst;
}

char *
grants_url(char dst[GRANTS_URL], const struct granted *g, const char *host,
    uint16_t port)
{
	bool sni = g->way == GRANT_WAY_SNI;
	uint16_t usual = sni ? HTTPS_PORT : HTTP_PORT;
	const char *scheme = sni ? "https" : "http";
	char where[HOSTPORT_TEXT], name[2 * TEXT_NAME_MAX + 2];
	bool full = strchr(g->host, '.') != NULL;
	struct addr a;

	if (g->opened != 0)
		port = g->opened;
	if (g->url[0] != '\0') {
		snprintf(dst, GRANTS_URL, "%s", g->url);
	} else if (is_port(g)) {
		return port_url(dst, g, host);
	} else if (strchr(g->host, ':') != NULL ||
	    (!full && addr_parse_ip(&a, host) == 0)) {
		snprintf(dst, GRANTS_URL, "%s://%s (%s: %s)", scheme,
		    hostport_format(where, host, port, usual),
		    sni ? "server name" : "Host", g->host);
	} else {
		snprintf(name, sizeof(name), "%s%s%s", g->host, full ? "" : ".",
		    full ? "" : host);
		if (port == usual)
			snprintf(dst, GRANTS_URL, "%s://%s", scheme, name);
		else
			snprintf(
			    dst, GRANTS_URL, "%s://%s:%u", scheme, name, port);
	}
	return dst;
}

/* The row that an answer is about, made if need be. NULL: no memory. */
static struct grant_row *
row_of(struct entry *e, const struct granted *in)
{
	struct grant_row *more;

	for (size_t i = 0; i < e->nrows; i++) {
		if (e->rows[i].way == in->way && e->rows[i].port == in->port &&
		    strcmp(e->rows[i].name, in->name) == 0)
			return &e->rows[i];
	}
	if (e->nrows >= GRANTS_ROWS_MAX ||
	    (more = realloc(e->rows, (e->nrows + 1) * sizeof(*more))) == NULL)
		return NULL;
	e->rows = more;
	more += e->nrows++;
	memset(more, 0, sizeof(*more));
	more->code = GRANT_CODES; /* none yet */
	more->way = in->way;
	more->port = in->port;
	strcpy(more->name, in->name);
	return more;
}

/* A service of bytes by its name: HTTP's CONNECT leads to it. */
static void
connect_text(char dst[GRANTS_URL], const struct granted *g, const char *host,
    uint16_t port)
{
	char where[HOSTPORT_TEXT];
	struct addr a;
	bool whole =
	    strchr(g->host, '.') != NULL || addr_parse_ip(&a, host) == 0;

	snprintf(dst, GRANTS_URL, "%s%s%s (CONNECT through %s)", g->host,
	    whole ? "" : ".", whole ? "" : host,
	    hostport_format(where, host, g->opened != 0 ? g->opened : port, 0));
}

/* Of a range: up to which port. */
static void
add_last(char url[GRANTS_URL], const struct client_service *v,
    const struct granted *in)
{
	size_t n = strlen(url);

	if (is_port(in) && v->port_last > v->port)
		snprintf(url + n, GRANTS_URL - n, "-%u",
		    in->opened + (v->port_last - v->port));
}

static void
say_granted(const struct entry *e, struct grant_row *row,
    const struct granted *in, const char *host, uint16_t port)
{
	char url[TEXT_ESCAPED];
	bool again = row->code == GRANT_OK;

	if (e->conf->local.scheme == LOCAL_TCP && in->way == GRANT_WAY_HTTP)
		connect_text(row->url, in, host, port);
	else
		grants_url(row->url, in, host, port);
	add_last(row->url, e->conf, in);
	if (e->conf->tls && strncmp(row->url, "tcp", 3) == 0)
		memcpy(row->url, "tls", 3);
	text_escape(url, row->url, strlen(row->url));
	snprintf(row->url, sizeof(row->url), "%s", url);
	/* What was said once and is still true is not said again. */
	if (strcmp(row->said, row->url) != 0) {
		printf(
		    "%s is reachable at %s\n", e->conf->local_text, row->url);
		fflush(stdout);
		strcpy(row->said, row->url);
	}
	if (!again)
		log_info(
		    "%s is reachable at %s", e->conf->local_text, row->url);
}

/* Since when somebody else has it, as a clock shows it: " since ...". */
static void
since_text(char *dst, size_t size, uint32_t since)
{
	time_t then = time(NULL) - (time_t)since;
	struct tm tm;

	if (gmtime_r(&then, &tm) == NULL ||
	    strftime(dst, size, " since %Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(dst, size, " for %u s", since);
}

/* What a row is about: "www", "the id", "tcp port 6000-6010". */
static void
what_text(
    char *dst, size_t size, const struct entry *e, const struct granted *in)
{
	const struct client_service *v = e->conf;

	if (!is_port(in))
		snprintf(
		    dst, size, "%s", in->name[0] != '\0' ? in->name : "the id");
	else if (in->port == 0)
		snprintf(dst, size, "any %s port", way_name(in));
	else if (v->port_last > in->port)
		snprintf(dst, size, "%s port %u-%u", way_name(in), in->port,
		    v->port_last);
	else
		snprintf(dst, size, "%s port %u", way_name(in), in->port);
}

static void
say_refused(const struct entry *e, const struct grant_row *row,
    const struct granted *in)
{
	char since[40], name[TEXT_NAME_MAX + 1];

	if (row->code == in->code) /* as before: said already */
		return;
	what_text(name, sizeof(name), e, in);
	if (in->code == GRANT_PORT_TAKEN) {
		log_warnx("%s: %s: %s; it will be asked for again",
		    e->conf->local_text, name, grant_text(GRANT_PORT_TAKEN));
	} else if (in->code == GRANT_TAKEN) {
		since[0] = '\0';
		if (in->since != GRANT_SINCE_AWAY)
			since_text(since, sizeof(since), in->since);
		log_warnx("%s: %s is taken: %s%s; it will be asked for again",
		    e->conf->local_text, name, granted_text(in), since);
	} else if (in->code == GRANT_ROLLED_BACK) {
		log_warnx("%s: %s waits: %s", e->conf->local_text, name,
		    grant_text(GRANT_ROLLED_BACK));
	} else {
		log_error("%s: %s is refused: %s", e->conf->local_text, name,
		    grant_text((enum grant)in->code));
	}
}

/* CONNECT reaches a tls:// service as well: nobody needs a line for that. */
static bool
is_aside(const struct entry *e, const struct granted *in)
{
	return e->conf->local.scheme == LOCAL_TLS && in->way == GRANT_WAY_HTTP;
}

static int
take_row(struct grants *g, const struct granted *in, struct tally *t,
    const char *host, uint16_t port)
{
	struct entry *e = catalog_find(g->parent->catalog, in->index);
	char text[TEXT_NAME_MAX + 1];
	struct grant_row *row;

	/* Names come back as they were asked for: in one form. */
	if (in->name[0] != '\0' &&
	    service_name_parse(text, in->name, strlen(in->name)) == -1)
		return -1;
	if (e == NULL) /* removed meanwhile */
		return 0;
	if ((row = row_of(e, in)) == NULL)
		return 0;
	if (in->code == GRANT_OK && is_aside(e, in)) {
		snprintf(row->url, sizeof(row->url), "CONNECT %s", in->host);
		t->granted++;
	} else if (in->code == GRANT_OK) {
		say_granted(e, row, in, host, port);
		t->granted++;
	} else {
		say_refused(e, row, in);
		row->url[0] = row->said[0] = '\0';
		if (in->code == GRANT_TAKEN || in->code == GRANT_PORT_TAKEN ||
		    in->code == GRANT_ROLLED_BACK)
			t->taken++;
		else
			t->refused++;
	}
	row->code = in->code;
	return 0;
}

/* Ask again for what is taken. */
static void
schedule(struct grants *g)
{
	struct timeval tv = { (time_t)(g->delay / 1000),
		(suseconds_t)(g->delay % 1000 * 1000) };

	evtimer_add(g->retry, &tv);
	g->delay *= 2;
	if (g->delay > GRANTS_RETRY_MAX)
		g->delay = GRANTS_RETRY_MAX;
}

int
grants_take(struct grants *g, const uint8_t *p, size_t n, const char *host,
    uint16_t port)
{
	struct tally t = { 0 };
	struct granted in;
	uint32_t serial;
	uint16_t count;
	struct buf b;

	buf_read(&b, p, n);
	if (granted_get_head(&b, &serial, &count) == -1)
		return -1;
	/* An answer to what we do not ask any more: another will come. */
	if (serial != g->parent->catalog->serial)
		return 0;
	for (uint16_t i = 0; i < count; i++) {
		if (granted_get(&b, &in) == -1 ||
		    take_row(g, &in, &t, host, port) == -1)
			return -1;
	}
	if (!buf_done(&b))
		return -1;
	if (t.taken > 0) {
		schedule(g);
	} else {
		evtimer_del(g->retry);
		g->delay = GRANTS_RETRY_MS;
	}
	if (t.granted > 0)
		parent_ready(g->parent);
	attach_answered(g->parent->attach, t.granted + t.taken > 0);
	return 0;
}

void
grants_lost(struct grants *g)
{
	struct entry *e;

	evtimer_del(g->retry);
	g->delay = GRANTS_RETRY_MS;
	TAILQ_FOREACH(e, &g->parent->catalog->entries, link)
	{
		for (size_t i = 0; i < e->nrows; i++) {
			if (e->rows[i].code == GRANT_OK)
				e->rows[i].code = GRANT_CODES;
			e->rows[i].url[0] = '\0';
		}
	}
}

void
grants_forget(struct entry *e)
{
	free(e->rows);
	e->rows = NULL;
	e->nrows = 0;
}
