/* A line: handshake or ticket, then a tunnel. */
#include "client/engine/line.h"

#include <errno.h>
#include <event2/event.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/engine/pool.h"
#include "common/base/buf.h"
#include "common/net/sockopt.h"
#include "common/tunnel/prologue.h"

#define BLOB_HEAD 2 /* bytes of a blob's length */
#define BLOB_MAX 1024

/* The first bytes of a version's refusal, read as the length of a blob. */
#define RANGE_LENGTH 0x8e70

/* What a line needs only until it is a tunnel. */
struct flight {
	int fd;
	struct event *ev;
	size_t have, want;
	uint8_t in[BLOB_HEAD + BLOB_MAX];
	/* Of a ticket. */
	uint32_t pool; /* its conn */
	struct pool_ticket ticket;
	uint8_t preface[PREFACE_MAX];
	size_t npreface;
	uint8_t nonce[TICKET_NONCE];
};

static void
flight_free(struct flight *f)
{
	event_free(f->ev);
	sodium_memzero(f, sizeof(*f));
	free(f);
}

/* Take it out of everything. What it holds is closed, but for a tunnel. */
static void
detach(struct line *l)
{
	l->state = LINE_ENDED;
	idmap_take(&l->engine->lines, l->conn);
	if (l->flight != NULL) {
		close(l->flight->fd);
		flight_free(l->flight);
		l->flight = NULL;
	}
	if (l->pool != NULL)
		pool_detach(l->pool, l);
	l->pool = NULL;
	engine_bury(l->engine, &l->grave, free, l);
	engine_settle(l->engine);
}

static void
tell_end(struct engine *e, uint32_t conn, enum msg_end code, const char *why)
{
	uint8_t payload[1 + 256];
	struct buf b;
	size_t n = strlen(why);

	buf_write(&b, payload, sizeof(payload));
	buf_put_u8(&b, (uint8_t)code);
	buf_put_str8(&b, why, n < 255 ? n : 255);
	chan_send(e->chan, MSG_LINK_END, conn, payload, buf_used(&b), -1);
}

/* It has failed before it was a tunnel. */
static void
fail(struct line *l, enum msg_end code, const char *why)
{
	if (l->state == LINE_ENDED)
		return;
	tell_end(l->engine, l->conn, code, why);
	detach(l);
}

void
line_drop(struct line *l)
{
	struct tunnel *t = l->tunnel;

	if (l->state == LINE_ENDED)
		return;
	l->tunnel = NULL;
	detach(l);
	if (t != NULL)
		tunnel_close(t);
}

void
line_end(struct line *l, enum msg_end code, const char *why)
{
	if (l->state == LINE_ENDED)
		return;
	tell_end(l->engine, l->conn, code, why);
	line_drop(l);
}

/* Written while the socket is fresh, whose buffer takes more than this. */
static int
put(struct line *l, const void *p, size_t n)
{
	ssize_t done = write(l->flight->fd, p, n);

	if (done == (ssize_t)n)
		return 0;
	fail(l, END_LOST, done == -1 ? strerror(errno) : "it takes no bytes");
	return -1;
}

/* Wait for `want` bytes; those after them stay in the socket. */
static void
await(struct line *l, enum line_state state, size_t want)
{
	l->state = state;
	l->flight->have = 0;
	l->flight->want = want;
	event_add(l->flight->ev, NULL);
}

/* The two bytes of a length were none. */
static void
no_blob(struct line *l, size_t length)
{
	struct flight *f = l->flight;
	char why[96];

	if (length == RANGE_LENGTH &&
	    read(f->fd, f->in + BLOB_HEAD, PREFACE_RANGE - BLOB_HEAD) ==
		PREFACE_RANGE - BLOB_HEAD) {
		snprintf(why, sizeof(why),
		    "it speaks versions %u to %u of the protocol, we speak %u",
		    f->in[PREFACE_RANGE - 2], f->in[PREFACE_RANGE - 1],
		    PREFACE_VERSION);
		fail(l, END_REFUSED, why);
		return;
	}
	fail(l, END_GARBAGE, "it does not answer as a ptp server does");
}

