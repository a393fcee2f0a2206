/* A logged-in client and its tunnels. */
#include "worker/relay/session.h"

#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/crypto/record.h"
#include "common/net/sockopt.h"
#include "common/tunnel/turn.h"
#include "worker/relay/datagrams.h"
#include "worker/relay/udp_flow.h"
#include "worker/relay/offer.h"
#include "worker/relay/quota.h"
#include "worker/relay/upstream.h"

#define PROBE_WAIT 1000000 /* us */
#define PING_WAIT 30000000 /* us of silence, if it may last for ever */

struct session *
session_new(
    struct relay *r, uint64_t generation, uint32_t client, const char *id)
{
	struct session *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	if ((s->quota = quota_take(r, client)) == NULL) {
		free(s);
		return NULL;
	}
	s->relay = r;
	s->generation = generation;
	s->client = client;
	s->waiting_tail = &s->waiting;
	strncpy(s->id, id, sizeof(s->id) - 1);
	s->next = r->sessions;
	r->sessions = s;
	directory_add(&r->directory, s);
	return s;
}

void
session_limits(struct session *s, uint32_t streams_max, uint64_t speed)
{
	s->streams_max = streams_max;
	quota_speed(s->quota, speed);
}

bool
session_is_full(
    const struct session *s, uint16_t service, const struct addr *peer)
{
	char text[ADDR_TEXT];

	if (s->streams_max > 0 && s->users >= s->streams_max)
		log_info("%s: %s is refused: %u users, as many as it may have",
		    s->id, addr_format(text, peer), s->users);
	else if (offer_is_full(s, service))
		log_info("%s: %s is refused: its service %u has as many users "
			 "as it may",
		    s->id, addr_format(text, peer), service);
	else
		return false;
	return true;
}

struct session *
session_find(const struct relay *r, uint64_t generation)
{
	return directory_find(&r->directory, generation);
}

static void
session_free(struct session *s)
{
	struct session **at = &s->relay->sessions;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	directory_remove(&s->relay->directory, s);
	for (size_t i = 0; i < SESSION_TICKETS; i++)
		directory_remove_ticket(&s->relay->directory, &s->tickets[i]);
	datagrams_forget_session(s);
	upstream_forget_session(s);
	services_free(&s->services);
	if (s->probed != 0)
		s->relay->probing--;
	offer_forget(s);
	quota_give(s->quota);
	sodium_memzero(s, sizeof(*s));
	free(s);
}

void
session_unused(struct session *s)
{
	if (s != NULL && s->links == NULL)
		session_free(s);
}

/* Take a link out of its session; the last one takes the session along. */
static void
link_end(struct link *l, enum msg_end why)
{
	struct session *s = l->session;
	struct link **at = &s->links;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	idmap_take(&s->relay->conns, l->conn.id);
	relay_closed(s->relay, l->conn.id, why, 0, 0);
	free(l);
	if (s->links == NULL)
		session_free(s);
	else
		upstream_wake(s, UINT_MAX);
}

static void
link_ended(void *arg, const char *why)
{
	struct link *l = arg;
	char peer[ADDR_TEXT];

	log_info("%s: tunnel from %s ended: %s", l->session->id,
	    addr_format(peer, &l->peer), why);
	link_end(l, l->stopped ? END_CLEAN : END_LOST);
}

/* Checked here, decided by the master. */
int
session_offer(struct session *s, const uint8_t *p, size_t n)
{
	uint8_t out[MSG_PAYLOAD_MAX];
	struct services list;
	struct buf b;

	buf_read(&b, p, n);
	if (services_get(&list, &b) == -1)
		return errno == ENOMEM ? 0 : -1;
	buf_write(&b, out, sizeof(out));
	buf_put_u64(&b, s->generation);
	if (services_put(&b, &list) == -1) {
		services_free(&list);
		return -1;
	}
	/* Before the master knows, who has nobody routed to it until then. */
	services_free(&s->services);
	s->services = list;
	offer_update(s, &list);
	datagrams_review(s);
	chan_send(s->relay->chan, MSG_SERVICES, s->links->conn.id, out,
	    buf_used(&b), -1);
	return 0;
}

