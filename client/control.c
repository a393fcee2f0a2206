/* What ptpctl may ask of a running ptp. */
#include "client/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/attach.h"
#include "client/catalog.h"
#include "client/child.h"
#include "client/dirs.h"
#include "client/gates.h"
#include "client/grants.h"
#include "client/parent.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/ipc/ctl_listen.h"
#include "common/ipc/ctl_server.h"
#include "common/tunnel/services.h"

#define SHOWS_MAX 32 /* calls that wait for an engine */
#define STOP_CALLS 4 /* controllers that are told when it is over */

struct control {
	struct parent *parent;
	struct ctl_server *server;
	struct show {
		uint32_t number; /* 0: free */
		struct ctl_call *call;
		struct show *self; /* so that it knows its place when gone */
	} shows[SHOWS_MAX];
	uint32_t last;
	char *path; /* of its socket, whatever a reload says */
	struct ctl_call *stops[STOP_CALLS]; /* answered when all is over */
	size_t nstops;
};

static void
do_status(struct control *c, struct ctl_call *call)
{
	const struct parent *p = c->parent;
	struct ctl_row row;

	ctl_shape(call, CTL_OBJECT);
	ctl_row_begin(&row);
	ctl_row_str(&row, "version", PTP_VERSION);
	ctl_row_num(&row, "pid", (uint64_t)getpid());
	ctl_row_num(&row, "seconds", (clock_ms() - p->started) / 1000);
	attach_status(p->attach, &row);
	ctl_row_num(&row, "services", p->catalog->count);
	ctl_row(call, &row);
	ctl_ok(call);
}

static void
service_row(
    struct ctl_call *call, const struct entry *e, const struct grant_row *g)
{
	const char *state = g == NULL || g->code == GRANT_CODES
	    ? "waiting"
	    : grant_text((enum grant)g->code);
	char gates[SERVICE_GATES_TEXT];
	struct ctl_row row;

	ctl_row_begin(&row);
	ctl_row_num(&row, "service", e->index);
	ctl_row_str(&row, "local", e->conf->local_text);
	ctl_row_str(&row, "name",
	    g == NULL		     ? NULL
		: g->name[0] != '\0' ? g->name
		: g->port != 0	     ? e->conf->ports
				     : NULL);
	ctl_row_str(&row, "state", state);
	ctl_row_str(&row, "gates", gates_text(gates, e->conf));
	ctl_row_str(
	    &row, "url", g != NULL && g->url[0] != '\0' ? g->url : NULL);
	ctl_row(call, &row);
}

static void
show_services(struct control *c, struct ctl_call *call)
{
	const struct entry *e;

	ctl_shape(call, CTL_LIST);
	TAILQ_FOREACH(e, &c->parent->catalog->entries, link)
	{
		for (size_t i = 0; i < e->nrows; i++)
			service_row(call, e, &e->rows[i]);
		if (e->nrows == 0)
			service_row(call, e, NULL);
	}
	ctl_ok(call);
}

static void
on_gone(void *arg)
{
	struct show *s = arg;

	s->number = 0;
}

static void
ask_engine(struct control *c, struct ctl_call *call, enum msg_show what)
{
	uint8_t byte = (uint8_t)what;
	struct show *s = c->shows;

	while (s < c->shows + SHOWS_MAX && s->number != 0)
		s++;
	if (s == c->shows + SHOWS_MAX || !child_is_ready(c->parent->engine)) {
		ctl_fail(call, "the engine does not answer now");
		return;
	}
	if ((s->number = ++c->last) == 0)
		s->number = ++c->last;
	s->call = call;
	ctl_on_gone(call, on_gone, s);
	ctl_shape(call, CTL_LIST);
	child_send(c->parent->engine, MSG_SHOW, s->number, &byte, 1);
}

int
control_on_row(void *child, const struct msg *m)
{
	struct control *c = child_parent(child)->control;

	for (struct show *s = c != NULL ? c->shows : NULL;
	    s != NULL && s < c->shows + SHOWS_MAX; s++) {
		if (s->number != m->id || m->id == 0)
			continue;
		if (m->n > 0) {
			ctl_row_raw(s->call, m->p, m->n);
		} else {
			s->number = 0;
			ctl_ok(s->call);
		}
		break;
	}
	return 0;
}

void
control_engine_gone(struct control *c)
{
	for (int i = 0; c != NULL && i < SHOWS_MAX; i++) {
		if (c->shows[i].number == 0)
			continue;
		c->shows[i].number = 0;
		ctl_fail(c->shows[i].call, "the engine died");
	}
}

static void
do_show(struct control *c, struct ctl_call *call, const char *what)
{
	if (strcmp(what, "tunnels") == 0)
		ask_engine(c, call, SHOW_TUNNELS);
	else if (strcmp(what, "streams") == 0)
		ask_engine(c, call, SHOW_STREAMS);
	else if (strcmp(what, "services") == 0)
		show_services(c, call);
	else
		ctl_fail(call, "show %s: expected tunnels, streams or services",
		    what);
}

