/* The data path's own test. */
#include "master/check.h"

#include <sys/wait.h>

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/crypto/keytext.h"
#include "common/ipc/chan.h"
#include "common/ipc/probe.h"
#include "common/sys/proc.h"
#include "master/api.h"
#include "master/listeners.h"

#define CALLS_MAX 8 /* that wait for one answer */

struct check {
	struct master *master;
	char id[TEXT_LABEL_MAX + 1];
	char secret[KEYTEXT_SIZE];
	struct ctl_call *calls[CALLS_MAX];
	size_t ncalls;
	pid_t pid; /* 0: no test goes on */
	int fd;
	struct event *readable; /* its word; with the time that it has */
};

struct check *
check_new(struct master *m)
{
	uint8_t random[KEYTEXT_KEY], name[8];
	struct check *k;

	if ((k = calloc(1, sizeof(*k))) == NULL)
		return NULL;
	k->master = m;
	k->fd = -1;
	randombytes_buf(name, sizeof(name));
	strcpy(k->id, "status-");
	sodium_bin2hex(
	    k->id + strlen(k->id), 2 * sizeof(name) + 1, name, sizeof(name));
	randombytes_buf(random, sizeof(random));
	keytext_encode(k->secret, random);
	sodium_memzero(random, sizeof(random));
	return k;
}

static void
end_probe(struct check *k)
{
	if (k->readable != NULL)
		event_free(k->readable);
	k->readable = NULL;
	if (k->fd != -1)
		close(k->fd); /* it sees that, and ends its client */
	k->fd = -1;
}

void
check_free(struct check *k)
{
	if (k == NULL)
		return;
	end_probe(k);
	if (k->pid != 0) {
		kill(k->pid, SIGKILL);
		waitpid(k->pid, NULL, 0);
	}
	sodium_memzero(k->secret, sizeof(k->secret));
	free(k);
}

bool
check_is_id(const struct check *k, const char *id)
{
	return strcmp(k->id, id) == 0;
}

void
check_introduce(const struct check *k, struct worker *auth)
{
	uint8_t payload[256];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	buf_put_cstr8(&b, k->id);
	buf_put_cstr8(&b, k->secret);
	worker_send(auth, MSG_STATUS_USER, 0, payload, buf_used(&b));
	sodium_memzero(payload, sizeof(payload));
}

static void
answer(struct check *k, const char *result)
{
	struct ctl_row row;

	for (size_t i = 0; i < k->ncalls; i++) {
		ctl_shape(k->calls[i], CTL_OBJECT);
		ctl_row_begin(&row);
		ctl_row_str(&row, "result", result);
		ctl_row(k->calls[i], &row);
		ctl_ok(k->calls[i]);
	}
	k->ncalls = 0;
	if (strcmp(result, "ok") != 0)
		log_warnx("the test of the data path: %s", result);
}

/* Its word, or its end, or the end of its time. */
static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	char raw[PROBE_RESULT_MAX], text[TEXT_ESCAPED];
	struct check *k = arg;
	ssize_t n;

	if (what & EV_TIMEOUT) {
		end_probe(k);
		answer(k, "no answer in time");
		return;
	}
	n = recv(fd, raw, sizeof(raw), MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	end_probe(k);
	if (n <= 0)
		answer(k, "the test has died");
	else
		answer(k, text_escape(text, raw, (size_t)n));
}

/* Where a user, and the client, would go. */
static void
take_listener(void *arg, const struct listener *l)
{
	struct probe_task *t = arg;

	if (l->kind == LISTENER_HTTP && t->server.port == 0)
		t->server = l->local;
	else if (l->kind == LISTENER_API && t->api.port == 0)
		t->api = l->local;
}

static void
to_loopback(struct addr *a)
{
	uint16_t port = a->port;

	if (a->family != ADDR_ANY)
		return;
	addr_parse_ip(a, "127.0.0.1");
	a->port = port;
}

static int
send_task(const struct check *k, int fd)
{
	const struct master *m = k->master;
	struct probe_task t = { .privileged = m->privileged,
		.uid = m->uids.uid[REALM_NETWORK],
		.gid = m->uids.gid[REALM_NETWORK] };
	uint8_t packet[PROBE_TASK_MAX];
	struct buf b;
	ssize_t n;

	listeners_each(m->listeners, take_listener, &t);
	to_loopback(&t.server);
	to_loopback(&t.api);
	t.secure = api_is_secure(m);
	strcpy(t.id, k->id);
	strcpy(t.secret, k->secret);
	keytext_encode(t.key, m->host_public);
	strcpy(t.header, m->conf.mux_header);
	strcpy(t.name, k->id);
	if (m->conf.domain != NULL && strcasecmp(t.header, "Host") == 0)
		snprintf(
		    t.name, sizeof(t.name), "%s.%s", k->id, m->conf.domain);
	buf_write(&b, packet, sizeof(packet));
	if (probe_task_put(&b, &t) == -1)
		return -1;
	n = send(fd, packet, buf_used(&b), MSG_NOSIGNAL | MSG_DONTWAIT);
	sodium_memzero(packet, sizeof(packet));
	sodium_memzero(&t, sizeof(t));
	return n > 0 ? 0 : -1;
}

/* Start it. -1 with errno. */
static int
start(struct check *k)
{
	struct timeval tv = { CHECK_MS / 1000, 0 };
	char path[PATH_MAX];
	int pair[2], e;

	if (proc_libexec("ptpd-probe", path, sizeof(path)) == -1 ||
	    chan_pair(pair) == -1)
		return -1;
	k->readable = event_new(
	    k->master->base, pair[0], EV_READ | EV_PERSIST, on_event, k);
	if (k->readable == NULL || event_add(k->readable, &tv) == -1 ||
	    send_task(k, pair[0]) == -1)
		goto err;
	if ((k->pid = proc_spawn(path, "ptpd: probe", pair[1])) == -1) {
		k->pid = 0;
		goto err;
	}
	k->fd = pair[0];
	close(pair[1]);
	return 0;

err:
	e = errno;
	end_probe(k);
	close(pair[0]);
	close(pair[1]);
	errno = e;
	return -1;
}

void
check_begin(struct master *m, struct ctl_call *call)
{
	struct check *k = m->check;

	if (k->ncalls == CALLS_MAX) {
		ctl_fail(call, "too many wait for the same already");
		return;
	}
	k->calls[k->ncalls++] = call;
	if (k->ncalls > 1)
		return;
	if (m->conf.listen_http.n == 0) {
		answer(k, "there is no listen.http to go through");
		return;
	}
	/* The one before may not have ended its client yet. */
	if (k->pid != 0)
		answer(k, "another test has not ended yet");
	else if (start(k) == -1)
		answer(k, strerror(errno));
}

void
check_reap(struct check *k)
{
	if (k->pid != 0 && waitpid(k->pid, NULL, WNOHANG) == k->pid)
		k->pid = 0;
}
