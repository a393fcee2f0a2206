/* A client's connection before it is a tunnel. */
#include "worker/relay/carry.h"

#include <errno.h>
#include <event2/event.h>
#include <sodium.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/crypto/record.h"
#include "common/crypto/ticket.h"
#include "common/net/sockopt.h"
#include "worker/relay/session.h"

#define BLOB_HEAD 2
#define BLOB_MAX 1024
#define FLIGHT (TICKET_NONCE + TICKET_MAC)

enum state {
	PREFACE, /* reading it */
	LENGTH,	 /* reading a blob's length */
	BLOB,	 /* reading the blob */
	ANSWER,	 /* waiting for `keys`: nothing may be read */
	PROOF	 /* reading a ticket's first flight */
};

struct carry {
	struct conn conn;
	struct relay *relay;
	struct session *session; /* once the master has named it */
	struct event *ev;
	struct deadline timer;
	int fd;
	enum state state;
	uint8_t kind, transport;
	bool keyed; /* tx, rx are set: the session begins after this answer */
	size_t got, need;
	size_t preface_len;
	uint8_t preface[PREFACE_MAX];
	uint8_t in[BLOB_MAX];
	struct addr peer;
	uint8_t tx[TICKET_KEY], rx[TICKET_KEY];
};

/* Forget it; the descriptor is closed unless a tunnel has taken it. */
static void
carry_free(struct carry *c)
{
	idmap_take(&c->relay->conns, c->conn.id);
	deadline_drop(&c->timer);
	if (c->ev != NULL)
		event_free(c->ev);
	if (c->fd != -1) {
		/* A refusal may be on its way: end in order. */
		sockopt_reset_on_close(c->fd, false);
		close(c->fd);
	}
	sodium_memzero(c, sizeof(*c));
	free(c);
}

static void
carry_end(struct carry *c, enum msg_end why)
{
	struct session *s = c->session;
	struct relay *r = c->relay;
	uint32_t id = c->conn.id;

	carry_free(c);
	relay_closed(r, id, why, 0, 0);
	session_unused(s);
}

/* Write a few bytes to a socket that has sent little and got less. */
static int
put(struct carry *c, const void *p, size_t n)
{
	return write(c->fd, p, n) == (ssize_t)n ? 0 : -1;
}

/* The connection becomes a link of its session. */
static void
begin(struct carry *c)
{
	struct session *s = c->session;
	struct relay *r = c->relay;
	uint32_t id = c->conn.id;
	int fd = c->fd;

	if (s->ended) { /* kicked before it was there */
		carry_end(c, END_REFUSED);
		return;
	}
	event_del(c->ev);
	idmap_take(&r->conns, id);
	if (session_link(s, id, fd, &c->peer, c->tx, c->rx) == -1) {
		log_warn("%s: cannot begin a tunnel", s->id);
		carry_end(c, END_LIMIT);
		return;
	}
	c->fd = -1;
	c->conn.id = 0; /* the number is the link's now */
	carry_free(c);
}

/* The ticket's proof has come whole: check it, and give ours. */
static void
take_proof(struct carry *c)
{
	uint8_t key[TICKET_KEY], mac[TICKET_MAC], out[FLIGHT];
	struct ticket_flight f = {
		.preface = c->preface,
		.preface_len = c->preface_len,
		.transport = &c->transport,
		.transport_len = 1,
		.client_nonce = c->in,
		.server_nonce = out,
	};
	char peer[ADDR_TEXT];
	uint8_t payload[8];
	struct buf b;

	c->session =
	    session_ticket_take(c->relay, c->preface + PREFACE_BASE, key);
	if (c->session != NULL)
		ticket_client_mac(mac, key, &f);
	if (c->session == NULL ||
	    ticket_mac_verify(c->in + TICKET_NONCE, mac) == -1) {
		log_warnx("bad ticket from %s", addr_format(peer, &c->peer));
		sodium_memzero(key, sizeof(key));
		carry_end(c, END_GARBAGE);
		return;
	}
	ticket_nonce(out);
	ticket_server_mac(out + TICKET_NONCE, key, &f);
	ticket_split(key, &f, c->rx, c->tx);
	sodium_memzero(key, sizeof(key));
	if (put(c, out, sizeof(out)) == -1) {
		carry_end(c, END_RESET);
		return;
	}
	buf_write(&b, payload, sizeof(payload));
	buf_put_u64(&b, c->session->generation);
	chan_send(c->relay->chan, MSG_ATTACHED, c->conn.id, payload,
	    sizeof(payload), -1);
	begin(c);
}

static void
expect(struct carry *c, enum state s, size_t need)
{
	c->state = s;
	c->need = need;
	c->got = 0;
}

static void
to_keys(struct carry *c, const uint8_t *p, size_t n)
{
	chan_send(c->relay->chan, MSG_HS_IN, c->conn.id, p, n, -1);
}

