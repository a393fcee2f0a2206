/*
 * A relay in a test's process: the master is the test, on the other end of
 * its channel; clients are tunnels on the same event loop; users are TCP
 * connections over loopback.
 */
#ifndef RELAY_LAB_H
#define RELAY_LAB_H

#include <sys/resource.h>
#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/crypto/record.h"
#include "common/ipc/chan_io.h"
#include "common/tunnel/tunnel.h"
#include "worker/relay/relay.h"
#include "worker/relay/quota.h"
#include "worker/relay/session.h"
#include "worker/relay/user.h"

#define LAB_SERVICES 4096
#define LAB_MESSAGES 8192
#define LAB_PATIENCE 60 /* seconds */
#define LAB_LINGER_US UINT64_C(60000000)

/* A growing string of bytes. */
struct bytes {
	uint8_t *p;
	size_t n, cap;
};

static inline void
bytes_add(struct bytes *b, const void *p, size_t n)
{
	if (b->n + n + 1 > b->cap) {
		b->cap = (b->n + n + 1) * 2;
		if ((b->p = realloc(b->p, b->cap)) == NULL)
			abort();
	}
	if (n > 0)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

static inline bool
bytes_have(const struct bytes *b, const char *s)
{
	return b->n >= strlen(s) && memmem(b->p, b->n, s, strlen(s)) != NULL;
}

/* Forget what came so far. */
static inline void
bytes_clear(struct bytes *b)
{
	b->n = 0;
	if (b->p != NULL)
		b->p[0] = '\0';
}

/* The client's end of a stream. */
struct svc {
	struct client *client;
	struct stream *s; /* NULL: gone */
	struct tunnel_open open;
	struct bytes in, out;
	size_t out_at, owed;
	bool fin, out_fin, fin_sent;
	int reset; /* reason, 0: none */
};

struct client {
	struct lab *lab;
	struct tunnel *t; /* NULL: gone */
	struct tunnel_budget budget;
	struct svc *svc[LAB_SERVICES];
	size_t n;
	bool mute;	/* answers no OPEN */
	bool stingy;	/* consumes nothing by itself */
	int goaway;	/* reason, 0: none */
	size_t tickets; /* received */
	uint8_t ticket[16][TICKET_ID];
	struct client *next;
};

/* What the relay has told its master. */
struct told {
	uint8_t type;
	uint32_t id;
	uint8_t p[300];
	size_t n;
};

struct lab {
	struct relay r;
	int master; /* our end of the channel */
	struct told *told;
	size_t ntold;
	bool broken; /* the channel */
	uint32_t last_conn;
	uint8_t scheme; /* of the next users */
	struct client *clients;
	struct visitor *visitors;
	struct event *pulse; /* so that no turn waits for long */
};

static inline void
lab_ended(void *arg, const char *why)
{
	struct relay *r = arg;

	(void)why;
	((struct lab *)r)->broken = true;
}

static inline void
lab_pulse(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static inline void
lab_down(
    struct lab *l, uint8_t type, uint32_t id, const void *p, size_t n, int fd)
{
	uint8_t frame[MSG_MAX];
	struct chan_out out = { frame, MSG_HEAD + n, fd };

	msg_head(frame, type, id, n);
	if (n > 0)
		memcpy(frame + MSG_HEAD, p, n);
	if (chan_io_send(l->master, &out, 1, true) != 1)
		abort();
	if (fd != -1)
		close(fd);
}

static inline void
lab_conf(struct lab *l, const struct msg_relay_conf *conf)
{
	uint8_t space[4096];
	struct buf b;

	buf_write(&b, space, sizeof(space));
	msg_put_relay_conf(&b, conf);
	lab_down(l, MSG_RELAY_CONF, 0, space, buf_used(&b), -1);
}

static inline struct lab *
lab_new(void)
{
	static const struct chan_ops ops = { relay_handlers, lab_ended, NULL };
	struct msg_relay_conf conf = { .head_max = 65535,
		.tunnel_ms = 90000,
		.head_ms = 10000,
		.handshake_ms = 10000,
		.drain_ms = 10000,
		.forwarded = true,
		.mux_header = "Host" };
	static const struct timeval pulse = { 0, 1000 };
	struct lab *l = calloc(1, sizeof(*l));
	struct rlimit files;
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	/* Both ends of everything are ours. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	log_set_level(LOG_LEVEL_DISABLE);
	if (l == NULL || sodium_init() == -1 || record_init() == -1 ||
	    relay_init(&l->r) == -1 || chan_pair(fds) == -1)
		abort();
	l->told = calloc(LAB_MESSAGES, sizeof(*l->told));
	l->master = fds[0];
	l->last_conn = 100;
	l->r.chan = chan_new(l->r.base, fds[1], ROLE_RELAY, false, &ops, &l->r);
	if (l->r.chan == NULL || l->told == NULL)
		abort();
	chan_set_ready(l->r.chan);
	/* Users are not late, however long this process has to wait. */
	l->r.lingers.wait = LAB_LINGER_US;
	l->pulse = event_new(l->r.base, -1, EV_PERSIST, lab_pulse, NULL);
	if (l->pulse == NULL || event_add(l->pulse, &pulse) == -1)
		abort();
	lab_conf(l, &conf);
	return l;
}

/* One frame that the relay has told. */
static inline void
lab_note(struct lab *l, const uint8_t *p, size_t n)
{
	struct told *t = &l->told[l->ntold];
	int type = msg_check(p, n, ROLE_RELAY, true, true, &t->id);

	if (type == -1 || l->ntold + 1 == LAB_MESSAGES)
		abort();
	t->type = (uint8_t)type;
	t->n = n - MSG_HEAD;
	memcpy(t->p, p + MSG_HEAD, t->n < sizeof(t->p) ? t->n : sizeof(t->p));
	l->ntold++;
}

/* Read what the relay has told; a packet is of one frame or several. */
static inline void
lab_listen(struct lab *l)
{
	uint8_t space[MSG_MAX + 1];
	struct chan_in in = { .p = space };

	while (chan_io_recv(l->master, &in, sizeof(space), true) == 1) {
		size_t at = 0, n;

		if (in.stray)
			abort();
		for (; at < in.n; at += n) {
			if ((n = msg_length(in.p + at, in.n - at)) == 0)
				abort();
			lab_note(l, in.p + at, n);
		}
	}
}

/* A user's end of its connection. */
struct visitor {
	struct visitor *next;
	int fd; /* -1: closed */
	uint32_t conn;
	struct bytes in, out;
	size_t out_at;
	bool lazy; /* reads nothing */
	bool eof, reset;
};

/* Write and read what can be. */
static inline void
visitor_move(struct visitor *v)
{
	uint8_t space[65536];
	bool cut = false;
	ssize_t n;

	if (v->fd == -1)
		return;
	while (v->out_at < v->out.n) {
		n = send(v->fd, v->out.p + v->out_at, v->out.n - v->out_at,
		    MSG_NOSIGNAL);
		if (n <= 0) {
			cut = n == -1 && errno == ECONNRESET;
			break;
		}
		v->out_at += (size_t)n;
	}
	while (!v->lazy && !v->eof && !v->reset) {
		n = read(v->fd, space, sizeof(space));
		if (n > 0)
			bytes_add(&v->in, space, (size_t)n);
		else if (n == 0)
			v->eof = true;
		else if (errno == EAGAIN)
			return;
		else
			v->reset = true;
	}
	/* Who was told of a reset once reads a mere end behind it. */
	if (cut && v->eof) {
		v->eof = false;
		v->reset = true;
	}
}

static inline void
lab_turn(struct lab *l)
{
	turn_once(l->r.turn);
	lab_listen(l);
	for (struct visitor *v = l->visitors; v != NULL; v = v->next)
		visitor_move(v);
}

/* The latest message of that type about that connection, or NULL. */
static inline struct told *
lab_told(struct lab *l, uint8_t type, uint32_t id)
{
	for (size_t i = l->ntold; i > 0; i--)
		if (l->told[i - 1].type == type && l->told[i - 1].id == id)
			return &l->told[i - 1];
	return NULL;
}

static inline size_t
lab_count(struct lab *l, uint8_t type)
{
	size_t n = 0;

	for (size_t i = 0; i < l->ntold; i++)
		n += l->told[i].type == type;
	return n;
}

/* Why a connection has ended; -1: it has not. */
static inline int
lab_closed(struct lab *l, uint32_t conn)
{
	struct told *t = lab_told(l, MSG_CLOSED, conn);

	return t == NULL ? -1 : t->p[0];
}

/* ---- clients ---- */

static inline void
svc_pump(struct svc *v)
{
	if (v->s == NULL)
		return;
	v->out_at +=
	    stream_write(v->s, v->out.p + v->out_at, v->out.n - v->out_at);
	if (v->out_fin && v->out_at == v->out.n && !v->fin_sent) {
		v->fin_sent = true;
		stream_fin(v->s);
	}
}

/* Grant the credit of n bytes. */
static inline void
svc_take(struct svc *v, size_t n)
{
	if (n > v->owed)
		n = v->owed;
	v->owed -= n;
	if (v->s != NULL && n > 0)
		stream_consumed(v->s, n);
}

static inline void
svc_say(struct svc *v, const char *s)
{
	bytes_add(&v->out, s, strlen(s));
	svc_pump(v);
}

static inline void
svc_fin(struct svc *v)
{
	v->out_fin = true;
	svc_pump(v);
}

static inline void
svc_reset(struct svc *v, enum reset reason)
{
	stream_end(v->s, reason);
	v->s = NULL;
}

static inline void
client_open(void *arg, struct stream *s, const struct tunnel_open *o)
{
	struct client *c = arg;
	struct svc *v = calloc(1, sizeof(*v));

	if (v == NULL || c->n == LAB_SERVICES)
		abort();
	c->svc[c->n++] = v;
	v->client = c;
	v->s = s;
	v->open = *o;
	bytes_add(&v->out, "", 0);
	bytes_add(&v->in, "", 0);
	stream_set_owner(s, v);
	if (!c->mute)
		stream_opened(s);
}

static inline void
client_data(void *owner, const struct iovec *iov, int n, size_t total)
{
	struct svc *v = owner;

	for (int i = 0; i < n; i++)
		bytes_add(&v->in, iov[i].iov_base, iov[i].iov_len);
	v->owed += total;
	if (!v->client->stingy)
		svc_take(v, total);
}

static inline void
client_fin(void *owner)
{
	((struct svc *)owner)->fin = true;
}

static inline void
client_reset(void *owner, enum reset reason)
{
	struct svc *v = owner;

	v->s = NULL;
	v->reset = (int)reason;
}

static inline void
client_room(void *owner)
{
	svc_pump(owner);
}

static inline int
client_control(void *arg, uint8_t type, const uint8_t *p, size_t n)
{
	struct client *c = arg;

	if (type == FRAME_GOAWAY && n > 0)
		c->goaway = p[0];
	if (type == FRAME_TICKET && c->tickets < 16)
		memcpy(c->ticket[c->tickets++], p + 4, TICKET_ID);
	return 0;
}

static inline void
client_ended(void *arg, const char *why)
{
	(void)why;
	((struct client *)arg)->t = NULL;
}

static const struct tunnel_ops client_ops = {
	.open = client_open,
	.data = client_data,
	.fin = client_fin,
	.reset = client_reset,
	.room = client_room,
	.control = client_control,
	.ended = client_ended,
};

static inline struct client *
client_over(struct lab *l, int fd, enum record_cipher cipher,
    const uint8_t tx[32], const uint8_t rx[32])
{
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	c->lab = l;
	c->budget.limit = QUOTA_BUDGET;
	c->next = l->clients;
	l->clients = c;
	c->t = tunnel_new(l->r.turn, fd, false,
	    cipher == RECORD_NONE ? NULL : record_new(cipher, tx),
	    cipher == RECORD_NONE ? NULL : record_new(cipher, rx), &c->budget,
	    &client_ops, c);
	if (c->t == NULL)
		abort();
	return c;
}

/*
 * A TCP connection over loopback, non-blocking; [0] is the relay's. Nothing
 * that was written waits for the peer, as with sockets of our listeners.
 */
static inline void
lab_tcp(int fds[2])
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger reset = { 1, 0 };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fds[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&sin, len) == -1 ||
	    listen(fd, 1) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1 ||
	    connect(fds[1], (struct sockaddr *)&sin, len) == -1 ||
	    (fds[0] = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) ==
		-1 ||
	    fcntl(fds[1], F_SETFL, O_NONBLOCK) == -1)
		abort();
	close(fd);
}

