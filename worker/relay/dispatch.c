/* What the master may send a relay. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/http/host.h"
#include "common/ipc/serve.h"
#include "worker/relay/carry.h"
#include "worker/relay/journal.h"
#include "worker/relay/datagrams.h"
#include "worker/relay/quota.h"
#include "worker/relay/relay.h"
#include "worker/relay/session.h"
#include "worker/relay/show.h"
#include "worker/relay/user.h"

#define US_PER_MS 1000

/* The connection of that number and kind, or NULL: it has ended meanwhile. */
static struct conn *
find(const struct relay *r, uint32_t id, enum conn_kind kind)
{
	struct conn *c = idmap_get(&r->conns, id);

	return c != NULL && c->kind == kind ? c : NULL;
}

static int
on_ping(void *arg, const struct msg *m)
{
	struct relay *r = arg;

	(void)m;
	chan_send(r->chan, MSG_PONG, 0, NULL, 0, -1);
	return 0;
}

static int
on_conf(void *arg, const struct msg *m)
{
	struct relay *r = arg;
	struct buf b;

	buf_read(&b, m->p, m->n);
	if (msg_get_relay_conf(&b, &r->conf) == -1)
		return -1;
	r->heads.wait = (uint64_t)r->conf.head_ms * US_PER_MS;
	r->idles.wait = (uint64_t)r->conf.idle_ms * US_PER_MS;
	r->handshakes.wait = (uint64_t)r->conf.handshake_ms * US_PER_MS;
	return 0;
}

static int
on_counters(void *arg, const struct msg *m)
{
	struct relay *r = arg;
	struct counters *c;

	if (m->fd == -1 || (c = counters_map(m->fd)) == NULL)
		return -1;
	if (r->early == NULL) { /* it comes once */
		counters_free(c);
		return -1;
	}
	free(r->early);
	r->early = NULL;
	r->counters = c;
	return 0;
}

static int
on_access(void *arg, const struct msg *m)
{
	journal_use(arg, m->fd);
	return 0;
}

static int
on_peer(void *arg, const struct msg *m)
{
	const struct counters *c;
	struct relay *r = arg;

	if (m->id >= RELAY_PEERS) {
		if (m->fd != -1)
			close(m->fd);
		return -1;
	}
	/* Without a descriptor free: that relay's share is not seen. */
	if (m->fd != -1 && (c = counters_watch(m->fd)) != NULL)
		quota_peer(r, m->id, c);
	return 0;
}

/* No descriptor came: this process has none free. */
static bool
lost_fd(struct relay *r, const struct msg *m)
{
	if (m->fd != -1)
		return false;
	relay_closed(r, m->id, END_NOFILE, 0, 0);
	return true;
}

/*
 * Take out what was not sent by the peer itself, and has come already: an edge
 * has seen it. -1: it is not there.
 */
static int
discard(struct relay *r, int fd, size_t n)
{
	ssize_t got;

	while (n > 0) {
		if ((got = read(fd, turn_scratch(r->turn), n)) <= 0)
			return -1;
		n -= (size_t)got;
	}
	return 0;
}

static int
on_tunnel(void *arg, const struct msg *m)
{
	struct relay *r = arg;
	uint8_t kind = 0, transport = 0;
	uint16_t skip = 0;
	struct msg_conn c;
	struct buf b;

	buf_read(&b, m->p, m->n);
	if (msg_get_conn(&b, &c) == -1 || buf_get_u8(&b, &kind) == -1 ||
	    buf_get_u8(&b, &transport) == -1 || buf_get_u16(&b, &skip) == -1)
		return -1;
	if (lost_fd(r, m))
		return 0;
	if (discard(r, m->fd, skip) == -1) {
		close(m->fd);
		relay_closed(r, m->id, END_RESET, 0, 0);
		return 0;
	}
	carry_new(r, m->id, m->fd, &c, kind, transport);
	relay_room(r);
	return 0;
}

