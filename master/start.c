/* From the command line to `ready`. */
#include "master/start.h"

#include <errno.h>
#include <event2/event.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/sys/daemon.h"
#include "common/sys/jail.h"
#include "common/sys/sandbox.h"
#include "master/boot.h"
#include "master/ctl.h"
#include "master/dispatch.h"
#include "master/listeners.h"
#include "master/parse.h"
#include "master/report.h"
#include "master/restart.h"
#include "master/restore.h"
#include "master/feed.h"
#include "master/tls.h"
#include "master/vouch.h"
#include "master/workers.h"

/* -v makes it louder than the configuration says. */
void
start_set_log_level(struct master *m)
{
	int level = (int)m->conf.log_level - m->options->verbose;

	if (m->options->verbose > 0 && level < LOG_LEVEL_TRACE)
		level = LOG_LEVEL_TRACE;
	log_set_level((enum log_level)level);
}

static int
find_jail(struct master *m)
{
	const char *path = m->conf.chroot;

	if (strlen(path) >= sizeof(m->jail)) {
		master_fail(m, 2, "chroot: %s is too long", path);
		return -1;
	}
	switch (jail_make(path)) {
	case 1:
		log_info("made %s, the workers' empty root directory", path);
		break;
	case -1:
		master_fail(m, 2, "chroot: %s: %s", path,
		    errno == EPERM ? "must be root's alone to write to"
				   : strerror(errno));
		return -1;
	}
	strcpy(m->jail, path);
	return 0;
}

static int
find_privilege(struct master *m)
{
	if (!m->privileged)
		return 0;
	/* The files that workers left behind are the same ones'. */
	if (m->inherited != NULL)
		m->uids = m->inherited->head.uids;
	else if (uids_find(&m->uids, m->conf.user,
		     (m->conf.set & CONF_SET_USER) != 0) == -1)
		return -1;
	return find_jail(m);
}

static int
load_host_key(struct master *m)
{
	uint8_t secret[KEYTEXT_KEY];
	int ret;

	ret = hostkey_load(m->conf.host_key, true, secret, m->host_public);
	sodium_memzero(secret, sizeof(secret));
	if (ret == 0 && m->inherited != NULL &&
	    memcmp(m->host_public, m->inherited->head.host_public,
		sizeof(m->host_public)) != 0) {
		master_fail(m, 2, "host_key: %s has changed", m->conf.host_key);
		ret = -1;
	}
	return ret;
}

/* The control socket, and the call of who asked for a restart. */
static int
open_control(struct master *m)
{
	struct inherited *in = m->inherited;

	if (in == NULL)
		return ctl_open(m);
	if (strcmp(in->head.socket, m->conf.socket) == 0) {
		if (ctl_serve(m, in->head.ctl_fd) == -1)
			return -1;
	} else if (ctl_open(m) == -1) {
		return -1;
	}
	if (in->head.call_fd != -1)
		in->call = ctl_adopt(m->ctl, in->head.call_fd);
	return 0;
}

static int
open_listeners(struct master *m)
{
	char why[LISTENERS_WHY];

	if (listeners_prepare(m->listeners, &m->conf, why) == 0)
		return 0;
	master_fail(m, 2, "%s", why);
	return -1;
}

static int
start_workers(struct master *m)
{
	char why[WORKERS_WHY];

	if ((m->workers = workers_new(m, &dispatch_ops)) == NULL)
		return -1;
	if (workers_find(m->workers, why) == -1) {
		master_fail(m, 2, "%s", why);
		return -1;
	}
	boot_want(m);
	return 0;
}

static int
open_log(struct master *m, char why[REPORT_WHY])
{
	if (report_prepare(m, &m->conf, why) == -1)
		return -1;
	report_commit(m);
	return 0;
}

static int
start_log(struct master *m)
{
	char why[REPORT_WHY];

	if (open_log(m, why) == 0)
		return 0;
	master_fail(m, 2, "%s", why);
	return -1;
}

/* There is no way back from here: what is missing is looked for again when it
 * is needed. */
static int
resume_workers(struct master *m)
{
	char why[WORKERS_WHY];

	if ((m->workers = workers_new(m, &dispatch_ops)) == NULL)
		return -1;
	if (workers_find(m->workers, why) == -1)
		log_error("%s", why);
	return 0;
}

/* What the configuration says is now done, while we may. */
static int
settle(struct master *m, struct parse_result *r)
{
	m->conf = r->conf;
	m->any_client = m->inherited != NULL ? m->inherited->head.any_client
					     : server_conf_any_client(&m->conf);
	tls_use(m, &r->files);
	start_set_log_level(m);
	if (start_log(m) == -1 || find_privilege(m) == -1 ||
	    load_host_key(m) == -1 || open_control(m) == -1 ||
	    open_listeners(m) == -1 || start_workers(m) == -1) {
		close(r->users_fd);
		return -1;
	}
	feed_load(m, r->users_fd, NULL, NULL);
	return 0;
}

static void
on_parsed(void *arg, struct parse_result *r)
{
	struct timeval tv = { START_MS / 1000, 0 };
	struct master *m = arg;

	if (r->text[0] != '\0')
		fprintf(stderr, "%s\n", r->text);
	if (!r->ok)
		snprintf(m->why, sizeof(m->why), "%.*s",
		    (int)strcspn(r->text, "\n"), r->text);
	if (!r->ok)
		master_quit(m, 1);
	else if (settle(m, r) == -1)
		master_quit(m, 2);
	else
		evtimer_add(m->starting, &tv);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct master *m = arg;

	(void)fd;
	(void)what;
	master_fail(m, 2, "the workers were not ready in time");
}