/* What was expected has come whole. 0: go on reading; -1: stop. */
static int
advance(struct carry *c)
{
	size_t n;

	switch (c->state) {
	case PREFACE:
		memcpy(c->preface, c->in, c->need);
		c->preface_len = c->need;
		if (c->kind == PREFACE_TICKET) {
			expect(c, PROOF, FLIGHT);
			return 0;
		}
		to_keys(c, c->preface, c->preface_len);
		expect(c, LENGTH, BLOB_HEAD);
		return 0;
	case LENGTH:
		n = (size_t)c->in[0] << 8 | c->in[1];
		if (n == 0 || n > BLOB_MAX) {
			carry_end(c, END_GARBAGE);
			return -1;
		}
		expect(c, BLOB, n);
		return 0;
	case BLOB:
		n = c->need;
		/* Not a byte more until `keys` has answered. */
		expect(c, ANSWER, 0);
		event_del(c->ev);
		to_keys(c, c->in, n);
		return -1;
	case PROOF:
		take_proof(c);
		return -1;
	case ANSWER:
	default:
		return -1;
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct carry *c = arg;
	ssize_t n;

	(void)what;
	do {
		n = read(fd, c->in + c->got, c->need - c->got);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			carry_end(c, END_LOST);
			return;
		}
		c->got += (size_t)n;
	} while (c->got < c->need || advance(c) == 0);
}

void
carry_new(struct relay *r, uint32_t conn, int fd, const struct msg_conn *m,
    uint8_t kind, uint8_t transport)
{
	struct carry *c;

	if ((c = calloc(1, sizeof(*c))) == NULL) {
		close(fd);
		relay_closed(r, conn, END_LIMIT, 0, 0);
		return;
	}
	c->conn.id = conn;
	c->conn.kind = CONN_CARRY;
	c->relay = r;
	c->fd = fd;
	c->kind = kind;
	c->transport = transport;
	c->peer = m->peer;
	expect(c, PREFACE, kind == PREFACE_TICKET ? PREFACE_MAX : PREFACE_BASE);
	c->ev = event_new(r->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	if (c->ev == NULL || event_add(c->ev, NULL) == -1 ||
	    idmap_put(&r->conns, conn, c) == -1) {
		carry_end(c, END_LIMIT);
		return;
	}
	deadline_set(&r->handshakes, &c->timer, turn_now(r->turn));
	on_readable(fd, EV_READ, c);
}

int
carry_out(struct conn *conn, const uint8_t *p, size_t n)
{
	struct carry *c = (struct carry *)conn;
	uint8_t blob[BLOB_HEAD + BLOB_MAX];

	if (c->state != ANSWER || n > BLOB_MAX)
		return -1;
	blob[0] = (uint8_t)(n >> 8);
	blob[1] = (uint8_t)n;
	memcpy(blob + BLOB_HEAD, p, n);
	if (put(c, blob, BLOB_HEAD + n) == -1) {
		carry_end(c, END_RESET);
		return 0;
	}
	if (c->keyed) {
		begin(c);
		return 0;
	}
	expect(c, LENGTH, BLOB_HEAD);
	if (event_add(c->ev, NULL) == -1)
		carry_end(c, END_LIMIT);
	return 0;
}

int
carry_client(struct conn *conn, uint64_t generation, uint32_t client,
    const char *id, uint32_t streams_max, uint64_t speed)
{
	struct carry *c = (struct carry *)conn;

	if (c->kind != PREFACE_SESSION || c->session != NULL ||
	    session_find(c->relay, generation) != NULL ||
	    client >= COUNTERS_CLIENTS)
		return -1;
	c->session = session_new(c->relay, generation, client, id);
	if (c->session == NULL)
		carry_end(c, END_LIMIT);
	else
		session_limits(c->session, streams_max, speed);
	return 0;
}

int
carry_keys(struct conn *conn, uint8_t cipher, const uint8_t tx[32],
    const uint8_t rx[32], const uint8_t root[32])
{
	struct carry *c = (struct carry *)conn;

	if (c->session == NULL || c->session->up || c->keyed ||
	    record_cipher_name((enum record_cipher)cipher) == NULL)
		return -1;
	memcpy(c->tx, tx, sizeof(c->tx));
	memcpy(c->rx, rx, sizeof(c->rx));
	memcpy(c->session->root, root, sizeof(c->session->root));
	c->session->cipher = cipher;
	c->keyed = true;
	return 0;
}

void
carry_fail(struct conn *conn)
{
	carry_end((struct carry *)conn, END_REFUSED);
}

void
carry_expired(struct deadline *d)
{
	carry_end((struct carry *)((char *)d - offsetof(struct carry, timer)),
	    END_TIMEOUT);
}