static int
on_client(void *arg, const struct msg *m)
{
	struct relay *r = arg;
	struct conn *c = find(r, m->id, CONN_CARRY);
	char id[TEXT_LABEL_MAX + 1];
	uint32_t client = 0, streams = 0;
	uint64_t generation = 0, speed = 0;
	struct buf b;

	buf_read(&b, m->p, m->n);
	buf_get_u32(&b, &client);
	buf_get_u64(&b, &generation);
	buf_get_cstr8(&b, id, sizeof(id));
	buf_get_u32(&b, &streams);
	buf_get_u64(&b, &speed);
	if (!buf_done(&b))
		return -1;
	return c == NULL
	    ? 0
	    : carry_client(c, generation, client, id, streams, speed);
}

static int
on_hs_out(void *arg, const struct msg *m)
{
	struct conn *c = find(arg, m->id, CONN_CARRY);

	return c == NULL ? 0 : carry_out(c, m->p, m->n);
}

static int
on_hs_keys(void *arg, const struct msg *m)
{
	struct conn *c = find(arg, m->id, CONN_CARRY);

	return c == NULL
	    ? 0
	    : carry_keys(c, m->p[0], m->p + 1, m->p + 33, m->p + 65);
}

static int
on_hs_fail(void *arg, const struct msg *m)
{
	struct conn *c = find(arg, m->id, CONN_CARRY);

	if (c != NULL)
		carry_fail(c);
	return 0;
}

/* The session that a payload begins with, and the rest in *b. */
static struct session *
session_of(struct relay *r, const struct msg *m, struct buf *b)
{
	uint64_t generation = 0;

	buf_read(b, m->p, m->n);
	buf_get_u64(b, &generation);
	return session_find(r, generation);
}

static int
on_granted(void *arg, const struct msg *m)
{
	struct buf b;
	struct session *s = session_of(arg, m, &b);

	if (s != NULL)
		session_granted(s, b.p, buf_left(&b));
	return 0;
}

static int
on_limits(void *arg, const struct msg *m)
{
	uint32_t streams = 0;
	uint64_t speed = 0;
	uint8_t tunnels = 0;
	struct buf b;
	struct session *s = session_of(arg, m, &b);

	buf_get_u32(&b, &streams);
	buf_get_u64(&b, &speed);
	buf_get_u8(&b, &tunnels);
	if (!buf_done(&b))
		return -1;
	if (s == NULL)
		return 0;
	session_limits(s, streams, speed);
	session_trim(s, tunnels);
	return 0;
}

static int
on_probe(void *arg, const struct msg *m)
{
	struct buf b;
	struct session *s = session_of(arg, m, &b);
	struct relay *r = arg;
	uint8_t payload[9];

	if (s != NULL) {
		session_probe(s);
		return 0;
	}
	memcpy(payload, m->p, 8);
	payload[8] = 0;
	chan_send(r->chan, MSG_ALIVE, 0, payload, sizeof(payload), -1);
	return 0;
}

static int
on_kick(void *arg, const struct msg *m)
{
	char text[256];
	uint8_t reason = 0;
	struct buf b;
	struct session *s = session_of(arg, m, &b);

	buf_get_u8(&b, &reason);
	buf_get_cstr8(&b, text, sizeof(text));
	if (!buf_done(&b))
		return -1;
	if (s != NULL)
		session_goaway(s, (enum goaway)reason, text, true);
	return 0;
}

static int
on_user(void *arg, const struct msg *m)
{
	struct relay *r = arg;
	char name[HOST_NAME_SIZE + 2];
	uint64_t generation = 0;
	uint16_t service = 0, skip = 0;
	uint8_t rerouted = 0;
	struct msg_conn c;
	struct buf b;

	buf_read(&b, m->p, m->n);
	if (msg_get_conn(&b, &c) == -1)
		return -1;
	buf_get_u64(&b, &generation);
	buf_get_u16(&b, &service);
	buf_get_u8(&b, &rerouted);
	buf_get_u16(&b, &skip);
	buf_get_cstr8(&b, name, sizeof(name));
	if (!buf_done(&b))
		return -1;
	if (lost_fd(r, m))
		return 0;
	if (discard(r, m->fd, skip) == -1) {
		close(m->fd);
		relay_closed(r, m->id, END_RESET, 0, 0);
		return 0;
	}
	user_new(r, m->id, m->fd, &c, generation, service, rerouted != 0, name);
	relay_room(r);
	return 0;
}