/* Have it offer services of all low numbers, all as `like` (NULL: open). */
static inline void
lab_offer(struct session *s, const struct service *like)
{
	static struct service rows[SERVICES_MAX];
	struct services list = { 1, SERVICES_MAX, rows };
	uint8_t space[SERVICES_BYTES];
	struct buf b;

	for (uint16_t i = 0; i < SERVICES_MAX; i++) {
		rows[i] = like != NULL
		    ? *like
		    : (struct service){ .kind = SERVICE_HTTP };
		rows[i].index = i;
	}
	buf_write(&b, space, sizeof(space));
	if (services_put(&b, &list) == -1 ||
	    session_offer(s, space, buf_used(&b)) == -1)
		abort();
}

/* A session with one link, and the client at its other end. */
static inline struct client *
client_new(struct lab *l, uint64_t generation, enum record_cipher cipher,
    uint32_t streams_max)
{
	static const uint8_t up[32] = { 1 }, down[32] = { 2 };
	struct addr peer = { 0 };
	struct session *s;
	int fds[2];

	s = session_new(&l->r, generation, 1, "id");
	lab_tcp(fds);
	if (s == NULL)
		abort();
	session_limits(s, streams_max, 0);
	s->cipher = (uint8_t)cipher;
	if (session_link(s, ++l->last_conn, fds[0], &peer, down, up) == -1)
		abort();
	lab_offer(s, NULL);
	return client_over(l, fds[1], cipher, up, down);
}

