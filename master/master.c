/* The master's tables, its loop, its signals. */
#include "master/master.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/ipc/loop.h"
#include "master/alarm.h"
#include "master/check.h"
#include "master/ctl.h"
#include "master/edge.h"
#include "master/rivals.h"
#include "master/handshake.h"
#include "master/hold.h"
#include "master/listeners.h"
#include "master/parse.h"
#include "master/ports.h"
#include "master/udp_ports.h"
#include "master/reload.h"
#include "master/report.h"
#include "master/restart.h"
#include "master/show_relays.h"
#include "master/sources.h"
#include "master/start.h"
#include "master/stop.h"
#include "master/tls.h"
#include "master/tunnels.h"
#include "master/feed.h"
#include "master/visit.h"
#include "master/workers.h"

int
master_init(struct master *m, const struct options *options)
{
	rlim_t nofile;

	memset(m, 0, sizeof(*m));
	m->options = options;
	m->privileged = geteuid() == 0;
	m->ready_fd = -1;
	m->started = clock_ms();
	exe_note(&m->exe);
	m->fds.spare = -1;
	if (fds_raise(&nofile) == -1 || fds_init(&m->fds) == -1)
		return -1;
	m->nofile = nofile > CONNS_MAX ? CONNS_MAX : (size_t)nofile;
	if ((m->base = loop_new()) == NULL)
		return -1;
	/* Most are in the hands of workers, each with a limit of its own. */
	m->conns = conns_new(CONNS_MAX);
	m->clients = clients_new();
	m->sessions = sessions_new();
	m->routes = routes_new();
	m->sources = sources_new();
	m->parses = parses_new(m);
	m->feed = feed_new(m);
	m->report = report_new(m);
	m->alarms = alarm_new(m);
	m->listeners = listeners_new(m);
	m->tls = tls_new(m);
	m->handshakes = handshakes_new(m);
	m->edges = edges_new(m);
	m->visits = visits_new(m);
	m->check = check_new(m);
	m->ports = ports_new(m);
	m->udp_ports = udp_ports_new(m);
	m->rivals = rivals_new(m);
	m->lost = tunnels_lost_new(m);
	if (m->conns == NULL || m->clients == NULL || m->sessions == NULL ||
	    m->routes == NULL || m->sources == NULL || m->parses == NULL ||
	    m->feed == NULL || m->report == NULL || m->alarms == NULL ||
	    m->listeners == NULL || m->handshakes == NULL || m->edges == NULL ||
	    m->visits == NULL || m->check == NULL || m->ports == NULL ||
	    m->udp_ports == NULL || m->rivals == NULL || m->lost == NULL ||
	    m->tls == NULL) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

void
master_inherit(struct master *m, struct inherited *in)
{
	m->inherited = in;
	m->started = in->head.started;
	strcpy(m->exe.path, in->head.exe_path);
	m->exe.uid = in->head.exe_uid;
	m->exe.dir_uid = in->head.exe_dir_uid;
}

void
master_abandon(struct master *m)
{
	workers_free(m->workers);
	parses_free(m->parses);
	m->workers = NULL;
	m->parses = NULL;
}

static void
drop_conn(void *arg, struct conn *c)
{
	struct master *m = arg;

	if (c->state == CONN_PARKED)
		visit_unpark(m, c);
	hold_drop(m, c);
}

void
master_free(struct master *m)
{
	handshakes_free(m->handshakes);
	if (m->conns != NULL)
		conns_each(m->conns, drop_conn, m);
	alarm_free(m->alarms);
	report_free(m->report);
	workers_free(m->workers);
	check_free(m->check);
	m->workers = NULL; /* there is nobody to be told any more */
	ctl_close(m);
	show_relays_free(m);
	stop_free(m);
	restart_free(m);
	parses_free(m->parses);
	feed_free(m->feed);
	listeners_free(m->listeners);
	edges_free(m->edges);
	tls_free(m->tls);
	visits_free(m->visits);
	ports_free(m->ports);
	udp_ports_free(m->udp_ports);
	clients_free(m->clients, m->sessions, m->routes);
	sessions_free(m->sessions);
	waits_free(m->rivals);
	waits_free(m->lost);
	routes_free(m->routes);
	sources_free(m->sources);
	conns_free(m->conns);
	if (m->starting != NULL)
		event_free(m->starting);
	if (m->base != NULL)
		event_base_free(m->base);
	server_conf_free(&m->conf);
	fds_close(&m->fds);
}

void
master_quit(struct master *m, int status)
{
	m->status = status;
	event_base_loopbreak(m->base);
}

void
master_fail(struct master *m, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m->why, sizeof(m->why), fmt, ap);
	va_end(ap);
	log_error("%s", m->why);
	master_quit(m, status);
}

void
master_check_ready(struct master *m)
{
	if (m->ready || m->stop != NULL || !workers_all_ready(m->workers) ||
	    feed_auth(m) == NULL)
		return;
	start_serve(m);
}

void
master_worker_gone(struct master *m)
{
	start_worker_gone(m);
	stop_worker_gone(m);
}

/* ---- signals: libevent hands them over in the loop ---- */

static void
on_term(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	stop_begin(arg, NULL);
}

static void
on_hup(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	reload_begin(arg, NULL);
}

static void
on_child(evutil_socket_t sig, short what, void *arg)
{
	struct master *m = arg;

	(void)sig;
	(void)what;
	parses_reap(m->parses);
	restart_reap(m);
	check_reap(m->check);
	if (m->workers != NULL)
		workers_reap(m->workers);
}

int
master_run(struct master *m)
{
	static const struct {
		int sig;
		event_callback_fn fn;
	} signals[] = { { SIGTERM, on_term }, { SIGINT, on_term },
		{ SIGHUP, on_hup }, { SIGCHLD, on_child } };
	struct event *events[sizeof(signals) / sizeof(signals[0])] = { 0 };
	size_t n = sizeof(signals) / sizeof(signals[0]);

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < n; i++) {
		events[i] =
		    evsignal_new(m->base, signals[i].sig, signals[i].fn, m);
		if (events[i] == NULL || event_add(events[i], NULL) == -1) {
			log_error("cannot take signals: %s", strerror(errno));
			m->status = 2;
			goto out;
		}
	}
	m->status = 2;
	if (start_begin(m) == 0)
		event_base_dispatch(m->base);
out:
	for (size_t i = 0; i < n; i++) {
		if (events[i] != NULL)
			event_free(events[i]);
	}
	return m->status;
}
