/* Getting a session at one of the servers, and keeping it. */
#include <errno.h>
#include <event2/event.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/attach_impl.h"
#include "client/child.h"
#include "client/grants.h"
#include "client/parent.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/ipc/ctl.h"
#include "common/tunnel/frame.h"

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	attach_begin(arg);
}

struct attach *
attach_new(struct parent *p)
{
	struct attach *a;

	if ((a = calloc(1, sizeof(*a))) == NULL)
		return NULL;
	a->parent = p;
	if ((a->retry = evtimer_new(p->base, on_retry, a)) == NULL) {
		free(a);
		return NULL;
	}
	return a;
}

void
attach_free(struct attach *a)
{
	if (a == NULL)
		return;
	link_free_all(&a->links);
	event_free(a->retry);
	free(a);
}

bool
attach_is_up(const struct attach *a)
{
	return a->session != NULL;
}

void
attach_drop(struct attach *a, struct link *l)
{
	static const uint8_t code = LOGIN_BAD; /* nobody looks at it */

	if (l->state == LINK_LOGIN || l->state == LINK_UP)
		child_send(a->parent->engine, MSG_HS_FAIL, l->conn, &code, 1);
	if (l->state == LINK_LOGIN && !l->ticket)
		child_send(a->parent->proof, MSG_HS_FAIL, l->conn, &code, 1);
	if (a->attempt == l)
		a->attempt = NULL;
	if (a->session == l)
		a->session = NULL;
	link_free(&a->links, l);
}

/* Begin a round after about that long: never all clients at the same time. */
static void
pause_for(struct attach *a, unsigned ms)
{
	unsigned wait = ms / 4 * 3 + randombytes_uniform(ms / 2 + 1);
	struct timeval tv = { (time_t)(wait / 1000),
		(suseconds_t)(wait % 1000 * 1000) };

	if (a->stopped)
		return;
	if (ms > 0)
		log_info(
		    "trying again in %u.%u s", wait / 1000, wait % 1000 / 100);
	evtimer_add(a->retry, &tv);
}

/* A pause that doubles from time to time. */
static void
pause_longer(struct attach *a)
{
	unsigned first = (unsigned)a->parent->conf->reconnect;

	if (a->delay == 0)
		a->delay = first > 0 ? first : 1;
	else
		a->delay *= 2;
	if (a->delay > ATTACH_BACKOFF_MAX)
		a->delay = ATTACH_BACKOFF_MAX;
	pause_for(a, a->delay);
}

void
attach_failed(struct attach *a, struct link *l, const char *why)
{
	log_warnx("%s: %s", l->name, why);
	attach_drop(a, l);
	if (++a->server < a->parent->conf->nservers) {
		attach_begin(a);
		return;
	}
	a->server = 0;
	pause_longer(a);
	/* At boot the network may be late: nobody is to wait for that. */
	parent_ready(a->parent);
}

void
attach_refused(struct attach *a, struct link *l, const char *why)
{
	if (a->ever_in) {
		attach_failed(a, l, why);
		return;
	}
	log_error("%s: refused: %s", l->name, why);
	attach_drop(a, l);
	parent_finish(a->parent, 3);
}

static void
on_deadline(void *arg, struct link *l)
{
	struct attach *a = arg;

	if (l == a->attempt)
		attach_failed(a, l, "no answer in time");
	else
		attach_drop(a, l);
}

static void
on_reached(void *arg, struct link *l, int fd, const char *why)
{
	struct attach *a = arg;

	if (fd != -1 && !l->ticket) {
		attach_log_in(a, l, fd);
	} else if (fd != -1) {
		l->state = LINK_LOGIN;
		link_pass(l, PREFACE_TICKET, fd);
	} else if (l == a->attempt) {
		attach_failed(a, l, why);
	} else {
		log_info("%s: no further tunnel: %s", l->name, why);
		attach_drop(a, l);
	}
}

static const struct link_ops link_ops = { on_reached, on_deadline };

void
attach_begin(struct attach *a)
{
	struct parent *p = a->parent;
	struct link *l;

	evtimer_del(a->retry);
	if (a->stopped || a->attempt != NULL || !child_is_ready(p->engine) ||
	    !child_is_ready(p->proof) ||
	    (p->tls != NULL && !child_is_ready(p->tls)))
		return;
	if (a->server >= p->conf->nservers)
		a->server = 0;
	if ((l = link_new(&a->links, p, a->server, NULL, &link_ops, a)) ==
	    NULL) {
		pause_longer(a);
		return;
	}
	l->plain = a->plain[a->server];
	a->attempt = l;
	log_debug("%s: connecting", l->name);
}

void
attach_start(struct attach *a)
{
	if (a->session == NULL)
		attach_begin(a);
}

void
attach_renew(struct attach *a)
{
	memset(a->plain, 0, sizeof(a->plain));
	if (a->attempt != NULL)
		attach_drop(a, a->attempt);
	a->server = 0;
	attach_begin(a);
}

void
attach_stop(struct attach *a)
{
	a->stopped = true;
	evtimer_del(a->retry);
	if (a->attempt != NULL)
		attach_drop(a, a->attempt);
}

