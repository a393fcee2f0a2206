/* A new configuration, taken over whole or not at all. */
#include "master/reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/sys/daemon.h"
#include "master/boot.h"
#include "master/rivals.h"
#include "master/limits.h"
#include "master/listeners.h"
#include "master/parse.h"
#include "master/sources.h"
#include "master/report.h"
#include "master/start.h"
#include "master/tls.h"
#include "master/tunnels.h"
#include "master/feed.h"
#include "master/visit.h"
#include "master/vouch.h"
#include "master/workers.h"

struct reload {
	struct master *master;
	struct ctl_call *call;
	struct server_conf conf;
	struct certs_files files;
	bool loading; /* auth is at it; conf is whole, listeners prepared */
};

static void
tell_systemd(void)
{
	char text[64];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
	    (unsigned long long)clock_us());
	(void)daemon_notify(text);
}

static void
end(struct reload *r)
{
	r->master->reload = NULL;
	server_conf_free(&r->conf);
	certs_close(&r->files);
	(void)daemon_notify("READY=1");
	free(r);
}

/* Nothing has changed. `why` may have several lines. */
static void
refuse(struct reload *r, const char *why)
{
	char line[LOG_LINE_MAX];
	const char *p = why;

	/* A line each, so that the log stays a log. */
	while (*p != '\0') {
		size_t n = strcspn(p, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)n, p);
		log_error("reload: %s", line);
		p += n + (p[n] == '\n');
	}
	if (r->call != NULL)
		ctl_fail(r->call, "%s", why);
	end(r);
}

/* Whoever the external check let in stays while there is one. */
static bool
is_vouched(const struct master *m, const struct client *client)
{
	return client->vouched && vouch_configured(m);
}

/* A client that may not log in any more is put out. */
static void
judge_session(void *arg, void *value)
{
	struct master *m = arg;
	struct session *s = value;

	if (s->client->held || is_vouched(m, s->client) ||
	    server_conf_user(&m->conf, s->client->id) != NULL) {
		limits_tell(m, s);
		rivals_renew(m, s);
		return;
	}
	log_info("client %s is not a user any more", s->client->id);
	tunnels_goaway(s, GOAWAY_REMOVED, "");
}

static void
settle_client(void *arg, void *value)
{
	struct master *m = arg;
	struct client *client = value;
	struct session *s;

	if (server_conf_user(&m->conf, client->id) != NULL) {
		/* Its own secret counts from now on. */
		if (clients_unhold(m->clients, client))
			tunnels_release(m, client->id);
		return;
	}
	if (client->held || is_vouched(m, client))
		return;
	while ((s = LIST_FIRST(&client->sessions)) != NULL) {
		bool last = LIST_NEXT(s, of) == NULL;

		/* The last takes the client along. */
		tunnels_over(m, s);
		if (last)
			return;
	}
	tunnels_forget(m, client);
}

/* What only a start can change. */
static void
warn_unchangeable(const struct server_conf *old, const struct server_conf *new)
{
	if (strcmp(old->user, new->user) != 0 ||
	    strcmp(old->chroot, new->chroot) != 0 ||
	    strcmp(old->host_key, new->host_key) != 0 ||
	    strcmp(old->socket, new->socket) != 0)
		log_warnx("reload: user, chroot, host_key and socket stay as "
			  "they are until ptpd is started anew");
}

static void
swap(char **a, char **b)
{
	char *t = *a;

	*a = *b;
	*b = t;
}

/* What is in use stays, and whoever asks is told what is in use. */
static void
keep_unchangeable(struct server_conf *new, struct server_conf *old)
{
	swap(&new->user, &old->user);
	swap(&new->chroot, &old->chroot);
	swap(&new->host_key, &old->host_key);
	swap(&new->socket, &old->socket);
}

/* From here on the new configuration holds. */
static void
commit(struct reload *r)
{
	struct master *m = r->master;
	struct server_conf old = m->conf;

	warn_unchangeable(&old, &r->conf);
	keep_unchangeable(&r->conf, &old);
	m->conf = r->conf;
	r->conf = old;
	listeners_commit(m->listeners);
	report_commit(m);
	start_set_log_level(m);
	feed_use(m);
	if (old.lockout.time == 0) /* locked out until a reload */
		sources_forgive(m->sources);
	tls_use(m, &r->files);
	boot_reconfigure(m);
	boot_want(m);
	sessions_each(m->sessions, judge_session, m);
	clients_each(m->clients, settle_client, m);
	visits_judge(m);
	log_info("reload: the new configuration holds");
	if (r->call != NULL)
		ctl_ok(r->call);
	end(r);
}

static void
on_loaded(void *arg, bool ok)
{
	struct reload *r = arg;

	if (ok) {
		commit(r);
		return;
	}
	listeners_abort(r->master->listeners);
	report_abort(r->master);
	refuse(r, "auth could not load the users");
}

static void
on_parsed(void *arg, struct parse_result *p)
{
	struct reload *r = arg;
	struct master *m = r->master;
	char why[REPORT_WHY]; /* the longest of them */

	if (!p->ok) {
		refuse(r, p->text);
		return;
	}
	if (p->text[0] != '\0')
		log_warnx("reload: %s", p->text);
	r->conf = p->conf;
	r->files = p->files;
	if (listeners_prepare(m->listeners, &r->conf, why) == -1) {
		close(p->users_fd);
		refuse(r, why);
		return;
	}
	if (report_prepare(m, &r->conf, why) == -1) {
		listeners_abort(m->listeners);
		close(p->users_fd);
		refuse(r, why);
		return;
	}
	r->loading = true;
	feed_load(m, p->users_fd, on_loaded, r);
}

void
reload_begin(struct master *m, struct ctl_call *call)
{
	struct reload *r;

	if (m->reload != NULL || m->restart != NULL || m->stop != NULL ||
	    !m->ready) {
		if (call != NULL)
			ctl_fail(call, "%s",
			    m->reload != NULL	     ? "a reload is going on"
				: m->restart != NULL ? "a restart is going on"
				: m->stop != NULL    ? "ptpd stops"
						     : "ptpd is starting");
		return;
	}
	if ((r = calloc(1, sizeof(*r))) == NULL) {
		if (call != NULL)
			ctl_fail(call, "%s", strerror(errno));
		return;
	}
	r->master = m;
	r->call = call;
	certs_none(&r->files);
	m->reload = r;
	tell_systemd();
	if (parse_start(m, true, on_parsed, r) == -1)
		refuse(r, strerror(errno));
}

void
reload_cancel(struct master *m)
{
	struct reload *r = m->reload;

	if (r == NULL)
		return;
	parse_forget(m, r);
	feed_forget(m);
	refuse(r, "ptpd stops");
}