const struct service *
session_service(const struct session *s, uint16_t index)
{
	return services_find(&s->services, index);
}

static int
link_control(void *arg, uint8_t type, const uint8_t *p, size_t n)
{
	struct link *l = arg;

	switch (type) {
	case FRAME_SERVICES:
		return session_offer(l->session, p, n);
	case FRAME_WANT:
		for (unsigned i = 0; i < p[0] && i < SESSION_TICKETS; i++)
			session_ticket_issue(l);
		return 0;
	case FRAME_GOAWAY:
		l->leaving = true;
		l->stopped = p[0] == GOAWAY_STOP;
		upstream_wake(l->session, UINT_MAX);
		upstream_release(l->session);
		datagrams_release(l->session);
		return 0;
	default:
		return -1;
	}
}

static const struct tunnel_ops link_ops = {
	.opened = upstream_opened,
	.data = upstream_data,
	.dgrams = udp_flow_dgrams,
	.dgrams_opened = udp_flow_opened,
	.dgrams_end = udp_flow_ended,
	.dgram_lost = udp_flow_lost,
	.fin = upstream_fin,
	.reset = upstream_reset,
	.room = upstream_room_again,
	.control = link_control,
	.ended = link_ended,
};

int
session_link(struct session *s, uint32_t conn, int fd, const struct addr *peer,
    const uint8_t tx[32], const uint8_t rx[32])
{
	struct record *seal = NULL, *open = NULL;
	struct link *l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return -1;
	l->conn.id = conn;
	l->conn.kind = CONN_LINK;
	l->session = s;
	l->peer = *peer;
	if (s->cipher != RECORD_NONE &&
	    ((seal = record_new(s->cipher, tx)) == NULL ||
		(open = record_new(s->cipher, rx)) == NULL))
		goto err0;
	if (idmap_put(&s->relay->conns, conn, l) == -1)
		goto err0;
	sockopt_tunnel(fd);
	l->tunnel = tunnel_new(s->relay->turn, fd, true, seal, open,
	    &s->quota->budget, &link_ops, l);
	if (l->tunnel == NULL)
		goto err1;
	l->next = s->links;
	s->links = l;
	s->up = true;
	counter_add(&s->relay->counters->all[COUNTER_TUNNELS], 1);
	upstream_wake(s, UINT_MAX);
	if (s->relay->draining)
		session_goaway(s, GOAWAY_DRAIN, "", false);
	return 0;

err1:
	idmap_take(&s->relay->conns, conn);
err0:
	record_free(seal);
	record_free(open);
	free(l);
	return -1;
}

/*
 * Streams fill one tunnel, because that is what makes batches, until it is
 * busy or has very many; then the next.
 */
struct tunnel *
session_tunnel(struct session *s)
{
	struct tunnel *least = NULL;

	for (struct link *l = s->links; l != NULL; l = l->next) {
		if (l->leaving ||
		    tunnel_unanswered(l->tunnel) >= SESSION_UNANSWERED)
			continue;
		if (!tunnel_busy(l->tunnel) &&
		    tunnel_streams(l->tunnel) < SESSION_SPREAD)
			return l->tunnel;
		if (least == NULL ||
		    tunnel_streams(l->tunnel) < tunnel_streams(least))
			least = l->tunnel;
	}
	return least;
}

bool
session_is_gone(const struct session *s)
{
	const struct link *l = s->links;

	while (l != NULL && l->leaving)
		l = l->next;
	return l == NULL;
}

bool
session_leaves(const struct session *s, const struct tunnel *t)
{
	const struct link *l = s->links;

	while (l != NULL && l->tunnel != t)
		l = l->next;
	return l != NULL && l->leaving;
}

