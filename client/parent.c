/* ptp's parent: everything put together, signals, reload and stop. */
#include "client/parent.h"

#include <sys/wait.h>

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/alarm.h"
#include "client/attach.h"
#include "client/catalog.h"
#include "client/child.h"
#include "client/children.h"
#include "client/control.h"
#include "client/grants.h"
#include "client/logging.h"
#include "client/lookup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/ipc/ctl_server.h"
#include "common/ipc/loop.h"
#include "common/sys/daemon.h"
#include "common/sys/fds.h"

struct source *
source_use(struct source *s)
{
	s->users++;
	return s;
}

void
source_drop(struct source *s)
{
	if (s == NULL || --s->users > 0)
		return;
	client_conf_free(&s->conf);
	free(s);
}

void
parent_exit(struct parent *p, int status)
{
	if (p->status == 0)
		p->status = status;
	event_base_loopexit(p->base, NULL);
}

void
parent_finish(struct parent *p, int status)
{
	struct timeval tv = { PARENT_FINISH_S, 0 };

	p->stopping = true;
	p->status = status;
	attach_stop(p->attach);
	child_retire(p->engine);
	child_send(p->engine, MSG_DRAIN, 0, NULL, 0);
	evtimer_add(p->stop_timer, &tv);
	if (!child_is_ready(p->engine))
		parent_exit(p, status);
}

void
parent_ready(struct parent *p)
{
	if (p->daemon_fd == -1)
		return;
	daemon_notify("READY=1");
	log_starting(false);
	if (p->daemon_fd >= 0 && daemon_ready(p->daemon_fd) == -1)
		log_warn("cannot go to the background");
	p->daemon_fd = -1;
}

enum log_level
parent_level(const struct client_conf *c, int verbose)
{
	int level = (int)c->log_level - verbose;

	return level < LOG_LEVEL_TRACE ? LOG_LEVEL_TRACE
				       : (enum log_level)level;
}

void
parent_set_level(struct parent *p, enum log_level level)
{
	struct child *const children[] = { p->engine, p->proof, p->resolve,
		p->tls };
	uint8_t byte = (uint8_t)level;

	log_set_level(level);
	alarm_set_level(p->alarms, byte);
	for (size_t i = 0; i < sizeof(children) / sizeof(children[0]); i++)
		child_send(children[i], MSG_LEVEL, 0, &byte, 1);
}

void
parent_stop(struct parent *p)
{
	struct timeval tv = { PARENT_STOP_S, 0 };

	if (p->stopping) {
		log_info("stopping now");
		parent_exit(p, 0);
		return;
	}
	p->stopping = true;
	log_info("stopping");
	daemon_notify("STOPPING=1");
	attach_stop(p->attach);
	child_retire(p->engine);
	if (!child_is_ready(p->engine)) {
		parent_exit(p, 0);
		return;
	}
	child_send(p->engine, MSG_DRAIN, 0, NULL, 0);
	evtimer_add(p->stop_timer, &tv);
}

static bool
same_server(const struct server_addr *a, const struct server_addr *b)
{
	return a->scheme == b->scheme && a->port == b->port &&
	    strcmp(a->host, b->host) == 0 && strcmp(a->id, b->id) == 0 &&
	    strcmp(a->secret, b->secret) == 0 && a->has_key == b->has_key &&
	    (!a->has_key || memcmp(a->key, b->key, sizeof(a->key)) == 0);
}

/* Whether a session under `a` is one under `b` as well. */
static bool
same_session(const struct client_conf *a, const struct client_conf *b)
{
	if (a->nservers != b->nservers || a->cipher != b->cipher ||
	    strcmp(a->congestion, b->congestion) != 0 ||
	    (a->key == NULL) != (b->key == NULL) ||
	    (a->key != NULL && strcmp(a->key, b->key) != 0))
		return false;
	for (size_t i = 0; i < a->nservers; i++) {
		if (!same_server(&a->servers[i], &b->servers[i]))
			return false;
	}
	return true;
}

/* Put a configuration in force. 0, or -1 and why (in text, maybe): nothing has
 * changed. */
static int
adopt(struct parent *p, struct source *s, const char **why,
    char text[LOGGING_WHY])
{
	struct source *old = p->source;
	bool same = same_session(&old->conf, &s->conf);

	if (logging_prepare(p->logging, &s->conf, text) == -1) {
		*why = text;
		return -1;
	}
	if (catalog_load(p->catalog, s, why) == -1)
		return -1;
	p->source = source_use(s);
	p->conf = &s->conf;
	logging_commit(p->logging, p->conf);
	alarm_configure(p->alarms);
	if (strcmp(old->conf.socket, s->conf.socket) != 0 ||
	    strcmp(old->conf.user, s->conf.user) != 0 ||
	    strcmp(old->conf.chroot, s->conf.chroot) != 0)
		log_warnx("reload: user, chroot and socket stay as they are "
			  "until ptp is started anew");
	if (old->conf.log_level != s->conf.log_level)
		parent_set_level(p, parent_level(p->conf, p->verbose));
	children_configure(p);
	/* The file of a key may hold another one now. */
	(void)children_identify(p);
	if (!same)
		attach_renew(p->attach);
	source_drop(old);
	return 0;
}