/* One more link of it. */
static inline struct client *
client_again(struct lab *l, uint64_t generation)
{
	static const uint8_t key[32] = { 1 };
	struct session *s = session_find(&l->r, generation);
	struct addr peer = { 0 };
	int fds[2];

	lab_tcp(fds);
	if (session_link(s, ++l->last_conn, fds[0], &peer, key, key) == -1)
		abort();
	return client_over(l, fds[1], s->cipher, key, key);
}

/* The client dies, as if killed. */
static inline void
client_kill(struct client *c)
{
	if (c->t != NULL)
		tunnel_close(c->t);
	c->t = NULL;
}

/* ---- users ---- */

static inline void
lab_user(struct lab *l, uint32_t conn, int fd, uint64_t generation,
    bool rerouted, const char *host)
{
	struct msg_conn c = { .scheme = l->scheme };
	uint8_t space[400];
	struct buf b;

	addr_parse_listen(&c.peer, "192.0.2.7:1234");
	addr_parse_listen(&c.local, "192.0.2.1:80");
	buf_write(&b, space, sizeof(space));
	msg_put_conn(&b, &c);
	buf_put_u64(&b, generation);
	buf_put_u16(&b, 7);
	buf_put_u8(&b, rerouted);
	buf_put_u16(&b, 0);
	buf_put_cstr8(&b, host);
	lab_down(l, MSG_USER, conn, space, buf_used(&b), fd);
}

