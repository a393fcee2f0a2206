/* What clients and sources of users may have. */
#include "master/limits.h"

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "master/clients.h"
#include "master/master.h"
#include "master/sessions.h"
#include "master/sources.h"
#include "master/tunnels.h"
#include "master/worker.h"

struct limits
limits_of(const struct master *m, const struct client *client)
{
	return server_conf_limits(
	    &m->conf, server_conf_user(&m->conf, client->id));
}

/* A reverse proxy or a load balancer, who brings many users. */
static bool
brings_many(const struct master *m, const struct addr *peer)
{
	return addr_blocks_have(m->conf.trusted.v, m->conf.trusted.n, peer);
}

/* Count it. Returns how many its source has now; 0: it is not counted. */
static unsigned
count(struct master *m, struct conn *c)
{
	struct source *s;

	/* The connection that asked for it counts. */
	if (c->counted || c->rerouted || brings_many(m, &c->who.peer) ||
	    (s = sources_take_user(m->sources, &c->who.peer)) == NULL)
		return 0;
	c->counted = true;
	return s->users;
}

void
limits_restore(struct master *m, struct conn *c)
{
	count(m, c);
}

void
limits_leave(struct master *m, struct conn *c)
{
	if (c->counted)
		sources_release_user(m->sources, &c->who.peer);
	c->counted = false;
}

/* Turned away: those of one second have a few lines, and one that counts. */
static void
log_refusal(struct master *m, const struct conn *c, const struct client *client,
    const char *why)
{
	struct limits_log *log = &m->limits_log;
	uint64_t second = clock_ms() / 1000;
	char peer[ADDR_TEXT];

	if (log->second != second) {
		if (log->lines > LIMITS_LOG_RATE)
			log_info("%u more were refused for a limit",
			    log->lines - LIMITS_LOG_RATE);
		log->second = second;
		log->lines = 0;
	}
	if (++log->lines <= LIMITS_LOG_RATE)
		log_info("client %s: %s is refused: as many users as %s",
		    client->id, addr_format(peer, &c->who.peer), why);
}

bool
limits_admit(struct master *m, struct conn *c, const struct client *client)
{
	struct limits l = limits_of(m, client);

	if (l.streams != 0 && client->users >= l.streams) {
		log_refusal(m, c, client, "it may have (limits.streams)");
		return false;
	}
	if (m->conf.sources != 0 && count(m, c) > m->conf.sources) {
		log_refusal(m, c, client, "a source may have (limits.sources)");
		limits_leave(m, c);
		return false;
	}
	count(m, c);
	return true;
}

/* Tunnels that the session may have: older ones of the client go before it. */
static uint64_t
tunnels_left(const struct session *s, uint64_t most)
{
	const struct session *older = s;
	uint64_t n = 0;

	while ((older = LIST_NEXT(older, of)) != NULL) {
		if (tunnels_serves(older))
			n += older->tunnels;
	}
	return n < most ? most - n : 0;
}

void
limits_tell(struct master *m, struct session *s)
{
	struct limits l = limits_of(m, s->client);
	uint64_t tunnels = tunnels_left(s, l.tunnels);
	uint8_t payload[21];
	struct buf b;

	if (s->relay == NULL || s->relay->inherited)
		return;
	if (tunnels == 0) {
		log_info("client %s: a session has to go, for it may have %llu "
			 "tunnels",
		    s->client->id, (unsigned long long)l.tunnels);
		tunnels_goaway(s, GOAWAY_KICKED, "more tunnels than allowed");
		return;
	}
	buf_write(&b, payload, sizeof(payload));
	buf_put_u64(&b, s->generation);
	buf_put_u32(&b, (uint32_t)l.streams);
	buf_put_u64(&b, l.speed);
	buf_put_u8(&b, (uint8_t)tunnels);
	worker_send(s->relay, MSG_LIMITS, 0, payload, sizeof(payload));
}