static void
take_length(struct line *l)
{
	struct flight *f = l->flight;
	size_t length = (size_t)f->in[0] << 8 | f->in[1];

	if (length == 0 || length > BLOB_MAX) {
		no_blob(l, length);
		return;
	}
	l->state = LINE_BLOB;
	f->want = BLOB_HEAD + length;
}

static void
take_blob(struct line *l)
{
	struct flight *f = l->flight;

	event_del(f->ev);
	l->state = LINE_WAIT;
	chan_send(l->engine->chan, MSG_HS_IN, l->conn, f->in + BLOB_HEAD,
	    f->want - BLOB_HEAD, -1);
}

static struct pool *
pool_of(const struct line *l)
{
	struct pool *p = l->engine->pools;

	while (p != NULL && (p->conn != l->flight->pool || p->draining))
		p = p->next;
	return p;
}

/* Become a tunnel of this pool. */
static void
rise(struct line *l, struct pool *p, const uint8_t tx[32], const uint8_t rx[32])
{
	struct flight *f = l->flight;
	int fd = f->fd;

	l->flight = NULL;
	flight_free(f); /* its event must not be there beside the tunnel's */
	l->state = LINE_UP;
	if (pool_attach(p, l, fd, tx, rx) == -1)
		fail(l, END_LIMIT, "no memory for a tunnel");
}

/* The server's nonce and MAC, if they are right, make the keys. */
static void
take_ticket(struct line *l)
{
	static const uint8_t transport = TRANSPORT_TCP;
	uint8_t mac[TICKET_MAC], c2s[TICKET_KEY], s2c[TICKET_KEY];
	struct flight *f = l->flight;
	struct ticket_flight t = {
		.preface = f->preface,
		.preface_len = f->npreface,
		.transport = &transport,
		.transport_len = sizeof(transport),
		.client_nonce = f->nonce,
		.server_nonce = f->in,
	};
	struct pool *p = pool_of(l);

	event_del(f->ev);
	ticket_server_mac(mac, f->ticket.key, &t);
	if (ticket_mac_verify(f->in + TICKET_NONCE, mac) == -1) {
		fail(l, END_GARBAGE, "the answer to a ticket does not verify");
		return;
	}
	if (p == NULL) {
		fail(l, END_LOST, "its session has ended");
		return;
	}
	ticket_split(f->ticket.key, &t, c2s, s2c);
	rise(l, p, c2s, s2c);
	sodium_memzero(c2s, sizeof(c2s));
	sodium_memzero(s2c, sizeof(s2c));
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct line *l = arg;
	struct flight *f = l->flight;
	ssize_t n;

	(void)what;
	n = read(fd, f->in + f->have, f->want - f->have);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		fail(l, END_LOST,
		    n == 0 ? "closed by the server" : strerror(errno));
		return;
	}
	f->have += (size_t)n;
	if (f->have < f->want)
		return;
	if (l->state == LINE_LENGTH)
		take_length(l);
	else if (l->state == LINE_BLOB)
		take_blob(l);
	else
		take_ticket(l);
}

/* A line without anything said yet. Takes fd; NULL: the parent is told. */
static struct line *
make(struct engine *e, uint32_t conn, int fd)
{
	struct flight *f;
	struct line *l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		goto err0;
	if ((f = calloc(1, sizeof(*f))) == NULL)
		goto err1;
	f->ev = event_new(e->base, fd, EV_READ | EV_PERSIST, on_readable, l);
	if (f->ev == NULL || idmap_put(&e->lines, conn, l) == -1)
		goto err2;
	f->fd = fd;
	l->engine = e;
	l->conn = conn;
	l->flight = f;
	sockopt_tunnel(fd);
	return l;

err2:
	if (f->ev != NULL)
		event_free(f->ev);
	free(f);
err1:
	free(l);
err0:
	close(fd);
	tell_end(e, conn, END_LIMIT, "no memory for a connection");
	return NULL;
}

