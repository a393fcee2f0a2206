/*
 * A master and hijacked workers of each kind: whatever they send, in whatever
 * order, the tables stay whole, nothing leaks, and who breaks a rule is ended.
 *
 * The input is a list of steps: what u8, then
 *   0 mod 8    a new visitor
 *   1 mod 8    the loop runs, what the master sent is thrown away
 *   otherwise  a frame: from which worker u8, type u8, number u8 (an existing
 *              connection, or as it is), length u8, payload; 6 mod 8: its
 *              first 8 bytes become the generation of an existing session
 */
#include <sys/socket.h>

#include <event2/event.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "master/dispatch.h"
#include "master/edge.h"
#include "master/feed.h"
#include "master/hold.h"
#include "master/listeners.h"
#include "master/master.h"
#include "master/restart.h"
#include "master/sessions.h"
#include "master/tls.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WORKERS 9
#define STEPS_MAX 200

static const enum role ROLES[WORKERS] = { ROLE_HTTP, ROLE_RELAY, ROLE_RELAY,
	ROLE_KEYS, ROLE_AUTH, ROLE_SNI, ROLE_TLS, ROLE_FETCH, ROLE_REPORT };

struct world {
	struct master m;
	int ends[WORKERS]; /* the workers' ends of their channels */
};

static struct server_conf conf;

static void
no_log(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	(void)line;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const options[] = { "listen.http=127.0.0.1:0",
		"workers=2", "timeouts.park=5s", "auth.url=http://127.0.0.1/",
		"allow_any_client=true" };
	static const char *const users[] = { "id1:s", "id2:s", "a-b:s" };
	struct conf_args args = { .file = "/dev/null",
		.options = options,
		.noptions = 3,
		.users = users,
		.nusers = 3 };
	struct faults faults = { 0 };

	(void)argc;
	(void)argv;
	log_to(no_log, NULL);
	if (sodium_init() == -1 ||
	    server_conf_load(&conf, &args, &faults) == -1)
		abort();
	return 0;
}

static void
add_worker(struct world *x, size_t i)
{
	struct worker *w;
	int fds[2];

	if (chan_pair(fds) == -1)
		abort();
	/* Pid 0: nobody is ended in earnest. */
	w = worker_adopt(&x->m, workers_worker_ops(x->m.workers), ROLES[i],
	    i == 2, 0, fds[0]);
	if (w == NULL || workers_add(x->m.workers, w, true) == -1)
		abort();
	x->ends[i] = fds[1];
}

static void
begin(struct world *x, const struct options *options)
{
	if (master_init(&x->m, options) == -1)
		abort();
	x->m.conf = conf;
	x->m.any_client = true;
	x->m.ready = true;
	x->m.workers = workers_new(&x->m, &dispatch_ops);
	workers_retire(x->m.workers);
	for (size_t i = 0; i < WORKERS; i++)
		add_worker(x, i);
	feed_set(&x->m, 1, true);
}

/* What the master sent is read and forgotten, descriptors with it. */
static void
drain(int fd)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} ctl;
	char frame[MSG_MAX];

	for (;;) {
		struct iovec iov = { frame, sizeof(frame) };
		struct msghdr h = { .msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = ctl.space,
			.msg_controllen = sizeof(ctl.space) };
		struct cmsghdr *cm;
		int passed;

		if (recvmsg(fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
			return;
		if ((cm = CMSG_FIRSTHDR(&h)) != NULL) {
			memcpy(&passed, CMSG_DATA(cm), sizeof(passed));
			close(passed);
		}
	}
}

static void
turn(struct world *x)
{
	event_base_loop(x->m.base, EVLOOP_NONBLOCK);
	for (size_t i = 0; i < WORKERS; i++)
		drain(x->ends[i]);
}

/* Any kind of visitor that an edge has to judge, or a converter to convert. */
static void
visitor(struct world *x, uint8_t kind)
{
	struct msg_conn who = { .listener = 0,
		.scheme = (kind & 1) != 0 ? SCHEME_SNI : SCHEME_HTTP };
	struct conn *c;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1)
		return;
	close(fds[1]);
	addr_parse_listen(&who.peer, "10.0.0.1:1000");
	addr_parse_listen(&who.local, "10.0.0.2:80");
	if ((c = conns_add(x->m.conns, fds[0], &who)) == NULL)
		return;
	c->kind = LISTENER_HTTP;
	if ((kind & 1) != 0)
		c->kind = LISTENER_SNI;
	else if ((kind & 4) != 0)
		c->kind = LISTENER_REDIRECT;
	c->proxied = (kind & 2) != 0;
	if ((kind & 8) == 0) {
		edge_place(&x->m, c);
		return;
	}
	c->kind = LISTENER_TLS;
	c->who.scheme = (kind & 1) != 0 ? SCHEME_TLS : SCHEME_HTTPS;
	tls_place(&x->m, c);
}