static inline struct visitor *
visitor_new(struct lab *l, uint64_t generation, const char *host)
{
	struct visitor *v = calloc(1, sizeof(*v));
	int fds[2];

	if (v == NULL)
		abort();
	lab_tcp(fds);
	v->fd = fds[1];
	v->conn = ++l->last_conn;
	bytes_add(&v->in, "", 0);
	bytes_add(&v->out, "", 0);
	v->next = l->visitors;
	l->visitors = v;
	lab_user(l, v->conn, fds[0], generation, false, host);
	return v;
}

static inline void
visitor_say(struct visitor *v, const char *s)
{
	bytes_add(&v->out, s, strlen(s));
	visitor_move(v);
}

static inline void
visitor_shut(struct visitor *v)
{
	shutdown(v->fd, SHUT_WR);
}

/* Close: in order, or with a reset. */
static inline void
visitor_close(struct visitor *v, bool reset)
{
	struct linger l = { reset, 0 };

	if (v->fd == -1)
		return;
	setsockopt(v->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	close(v->fd);
	v->fd = -1;
}

/* ---- */

static inline void
lab_free(struct lab *l)
{
	struct visitor *v;
	struct client *c;

	for (c = l->clients; c != NULL; c = c->next)
		client_kill(c);
	event_free(l->pulse);
	relay_free(&l->r);
	while ((v = l->visitors) != NULL) {
		l->visitors = v->next;
		visitor_close(v, false);
		free(v->in.p);
		free(v->out.p);
		free(v);
	}
	while ((c = l->clients) != NULL) {
		l->clients = c->next;
		for (size_t i = 0; i < c->n; i++) {
			free(c->svc[i]->in.p);
			free(c->svc[i]->out.p);
			free(c->svc[i]);
		}
		free(c);
	}
	close(l->master);
	free(l->told);
	free(l);
}

/* Let time pass. */
static inline void
lab_wait(struct lab *l, uint64_t ms)
{
	for (uint64_t until = clock_ms() + ms; clock_ms() < until;)
		lab_turn(l);
}

static inline bool
lab_late(time_t *since)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	if (*since == 0)
		*since = ts.tv_sec;
	return ts.tv_sec - *since > LAB_PATIENCE;
}

#endif