void
attach_engine_gone(struct attach *a)
{
	bool was_up = a->session != NULL;

	if (a->attempt != NULL)
		attach_drop(a, a->attempt);
	a->session = NULL;
	link_free_all(&a->links);
	if (was_up)
		grants_lost(a->parent->grants);
	/* attach_start() comes when the next engine is ready. */
}

void
attach_proof_gone(struct attach *a)
{
	if (a->attempt != NULL && a->attempt->state == LINK_LOGIN)
		attach_failed(a, a->attempt, "the login process died");
}

void
attach_answered(struct attach *a, bool let_in)
{
	if (let_in) {
		a->ever_in = true;
		a->delay = 0;
		return;
	}
	if (a->ever_in || a->stopped)
		return;
	log_error("every name was refused for good");
	parent_finish(a->parent, 3);
}

/* The session has ended. Back at once, unless that was just now, or unwise. */
static void
come_back(struct attach *a, uint8_t away)
{
	uint64_t now = clock_ms(), reconnect = a->parent->conf->reconnect;
	bool unwise = away == GOAWAY_REPLACED || away == GOAWAY_KICKED ||
	    away == GOAWAY_ABUSE || away == GOAWAY_REMOVED;

	if (a->attempt != NULL || a->stopped || evtimer_pending(a->retry, NULL))
		return;
	a->server = 0;
	if (unwise || (a->quick != 0 && now < a->quick + reconnect)) {
		pause_longer(a);
		return;
	}
	a->quick = now;
	attach_begin(a);
}

int
attach_on_link_end(void *child, const struct msg *m)
{
	struct attach *a = child_parent(child)->attach;
	struct link *l = link_find(&a->links, m->id);
	char text[TEXT_ESCAPED];
	const char *why = NULL;
	uint8_t code = 0, away;
	size_t n = 0;
	struct buf b;

	buf_read(&b, m->p, m->n);
	buf_get_u8(&b, &code);
	buf_get_str8(&b, &why, &n);
	if (!buf_done(&b) || code >= END_COUNT)
		return -1;
	if (l == NULL)
		return 0;
	text_escape(text, n > 0 ? why : msg_end_text((enum msg_end)code),
	    n > 0 ? n : strlen(msg_end_text((enum msg_end)code)));
	if (l == a->attempt) {
		attach_failed(a, l, text);
		return 0;
	}
	if (l != a->session) {
		log_debug("%s: tunnel ended: %s", l->name, text);
		link_free(&a->links, l);
		return 0;
	}
	if (!a->stopped)
		log_warnx("%s: the session has ended: %s", l->name, text);
	away = l->away;
	a->session = NULL;
	link_free(&a->links, l);
	grants_lost(a->parent->grants);
	come_back(a, away);
	return 0;
}

int
attach_on_away(void *child, const struct msg *m)
{
	struct attach *a = child_parent(child)->attach;
	struct link *l = link_find(&a->links, m->id);
	char text[TEXT_ESCAPED];
	const char *more = NULL;
	uint8_t reason = 0;
	size_t n = 0;
	struct buf b;

	buf_read(&b, m->p, m->n);
	buf_get_u8(&b, &reason);
	buf_get_str8(&b, &more, &n);
	if (!buf_done(&b))
		return -1;
	if (l == NULL)
		return 0;
	l->away = reason;
	log_at(reason == GOAWAY_DRAIN ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
	    "%s: %s%s%s", l->name, goaway_text((enum goaway)reason),
	    n > 0 ? ": " : "", n > 0 ? text_escape(text, more, n) : "");
	/* The next session stands before this one is left. */
	if (reason == GOAWAY_DRAIN && l == a->session)
		attach_begin(a);
	return 0;
}

int
attach_on_want(void *child, const struct msg *m)
{
	struct attach *a = child_parent(child)->attach;
	struct link *l = a->session;

	/* Only to the same place: the ticket is good at one server alone. */
	if (l != NULL && l->conn == m->id && !a->stopped)
		link_new(&a->links, a->parent, l->server, &l->to, &link_ops, a);
	return 0;
}

int
attach_on_answer(void *child, const struct msg *m)
{
	struct attach *a = child_parent(child)->attach;
	struct link *l = a->session;
	const struct server_addr *s;

	if (l == NULL || l->conn != m->id)
		return 0;
	s = &l->source->conf.servers[l->server];
	/* What a server says is no fault of the engine that passes it on. */
	if (grants_take(a->parent->grants, m->p, m->n, s->host, s->port) == -1)
		log_warnx("%s: its answer about names is malformed", l->name);
	return 0;
}

const char *
attach_server(const struct attach *a, uint32_t conn)
{
	const struct link *l = link_find(&a->links, conn);

	return l == NULL ? NULL : l->name;
}

void
attach_status(const struct attach *a, struct ctl_row *row)
{
	const struct link *l = a->session != NULL ? a->session : a->attempt;
	const struct client_conf *c = a->parent->conf;

	ctl_row_str(row, "state",
	    a->session != NULL	     ? "up"
		: a->attempt != NULL ? "connecting"
				     : "waiting");
	ctl_row_str(row, "server", l != NULL ? l->name : NULL);
	ctl_row_str(row, "id",
	    l != NULL ? l->source->conf.servers[l->server].id
		      : c->servers[0].id);
	if (a->session != NULL)
		ctl_row_num(
		    row, "session_seconds", (clock_ms() - l->up_at) / 1000);
}