/* Say GOAWAY on one link: it takes no new streams. */
static void
leave(struct link *l, enum goaway reason, const char *text)
{
	uint8_t payload[5 + 256];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	buf_put_u8(&b, (uint8_t)reason);
	buf_put_u32(&b, 0);
	buf_put_cstr8(&b, text);
	l->leaving = true;
	tunnel_control(l->tunnel, FRAME_GOAWAY, payload, buf_used(&b));
}

void
session_trim(struct session *s, unsigned most)
{
	struct link *l;
	unsigned n = 0;

	for (l = s->links; l != NULL; l = l->next)
		n += !l->leaving;
	/* The newest is first; the oldest carries the session. */
	for (l = s->links; l != NULL && n > most; l = l->next) {
		if (l->leaving)
			continue;
		leave(l, GOAWAY_DRAIN, "fewer tunnels are allowed");
		n--;
	}
	datagrams_release(s);
}

void
session_goaway(
    struct session *s, enum goaway reason, const char *text, bool end)
{
	struct link *l, *next;

	for (l = s->links; l != NULL; l = l->next)
		leave(l, reason, text);
	datagrams_release(s);
	upstream_wake(s, UINT_MAX);
	if (!end)
		return;
	s->ended = true; /* also if its first link is still on its way */
	for (l = s->links; l != NULL; l = next) {
		next = l->next;
		/* An orderly end, or the reset would overtake GOAWAY. */
		sockopt_reset_on_close(tunnel_fd(l->tunnel), false);
		tunnel_leave(l->tunnel);
		link_end(l, END_REFUSED);
	}
}

void
session_close(struct session *s)
{
	struct link *l, *next;

	for (l = s->links; l != NULL; l = next) {
		next = l->next;
		tunnel_close(l->tunnel);
		link_end(l, END_LOST);
	}
}

void
session_probe(struct session *s)
{
	if (s->probed == 0)
		s->relay->probing++;
	s->probed = turn_now(s->relay->turn);
	for (struct link *l = s->links; l != NULL; l = l->next)
		tunnel_ping(l->tunnel);
}

static void
probe_result(struct session *s, bool alive)
{
	uint8_t payload[9];
	struct buf b;

	s->probed = 0;
	s->relay->probing--;
	buf_write(&b, payload, sizeof(payload));
	buf_put_u64(&b, s->generation);
	buf_put_u8(&b, alive);
	chan_send(s->relay->chan, MSG_ALIVE, 0, payload, sizeof(payload), -1);
}

void
session_tick(struct session *s, bool second)
{
	uint64_t dead = (uint64_t)s->relay->conf.tunnel_ms * 1000;
	uint64_t idle = dead > 0 ? dead / 4 : PING_WAIT;
	struct link *l, *next;

	for (l = s->links; l != NULL && s->probed != 0; l = l->next) {
		if (tunnel_heard(l->tunnel) > s->probed)
			probe_result(s, true);
	}
	if (s->probed != 0 && turn_now(s->relay->turn) > s->probed + PROBE_WAIT)
		probe_result(s, false);
	upstream_wake(s, UINT_MAX);
	if (!second)
		return;
	for (l = s->links; l != NULL; l = next) {
		bool last = l->next == NULL;

		next = l->next;
		/* The last one's end frees the session. */
		tunnel_tick(l->tunnel, idle, dead);
		if (last)
			return;
	}
}

void
session_granted(struct session *s, const uint8_t *p, size_t n)
{
	if (s->links == NULL)
		return;
	/* The master keeps to the bound of a frame; if not, all see it. */
	if (n > FRAME_PAYLOAD_MAX) {
		log_error("%s: what it is granted does not fit a frame", s->id);
		session_goaway(s, GOAWAY_ABUSE, "too many names", true);
		return;
	}
	tunnel_control(s->links->tunnel, FRAME_GRANTED, p, n);
}