static void
answer(struct ctl_call *call, const char *why)
{
	if (why != NULL)
		log_error("reload: %s; nothing has changed", why);
	else
		log_info("reloaded");
	if (call == NULL)
		return;
	if (why != NULL)
		ctl_fail(call, "%s", why);
	else
		ctl_ok(call);
}

/* Relative paths mean what they meant then; a daemon's directory is "/". */
static int
load_at_start(struct parent *p, struct client_conf *c,
    const struct conf_args *args, struct faults *f)
{
	int ret;

	if (p->cwd_fd != -1 && fchdir(p->cwd_fd) == -1) {
		faults_add(f, NULL, 0, NULL, "where it was started: %s",
		    strerror(errno));
		return -1;
	}
	ret = client_conf_load(c, args, f);
	if (p->cwd_fd != -1 && chdir("/") == -1)
		log_warn("/");
	return ret;
}

void
parent_reload(struct parent *p, struct ctl_call *call)
{
	struct faults faults = { 0 };
	char text[LOGGING_WHY];
	const char *why = NULL;
	struct conf_args args = *p->args;
	struct source *s;

	args.reload = true;
	if ((s = calloc(1, sizeof(*s))) == NULL) {
		answer(call, strerror(errno));
		return;
	}
	s->users = 1;
	if (load_at_start(p, &s->conf, &args, &faults) == -1) {
		answer(call,
		    faults.n > 0 ? faults.line[0] : "faulty configuration");
		free(s);
	} else {
		answer(call, adopt(p, s, &why, text) == -1 ? why : NULL);
		source_drop(s);
	}
	faults_free(&faults);
}

static void
on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct parent *p = arg;

	(void)what;
	if (sig == SIGHUP)
		parent_reload(p, NULL);
	else
		parent_stop(p);
}

static void
on_child(evutil_socket_t sig, short what, void *arg)
{
	struct parent *p = arg;
	int status;
	pid_t pid;

	(void)sig;
	(void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		child_reaped(p->engine, pid, status);
		child_reaped(p->proof, pid, status);
		child_reaped(p->resolve, pid, status);
		child_reaped(p->tls, pid, status);
		alarm_reaped(p->alarms, pid, status);
	}
}

static void
on_stop_timer(evutil_socket_t fd, short what, void *arg)
{
	struct parent *p = arg;

	(void)fd;
	(void)what;
	if (p->status == 0)
		log_warnx("streams did not end in time, closing them");
	parent_exit(p, 0);
}

static int
watch_signals(struct parent *p)
{
	static const int signals[] = { SIGHUP, SIGTERM, SIGINT, SIGCHLD };

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < 4; i++) {
		p->signals[i] = evsignal_new(p->base, signals[i],
		    signals[i] == SIGCHLD ? on_child : on_signal, p);
		if (p->signals[i] == NULL ||
		    event_add(p->signals[i], NULL) == -1)
			return -1;
	}
	p->stop_timer = evtimer_new(p->base, on_stop_timer, p);
	return p->stop_timer == NULL ? -1 : 0;
}

/* Everything but the loop. An exit status, 0: go on. */
static int
set_up(struct parent *p)
{
	const char *why = NULL;
	rlim_t limit;
	int status;

	if ((p->jail = strdup(p->conf->chroot)) == NULL ||
	    (p->base = loop_new()) == NULL || watch_signals(p) == -1 ||
	    (p->attach = attach_new(p)) == NULL ||
	    (p->catalog = catalog_new(p)) == NULL ||
	    (p->grants = grants_new(p)) == NULL ||
	    (p->alarms = alarm_new(p)) == NULL) {
		log_error("cannot start: %s", strerror(errno));
		return 2;
	}
	fds_raise(&limit);
	randombytes_buf(p->instance, sizeof(p->instance));
	p->control = control_new(p, &status);
	if (p->control == NULL && status != 0)
		return status;
	/* A service may need a child at once. */
	if (children_prepare(p) == -1)
		return 2;
	alarm_configure(p->alarms);
	if (catalog_load(p->catalog, p->source, &why) == -1) {
		log_error("services: %s", why);
		return 1;
	}
	return children_start(p) == -1 ? 2 : 0;
}

static void
tear_down(struct parent *p)
{
	alarm_free(p->alarms);
	child_free(p->engine);
	child_free(p->proof);
	child_free(p->resolve);
	child_free(p->tls);
	p->engine = p->proof = p->resolve = p->tls = NULL;
	control_free(p->control);
	grants_free(p->grants);
	catalog_free(p->catalog);
	attach_free(p->attach);
	lookup_free_all(p);
	for (size_t i = 0; i < 4; i++) {
		if (p->signals[i] != NULL)
			event_free(p->signals[i]);
	}
	if (p->stop_timer != NULL)
		event_free(p->stop_timer);
	source_drop(p->source);
	free(p->jail);
	if (p->base != NULL)
		event_base_free(p->base);
}

int
parent_run(struct parent *p, struct source *source)
{
	int status;

	p->source = source;
	p->conf = &source->conf;
	p->started = clock_ms();
	status = set_up(p);
	if (status != 0)
		p->status = status;
	if (p->status == 0)
		event_base_dispatch(p->base);
	tear_down(p);
	return p->status;
}