static int
on_udp_flows(void *arg, const struct msg *m)
{
	struct buf b;
	struct session *s = session_of(arg, m, &b);
	uint16_t service = 0;

	buf_get_u16(&b, &service);
	if (m->fd != -1 && s != NULL)
		datagrams_serve(arg, s, service, m->fd);
	else if (m->fd != -1)
		close(m->fd); /* the other end sees it */
	return 0;
}

static int
on_ask_same(void *arg, const struct msg *m)
{
	struct conn *c = find(arg, m->id, CONN_USER);
	uint64_t generation = 0;
	uint16_t service = 0;
	struct buf b;

	buf_read(&b, m->p, m->n);
	buf_get_u64(&b, &generation);
	buf_get_u16(&b, &service);
	if (c != NULL)
		user_ask_same((struct user *)c, generation, service);
	return 0;
}

static int
on_ask_fd(void *arg, const struct msg *m)
{
	struct conn *c = find(arg, m->id, CONN_USER);

	if (c != NULL && m->fd != -1)
		user_ask_fd((struct user *)c, m->fd);
	else if (c != NULL)
		user_ask_no((struct user *)c, 503);
	else if (m->fd != -1)
		close(m->fd);
	return 0;
}

static int
on_ask_no(void *arg, const struct msg *m)
{
	struct conn *c = find(arg, m->id, CONN_USER);
	uint16_t status = 0;
	struct buf b;

	buf_read(&b, m->p, m->n);
	buf_get_u16(&b, &status);
	if (c != NULL)
		user_ask_no((struct user *)c, status);
	return 0;
}

static int
on_bar(void *arg, const struct msg *m)
{
	struct conn *c = find(arg, m->id, CONN_USER);

	if (c != NULL)
		user_bar((struct user *)c, m->p[0] != 0);
	return 0;
}

static int
on_drain(void *arg, const struct msg *m)
{
	struct relay *r = arg;

	(void)m;
	relay_drain(r);
	for (struct session *s = r->sessions; s != NULL; s = s->next)
		session_goaway(s, GOAWAY_DRAIN, "", false);
	return 0;
}

static int
on_exit_now(void *arg, const struct msg *m)
{
	(void)arg;
	(void)m;
	_exit(0);
}

static int
on_show(void *arg, const struct msg *m)
{
	show_rows(arg, m->id, m->p[0]);
	return 0;
}

const chan_handler relay_handlers[MSG_TYPES] = {
	[MSG_LEVEL] = serve_level,
	[MSG_PING] = on_ping,
	[MSG_DRAIN] = on_drain,
	[MSG_EXIT] = on_exit_now,
	[MSG_RELAY_CONF] = on_conf,
	[MSG_ACCESS] = on_access,
	[MSG_COUNTERS] = on_counters,
	[MSG_TUNNEL] = on_tunnel,
	[MSG_CLIENT] = on_client,
	[MSG_HS_OUT] = on_hs_out,
	[MSG_HS_KEYS] = on_hs_keys,
	[MSG_HS_FAIL] = on_hs_fail,
	[MSG_GRANTED] = on_granted,
	[MSG_LIMITS] = on_limits,
	[MSG_PEER] = on_peer,
	[MSG_PROBE] = on_probe,
	[MSG_KICK] = on_kick,
	[MSG_USER] = on_user,
	[MSG_UDP_FLOWS] = on_udp_flows,
	[MSG_ASK_SAME] = on_ask_same,
	[MSG_ASK_FD] = on_ask_fd,
	[MSG_ASK_NO] = on_ask_no,
	[MSG_BAR] = on_bar,
	[MSG_SHOW] = on_show,
};