int
start_begin(struct master *m)
{
	struct inherited *in = m->inherited;

	if (in != NULL && in->step == RESTART_RESUME) {
		if (restore_conf(m, in->state) == -1) {
			log_error("restart: the state cannot be read");
			return -1;
		}
		start_resume(m);
		return 0;
	}
	if (in != NULL && restore_listeners(m, in->state) == -1) {
		log_error("restart: the listeners cannot be taken over");
		return -1;
	}
	m->starting = evtimer_new(m->base, on_late, m);
	if (m->starting == NULL || parse_start(m, false, on_parsed, m) == -1) {
		log_error("cannot read the configuration: %s", strerror(errno));
		return -1;
	}
	return 0;
}

void
start_worker_gone(struct master *m)
{
	if (m->ready || m->stop != NULL ||
	    workers_restarts(m->workers) < START_DEATHS)
		return;
	master_fail(m, 2, "the workers cannot be started");
}

/* ---- `ready` ---- */

struct line {
	char text[LOG_LINE_MAX];
	size_t n;
};

static void
add_listener(void *arg, const struct listener *l)
{
	struct line *line = arg;
	char addr[ADDR_TEXT];
	int n;

	n = snprintf(line->text + line->n, sizeof(line->text) - line->n,
	    "%s %s, ", listener_kind_name(l->kind),
	    addr_format(addr, &l->local));
	if (n > 0 && (size_t)n < sizeof(line->text) - line->n)
		line->n += (size_t)n;
}

static void
log_ready(struct master *m)
{
	struct line line = { .n = 0 };
	char key[KEYTEXT_SIZE];

	line.text[0] = '\0';
	listeners_each(m->listeners, add_listener, &line);
	log_info("ready: %scontrol %s, key %s", line.text, m->conf.socket,
	    keytext_encode(key, m->host_public));
}

static void
add_missing(void *arg, struct worker *w)
{
	*(unsigned *)arg |= w->missing;
}

static void
log_missing(struct master *m)
{
	unsigned missing = 0;
	char text[160];

	workers_each(m->workers, add_missing, &missing);
	sandbox_missing_text(text, sizeof(text), missing);
	if (!m->privileged)
		log_warnx(
		    "not started by root: the workers do without %s", text);
	else if (missing != 0)
		log_warnx("this kernel has less than all protection: the "
			  "workers do without %s",
		    text);
}

/* Everything of the image before us is ours now. */
static void
take_over(struct master *m)
{
	struct inherited *in = m->inherited;
	struct certs_files files;

	/* Before that the one before us could still have gone on. */
	listeners_commit(m->listeners);
	if (in == NULL)
		return;
	if (restore_tables(m, in->state, RESTORE_TAKEOVER) == -1)
		log_warnx("restart: not everything could be taken over");
	if (strcmp(in->head.socket, m->conf.socket) != 0) {
		close(in->head.ctl_fd);
		unlink(in->head.socket);
	}
	close(in->head.exe_fd);
	files.certs = in->head.certs_fd;
	files.keys = in->head.keys_fd;
	certs_close(&files); /* we have read our own */
	log_info("restart: version %s has taken over", PTP_VERSION);
	if (in->call != NULL)
		ctl_ok(in->call);
	restart_done(in);
	m->inherited = NULL;
}

void
start_resume(struct master *m)
{
	struct inherited *in = m->inherited;
	struct certs_files files;
	char why[REPORT_WHY];

	start_set_log_level(m);
	m->uids = in->head.uids;
	strcpy(m->jail, in->head.jail);
	memcpy(m->host_public, in->head.host_public, sizeof(m->host_public));
	m->any_client = in->head.any_client;
	feed_set(m, in->head.feed_generation, in->head.feed_usable);
	files.certs = in->head.certs_fd;
	files.keys = in->head.keys_fd;
	tls_use(m, &files);
	if (restore_listeners(m, in->state) == -1 ||
	    ctl_serve(m, in->head.ctl_fd) == -1 || resume_workers(m) == -1 ||
	    restore_tables(m, in->state, RESTORE_RESUME) == -1)
		log_error("restart: not everything could be taken back");
	if (open_log(m, why) == -1)
		log_error("%s", why);
	/* It is told everything anew: that is simpler than to know what it
	   has. */
	workers_renew(m->workers, ROLE_UDP);
	m->ready = true;
	listeners_open(m->listeners);
	log_info("restart: version %s goes on", PTP_VERSION);
	if (in->head.call_fd != -1 && m->ctl != NULL)
		in->call = ctl_adopt(m->ctl, in->head.call_fd);
	if (in->call != NULL)
		ctl_fail(in->call, "%s; the running ptpd stays", in->why);
	restart_done(in);
	m->inherited = NULL;
}

void
start_serve(struct master *m)
{
	m->ready = true;
	event_del(m->starting);
	/* Until now whoever started us saw on stderr what went wrong. */
	if (!m->options->foreground)
		log_init("ptpd", false, log_get_level());
	log_missing(m);
	if (m->any_client)
		log_warnx("any client may log in: the first to use an id holds "
			  "it. Add users, or allow_any_client = false");
	if (vouch_is_open(m))
		log_warnx("auth.url: secrets of clients go there in the clear");
	take_over(m);
	listeners_open(m->listeners);
	log_ready(m);
	if (daemon_notify("READY=1") == -1)
		log_warn("cannot tell systemd");
	if (m->ready_fd != -1 && daemon_ready(m->ready_fd) == -1)
		log_warn("cannot leave the foreground");
	m->ready_fd = -1;
}