/* The n-th connection. */
struct pick {
	size_t n, i;
	uint32_t id;
};

static void
pick_conn(void *arg, struct conn *c)
{
	struct pick *p = arg;

	if (p->i++ == p->n)
		p->id = c->id;
}

/* Generations in order of their age: the map has another one each time. */
struct ages {
	uint64_t v[STEPS_MAX];
	size_t n;
};

static void
add_age(void *arg, void *value)
{
	struct ages *a = arg;
	size_t i = a->n++;
	uint64_t g = ((struct session *)value)->generation;

	for (; i > 0 && a->v[i - 1] > g; i--)
		a->v[i] = a->v[i - 1];
	a->v[i] = g;
}

static void
frame(struct world *x, uint8_t what, struct buf *in)
{
	uint8_t from = 0, type = 0, number = 0, n = 0;
	uint8_t out[MSG_HEAD + 255];
	struct pick pick = { .n = 0 };
	struct ages ages = { .n = 0 };
	size_t conns = conns_count(x->m.conns);
	const uint8_t *payload;
	struct buf b;

	buf_get_u8(in, &from);
	buf_get_u8(in, &type);
	buf_get_u8(in, &number);
	buf_get_u8(in, &n);
	if (buf_left(in) < n)
		n = (uint8_t)buf_left(in);
	if (buf_get_view(in, &payload, n) == -1)
		return;
	pick.id = number;
	if (number != 0 && conns > 0) {
		pick.n = (number - 1) % conns;
		conns_each(x->m.conns, pick_conn, &pick);
	}
	msg_head(out, type, pick.id, n);
	if (n > 0)
		memcpy(out + MSG_HEAD, payload, n);
	sessions_each(x->m.sessions, add_age, &ages);
	if (what % 8 == 6 && n >= 8 && ages.n > 0) {
		buf_write(&b, out + MSG_HEAD, 8);
		buf_put_u64(&b, ages.v[payload[0] % ages.n]);
	}
	send(x->ends[from % WORKERS], out, MSG_HEAD + (size_t)n,
	    MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* ---- what must hold after every turn ---- */

struct audit {
	struct world *x;
	const struct worker *w;
	const struct client *client;
	const struct session *session;
	size_t n;
};

static void
count_of_worker(void *arg, struct conn *c)
{
	struct audit *a = arg;

	a->n += c->worker == a->w;
}

static void
audit_worker(void *arg, struct worker *w)
{
	struct audit *a = arg;

	a->w = w;
	a->n = 0;
	conns_each(a->x->m.conns, count_of_worker, a);
	if (a->n != w->conns)
		abort();
}

static void
count_of_client(void *arg, struct conn *c)
{
	struct audit *a = arg;

	a->n += c->state == CONN_USER && c->client == a->client;
}

static void
audit_client(void *arg, void *value)
{
	struct audit *a = arg;
	const struct session *s;
	unsigned tunnels = 0;

	a->client = value;
	a->n = 0;
	conns_each(a->x->m.conns, count_of_client, a);
	if (a->n != a->client->users)
		abort();
	LIST_FOREACH(s, &a->client->sessions, of)
	tunnels += s->tunnels;
	if (tunnels != a->client->tunnels)
		abort();
}

static void
audit_conn(void *arg, struct conn *c)
{
	(void)arg;
	if ((c->handshake != NULL && c->state != CONN_HANDSHAKE) ||
	    (c->state == CONN_TUNNEL && c->session == NULL) ||
	    (c->state == CONN_USER && c->client == NULL) ||
	    (c->state == CONN_PARKED && (c->fd == -1 || c->client == NULL)) ||
	    (c->state == CONN_PEEK && c->fd == -1))
		abort();
}

static void
audit(struct world *x)
{
	struct audit a = { .x = x };

	workers_each(x->m.workers, audit_worker, &a);
	clients_each(x->m.clients, audit_client, &a);
	conns_each(x->m.conns, audit_conn, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct options options = { .args_fd = -1 };
	struct world *x = calloc(1, sizeof(*x));
	struct buf in;
	uint8_t what;

	begin(x, &options);
	buf_read(&in, data, size);
	for (int i = 0; i < STEPS_MAX && buf_get_u8(&in, &what) == 0; i++) {
		if (what % 8 == 0) {
			visitor(x, what / 8);
		} else if (what % 8 == 1) {
			turn(x);
			audit(x);
		} else {
			frame(x, what, &in);
		}
	}
	turn(x);
	audit(x);
	memset(&x->m.conf, 0, sizeof(x->m.conf)); /* it is everybody's */
	master_free(&x->m);
	for (size_t i = 0; i < WORKERS; i++)
		close(x->ends[i]);
	free(x);
	return 0;
}