/*
 * Parse a service as an operand of the command line would be; to be given up
 * with source_drop(). NULL: it is none, and why stands in *faults.
 */
static struct source *
parse_service(struct control *c, const char *text, struct faults *faults)
{
	struct conf_args args = *c->parent->args;
	struct source *s;

	args.services = &text;
	args.nservices = 1;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->users = 1;
	if (client_conf_load(&s->conf, &args, faults) == 0)
		return s;
	free(s);
	return NULL;
}

static void
do_add(struct control *c, struct ctl_call *call, const char *text)
{
	struct faults faults = { 0 };
	const char *why;
	struct source *s = parse_service(c, text, &faults);

	if (s == NULL)
		ctl_fail(call, "%s",
		    faults.n > 0 ? faults.line[0] : "it is no service");
	else if (catalog_add(c->parent->catalog, s, &why) == -1)
		ctl_fail(call, "%s: %s", text, why);
	else
		ctl_ok(call);
	if (s != NULL)
		source_drop(s);
	faults_free(&faults);
}

/* By a name or address; or as a whole, as it was added. */
static void
do_remove(struct control *c, struct ctl_call *call, const char *what)
{
	size_t removed = catalog_remove(c->parent->catalog, what);
	struct faults faults = { 0 };
	struct source *s;

	if (removed == 0 && (s = parse_service(c, what, &faults)) != NULL) {
		removed = catalog_remove_same(c->parent->catalog, s);
		/* A port alone is an address, too. */
		if (removed == 0 && strspn(what, "0123456789") == strlen(what))
			removed = catalog_remove(c->parent->catalog,
			    s->conf.services.v[0].local_text);
		source_drop(s);
	}
	faults_free(&faults);
	if (removed == 0)
		ctl_fail(call, "no service has that address or name");
	else
		ctl_ok(call);
}

static void
do_log(struct ctl_call *call, struct parent *p, const char *name)
{
	enum log_level level;

	if (log_level_parse(name, &level) == -1) {
		ctl_fail(call,
		    "log %s: expected trace, debug, info, warn, "
		    "error, fatal or disable",
		    name);
		return;
	}
	parent_set_level(p, level);
	ctl_ok(call);
}

/* Who asked knows by the answer that another one can be started. */
static void
do_stop(struct control *c, struct ctl_call *call)
{
	if (c->nstops == STOP_CALLS)
		ctl_ok(call);
	else
		c->stops[c->nstops++] = call;
	parent_stop(c->parent);
}

static void
on_call(void *arg, struct ctl_call *call, const struct ctl_request *req)
{
	struct control *c = arg;
	const char *verb = req->argv[0], *object = req->argv[1];

	if (req->argc == 1 && strcmp(verb, "status") == 0)
		do_status(c, call);
	else if (req->argc == 1 && strcmp(verb, "reload") == 0)
		parent_reload(c->parent, call);
	else if (req->argc == 1 && strcmp(verb, "stop") == 0)
		do_stop(c, call);
	else if (req->argc == 2 && strcmp(verb, "show") == 0)
		do_show(c, call, object);
	else if (req->argc == 2 && strcmp(verb, "add") == 0)
		do_add(c, call, object);
	else if (req->argc == 2 && strcmp(verb, "remove") == 0)
		do_remove(c, call, object);
	else if (req->argc == 2 && strcmp(verb, "log") == 0)
		do_log(call, c->parent, object);
	else
		ctl_fail(call,
		    "%s: a client knows status, show WHAT, add "
		    "SERVICE, remove SERVICE, log LEVEL, reload, stop",
		    verb);
}

struct control *
control_new(struct parent *p, int *status)
{
	const char *path = p->conf->socket;
	struct control *c;
	int fd = -1;

	*status = 2;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->parent = p;
	if ((c->path = strdup(path)) != NULL && dirs_make(path) == 0 &&
	    (fd = ctl_listen(path)) != -1 &&
	    (c->server = ctl_server_new(p->base, fd, on_call, c)) != NULL)
		return c;
	free(c->path);
	free(c);
	if ((p->conf->set & CLIENT_SET_SOCKET) != 0) {
		log_error("socket: %s: %s", path, dirs_error(errno));
	} else {
		/* Another ptp may be there: one-shot use needs no control. */
		log_warnx("socket: %s: %s; ptpctl cannot reach this process",
		    path,
		    errno == EADDRINUSE ? "another ptp serves it"
					: dirs_error(errno));
		*status = 0;
	}
	if (fd != -1)
		close(fd);
	return NULL;
}

void
control_free(struct control *c)
{
	if (c == NULL)
		return;
	unlink(c->path);
	for (size_t i = 0; i < c->nstops; i++)
		ctl_ok(c->stops[i]);
	ctl_server_free(c->server);
	free(c->path);
	free(c);
}