void
line_new(struct engine *e, uint32_t conn, int fd)
{
	static const struct preface f = { .min = PREFACE_VERSION,
		.max = PREFACE_VERSION,
		.kind = PREFACE_SESSION };
	uint8_t preface[PREFACE_MAX];
	struct line *l;

	if ((l = make(e, conn, fd)) != NULL)
		put(l, preface, preface_make(preface, &f));
}

void
line_new_ticket(struct engine *e, uint32_t conn, int fd)
{
	static const uint8_t transport = TRANSPORT_TCP;
	struct preface head = { .min = PREFACE_VERSION,
		.max = PREFACE_VERSION,
		.kind = PREFACE_TICKET };
	uint8_t out[PREFACE_MAX + TICKET_NONCE + TICKET_MAC];
	struct ticket_flight t = { .transport = &transport,
		.transport_len = sizeof(transport) };
	struct flight *f;
	struct pool *p;
	struct line *l;

	if ((l = make(e, conn, fd)) == NULL)
		return;
	f = l->flight;
	if (pool_ticket_take(e, &p, &f->ticket) == -1) {
		fail(l, END_LOST, "there is no ticket for it");
		return;
	}
	f->pool = p->conn;
	memcpy(head.ticket, f->ticket.id, TICKET_ID);
	f->npreface = preface_make(f->preface, &head);
	ticket_nonce(f->nonce);
	t.preface = f->preface;
	t.preface_len = f->npreface;
	t.client_nonce = f->nonce;
	memcpy(out, f->preface, PREFACE_MAX);
	memcpy(out + PREFACE_MAX, f->nonce, TICKET_NONCE);
	ticket_client_mac(out + PREFACE_MAX + TICKET_NONCE, f->ticket.key, &t);
	if (put(l, out, sizeof(out)) == 0)
		await(l, LINE_TICKET, TICKET_NONCE + TICKET_MAC);
}

void
line_blob(struct line *l, const uint8_t *p, size_t n)
{
	uint8_t out[BLOB_HEAD + BLOB_MAX];

	/* `proof` may say its last word and then give up (ABORT). */
	if (l->state != LINE_WAIT || n > BLOB_MAX)
		return;
	out[0] = (uint8_t)(n >> 8);
	out[1] = (uint8_t)n;
	memcpy(out + BLOB_HEAD, p, n);
	if (put(l, out, BLOB_HEAD + n) == 0)
		await(l, LINE_LENGTH, BLOB_HEAD);
}

void
line_keys(struct line *l, uint8_t cipher, const uint8_t tx[32],
    const uint8_t rx[32], const uint8_t root[32])
{
	struct pool *p;

	if (l->state != LINE_WAIT)
		return;
	if ((p = pool_new(l->engine, l->conn, cipher, root)) == NULL) {
		fail(l, END_LIMIT, "no memory for a session");
		return;
	}
	rise(l, p, tx, rx);
}

void
line_ended(void *arg, const char *why)
{
	struct line *l = arg;

	l->tunnel = NULL;
	tell_end(l->engine, l->conn, END_LOST, l->shut ? "done" : why);
	detach(l);
}

void
line_goaway(struct line *l, enum goaway reason)
{
	uint8_t payload[6];
	struct buf b;

	if (l->tunnel == NULL || l->leaving)
		return;
	l->leaving = true;
	buf_write(&b, payload, sizeof(payload));
	buf_put_u8(&b, (uint8_t)reason);
	buf_put_u32(&b, 0);
	buf_put_cstr8(&b, "");
	tunnel_control(l->tunnel, FRAME_GOAWAY, payload, sizeof(payload));
}

void
line_shut(struct line *l)
{
	if (l->tunnel == NULL || l->shut)
		return;
	tunnel_flush(l->tunnel);
	if (l->tunnel == NULL || !tunnel_flushed(l->tunnel))
		return;
	l->shut = true;
	shutdown(tunnel_fd(l->tunnel), SHUT_WR);
}

bool
line_is_idle(const struct line *l)
{
	return l->tunnel == NULL || tunnel_streams(l->tunnel) == 0;
}
