/* What ptpctl may ask of ptpd. */
#include "master/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/conf/server_addr.h"
#include "common/ipc/ctl_listen.h"
#include "common/ipc/ctl_server.h"
#include "master/boot.h"
#include "master/listeners.h"
#include "master/reload.h"
#include "master/restart.h"
#include "master/show.h"
#include "master/stop.h"
#include "master/tunnels.h"

typedef void (*command_fn)(
    struct master *m, struct ctl_call *call, const char *arg);

/* The one field that is the whole answer. */
static void
answer_value(struct ctl_call *call, const char *name, const char *value)
{
	struct ctl_row row;

	ctl_shape(call, CTL_VALUE);
	ctl_row_begin(&row);
	ctl_row_str(&row, name, value);
	ctl_row(call, &row);
	ctl_ok(call);
}

static void
do_status(struct master *m, struct ctl_call *call, const char *arg)
{
	(void)arg;
	show_status(m, call);
}

static void
do_show(struct master *m, struct ctl_call *call, const char *arg)
{
	char key[KEYTEXT_SIZE];

	if (strcmp(arg, "key") == 0)
		answer_value(call, "key", keytext_encode(key, m->host_public));
	else if (show(m, call, arg) == -1)
		ctl_fail(call,
		    "show %s: expected key, clients, tunnels, streams, "
		    "routes, users, workers, listeners or limits",
		    arg);
}

static void
do_kick(struct master *m, struct ctl_call *call, const char *arg)
{
	struct client *client = clients_find(m->clients, arg);
	struct session *s;
	bool last;

	if (client == NULL || LIST_EMPTY(&client->sessions)) {
		ctl_fail(call, "no client %s is here", arg);
		return;
	}
	log_info("client %s is kicked", client->id);
	do {
		s = LIST_FIRST(&client->sessions);
		last = LIST_NEXT(s, of) == NULL;
		tunnels_goaway(s, GOAWAY_KICKED, "by the operator");
		tunnels_over(m, s);
	} while (!last);
	ctl_ok(call);
}

static void
do_reload(struct master *m, struct ctl_call *call, const char *arg)
{
	(void)arg;
	reload_begin(m, call);
}

static void
do_restart(struct master *m, struct ctl_call *call, const char *arg)
{
	(void)arg;
	restart_begin(m, call);
}

static void
do_stop(struct master *m, struct ctl_call *call, const char *arg)
{
	(void)arg;
	stop_begin(m, call);
}

static void
do_kill(struct master *m, struct ctl_call *call, const char *arg)
{
	(void)arg;
	stop_now(m, call);
}

static void
do_log(struct master *m, struct ctl_call *call, const char *arg)
{
	enum log_level level;

	if (log_level_parse(arg, &level) == -1) {
		ctl_fail(call,
		    "expected trace, debug, info, warn, error, fatal or "
		    "disable");
		return;
	}
	log_set_level(level);
	boot_reconfigure(m);
	ctl_ok(call);
}

/*
 * Where to dial: the first listener that takes tunnels as they are, under a
 * name if there is one.
 */
static void
first_listener(void *arg, const struct listener *l)
{
	struct server_addr *a = arg;
	char ip[ADDR_TEXT];

	if (a->port != 0 ||
	    (l->kind != LISTENER_HTTP && l->kind != LISTENER_SNI))
		return;
	a->port = l->local.port;
	if (a->host[0] != '\0')
		return;
	if (l->local.family != ADDR_ANY)
		snprintf(a->host, sizeof(a->host), "%s",
		    addr_format_ip(ip, &l->local));
	else if (gethostname(a->host, sizeof(a->host) - 1) == -1)
		strcpy(a->host, "localhost");
}

static void
do_invite(struct master *m, struct ctl_call *call, const char *arg)
{
	struct server_addr a = { .scheme = SERVER_TCP, .has_key = true };
	char line[SERVER_ADDR_MAX], id[TEXT_LABEL_MAX + 1];

	if (text_label(id, arg, strlen(arg)) == -1 ||
	    (server_conf_user(&m->conf, id) == NULL && !m->any_client)) {
		ctl_fail(call, "there is no user of that id");
		return;
	}
	strcpy(a.id, id);
	memcpy(a.key, m->host_public, sizeof(a.key));
	if (m->conf.domain != NULL)
		strcpy(a.host, m->conf.domain);
	listeners_each(m->listeners, first_listener, &a);
	answer_value(call, "address", server_addr_format(line, &a, false));
}

static const struct command {
	const char *name;
	bool arg;
	command_fn fn;
} commands[] = {
	{ "status", false, do_status },
	{ "show", true, do_show },
	{ "kick", true, do_kick },
	{ "reload", false, do_reload },
	{ "restart", false, do_restart },
	{ "stop", false, do_stop },
	{ "kill", false, do_kill },
	{ "log", true, do_log },
	{ "invite", true, do_invite },
};

static void
on_request(void *arg, struct ctl_call *call, const struct ctl_request *req)
{
	struct master *m = arg;
	const struct command *c;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		c = &commands[i];
		if (strcmp(req->argv[0], c->name) != 0)
			continue;
		if (req->argc != (c->arg ? 2u : 1u))
			ctl_fail(call, "%s takes %s argument", c->name,
			    c->arg ? "one" : "no");
		else if (!m->ready && c->fn != do_status && c->fn != do_kill)
			ctl_fail(call, "ptpd is starting");
		else
			c->fn(m, call, req->argv[1]);
		return;
	}
	ctl_fail(call,
	    "%s: a server knows status, show WHAT, kick ID, reload, restart, "
	    "stop, kill, log LEVEL, invite ID, check",
	    req->argv[0]);
}

int
ctl_open(struct master *m)
{
	int fd;

	if ((fd = ctl_listen(m->conf.socket)) == -1) {
		log_error("socket: %s: %s", m->conf.socket,
		    errno == EADDRINUSE ? "another ptpd serves it"
					: strerror(errno));
		return -1;
	}
	return ctl_serve(m, fd);
}

int
ctl_serve(struct master *m, int fd)
{
	m->ctl = ctl_server_new(m->base, fd, on_request, m);
	if (m->ctl == NULL) {
		log_error("socket: %s", strerror(errno));
		close(fd);
		return -1;
	}
	return 0;
}

void
ctl_close(struct master *m)
{
	if (m->ctl == NULL)
		return;
	unlink(m->conf.socket);
	ctl_server_free(m->ctl);
	m->ctl = NULL;
}
