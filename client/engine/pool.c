/* The lines of one session. */
#include "client/engine/pool.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/engine/flow.h"
#include "client/engine/local.h"
#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/crypto/record.h"

#define US_PER_MS 1000

/* Say SERVICES on the first line, if they are known. */
static void
offer(struct pool *p)
{
	struct engine *e = p->engine;

	if (e->offer != NULL && p->first != NULL && !p->draining)
		tunnel_control(
		    p->first->tunnel, FRAME_SERVICES, e->offer, e->offer_n);
}

void
pool_offer(struct engine *e)
{
	struct pool *p, *next;

	for (p = e->pools; p != NULL; p = next) {
		next = p->next;
		offer(p);
	}
}

/* Another session has come: this one takes no new streams. */
static void
retire(struct pool *p)
{
	p->draining = true;
	pool_goaway(p, GOAWAY_DRAIN);
}

/* Close the sessions that are too many, the oldest. */
static void
bound(struct engine *e)
{
	struct pool *p = e->pools;

	for (int i = 0; p != NULL && i < ENGINE_POOLS; i++)
		p = p->next;
	if (p == NULL)
		return;
	log_warnx("too many old sessions, closing the oldest");
	for (struct line *l = p->lines, *next; l != NULL; l = next) {
		next = l->next;
		line_end(l, END_LIMIT, "too many old sessions");
	}
}

struct pool *
pool_new(struct engine *e, uint32_t conn, uint8_t cipher,
    const uint8_t root[TICKET_KEY])
{
	struct pool *p, *old;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	for (old = e->pools; old != NULL; old = old->next)
		retire(old);
	p->engine = e;
	p->conn = conn;
	p->cipher = cipher;
	memcpy(p->root, root, sizeof(p->root));
	p->budget.limit = POOL_BUDGET;
	p->next = e->pools;
	e->pools = p;
	bound(e);
	return p;
}

static void
pool_free(void *arg)
{
	sodium_memzero(arg, sizeof(struct pool));
	free(arg);
}

void
pool_detach(struct pool *p, struct line *l)
{
	struct line **at = &p->lines;
	struct pool **in = &p->engine->pools;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	if (p->first == l) {
		/* Without it nothing can be asked for any more. */
		p->first = NULL;
		p->draining = true;
	}
	if (p->lines != NULL)
		return;
	while (*in != p)
		in = &(*in)->next;
	*in = p->next;
	p->dead = true;
	engine_bury(p->engine, &p->grave, pool_free, p);
}

static int
take_ticket(struct pool *p, const uint8_t *payload, size_t n)
{
	struct pool_ticket *t;
	uint32_t number = 0;
	struct buf b;

	buf_read(&b, payload, n);
	buf_get_u32(&b, &number);
	/* The keys are derived in this order; there is no going back. */
	if (number != p->number || p->ntickets == POOL_TICKETS)
		return -1;
	t = &p->tickets[p->ntickets];
	if (buf_get(&b, t->id, sizeof(t->id)) == -1)
		return -1;
	p->number++;
	p->ntickets++;
	ticket_next(p->root, t->key);
	payload = (const uint8_t[]){ 1 };
	chan_send(p->engine->chan, MSG_WANT, p->conn, payload, 1, -1);
	return 0;
}

static int
take_goaway(struct pool *p, struct line *l, const uint8_t *payload, size_t n)
{
	const char *text = NULL;
	uint8_t reason = 0, out[2 + 255];
	uint32_t last = 0;
	size_t len = 0;
	struct buf b;

	buf_read(&b, payload, n);
	buf_get_u8(&b, &reason);
	buf_get_u32(&b, &last);
	buf_get_str8(&b, &text, &len);
	if (!buf_done(&b))
		return -1;
	l->leaving = true;
	if (p->draining)
		return 0; /* said already, or of no interest */
	/* Of one line alone: the session stays. */
	if (reason == GOAWAY_DRAIN && p->first != NULL && l != p->first)
		return 0;
	p->draining = true;
	buf_write(&b, out, sizeof(out));
	buf_put_u8(&b, reason);
	buf_put_str8(&b, text, len);
	chan_send(p->engine->chan, MSG_AWAY, p->conn, out, buf_used(&b), -1);
	return 0;
}

static int
on_control(void *arg, uint8_t type, const uint8_t *payload, size_t n)
{
	struct line *l = arg;

	switch (type) {
	case FRAME_GRANTED:
		chan_send(
		    l->engine->chan, MSG_ANSWER, l->pool->conn, payload, n, -1);
		return 0;
	case FRAME_TICKET:
		return take_ticket(l->pool, payload, n);
	case FRAME_GOAWAY:
		return take_goaway(l->pool, l, payload, n);
	default:
		return -1;
	}
}

static void
on_open(void *arg, struct stream *s, const struct tunnel_open *o)
{
	struct line *l = arg;

	l->idle_since = 0;
	local_open(l->engine, s, o);
}

static const struct tunnel_ops ops = {
	.open = on_open,
	.data = local_data,
	.dgrams = flow_dgrams,
	.dgrams_end = flow_reset,
	.dgram_lost = flow_lost,
	.fin = local_fin,
	.reset = local_reset,
	.room = local_room,
	.control = on_control,
	.ended = line_ended,
};

int
pool_attach(struct pool *p, struct line *l, int fd, const uint8_t tx[32],
    const uint8_t rx[32])
{
	struct record *seal = NULL, *open = NULL;
	struct line **at = &p->lines;

	while (*at != NULL)
		at = &(*at)->next;
	*at = l;
	l->pool = p;
	if (p->cipher != RECORD_NONE &&
	    ((seal = record_new(p->cipher, tx)) == NULL ||
		(open = record_new(p->cipher, rx)) == NULL))
		goto err0;
	l->tunnel = tunnel_new(
	    p->engine->turn, fd, false, seal, open, &p->budget, &ops, l);
	if (l->tunnel == NULL)
		goto err0;
	l->idle_since = turn_now(p->engine->turn);
	if (l->conn != p->conn) {
		p->asked -= p->asked > 0;
	} else {
		p->first = l;
		offer(p);
	}
	return 0;

err0:
	record_free(seal);
	record_free(open);
	close(fd);
	return -1;
}

int
pool_ticket_take(struct engine *e, struct pool **pool, struct pool_ticket *t)
{
	struct pool *p = e->pools;

	while (p != NULL && (p->draining || p->ntickets == 0))
		p = p->next;
	if (p == NULL)
		return -1;
	*t = p->tickets[0];
	memmove(&p->tickets[0], &p->tickets[1],
	    (p->ntickets - 1) * sizeof(p->tickets[0]));
	p->ntickets--;
	*pool = p;
	return 0;
}

/* How many more lines this pool should have. */
static unsigned
lacking(const struct pool *p)
{
	const struct engine_pool *conf = &p->engine->conf;
	unsigned up = 0, busy = 0;

	for (const struct line *l = p->lines; l != NULL; l = l->next) {
		if (l->leaving)
			continue;
		up++;
		busy += tunnel_busy(l->tunnel) ||
		    tunnel_streams(l->tunnel) > POOL_BUSY_STREAMS;
	}
	if (up < conf->idle)
		return conf->idle - up;
	return busy == up && up < conf->connections ? 1 : 0;
}

static void
grow(struct pool *p)
{
	uint64_t now = turn_now(p->engine->turn);
	uint8_t n;

	if (p->draining || p->first == NULL)
		return;
	if (p->asked > 0 && now < p->asked_at + POOL_ASK_US)
		return;
	/* What was not answered, or not used in time, is lost. */
	p->asked = 0;
	sodium_memzero(p->tickets, sizeof(p->tickets));
	p->ntickets = 0;
	if ((n = (uint8_t)lacking(p)) == 0)
		return;
	p->asked = n;
	p->asked_at = now;
	tunnel_control(p->first->tunnel, FRAME_WANT, &n, 1);
}

/* A spare line that did nothing for a while, but the first, may go. */
static void
shrink(struct pool *p)
{
	uint64_t now = turn_now(p->engine->turn);
	struct line *spare = NULL;
	unsigned idle = 0;

	for (struct line *l = p->lines; l != NULL; l = l->next) {
		if (l->leaving)
			continue;
		if (!line_is_idle(l)) {
			l->idle_since = 0;
			continue;
		}
		if (l->idle_since == 0)
			l->idle_since = now;
		idle++;
		if (l != p->first && now > l->idle_since + POOL_IDLE_US)
			spare = l;
	}
	if (spare != NULL && idle > p->engine->conf.idle)
		line_goaway(spare, GOAWAY_DRAIN);
}

void
pool_tick(struct pool *p)
{
	uint64_t dead = (uint64_t)p->engine->conf.timeout * US_PER_MS;
	struct line *l, *next;

	for (l = p->lines; l != NULL; l = next) {
		next = l->next;
		/* A second after its GOAWAY no OPEN is on its way any more. */
		if (l->leaving && line_is_idle(l) && !p->engine->stopping)
			line_shut(l);
		if (l->tunnel != NULL)
			tunnel_tick(l->tunnel, dead / 4, dead);
	}
	if (p->dead)
		return;
	shrink(p);
	grow(p);
}

void
pool_goaway(struct pool *p, enum goaway reason)
{
	for (struct line *l = p->lines, *next; l != NULL; l = next) {
		next = l->next;
		line_goaway(l, reason);
	}
}

bool
pool_settle(struct pool *p)
{
	for (struct line *l = p->lines, *next; l != NULL; l = next) {
		next = l->next;
		if (line_is_idle(l))
			line_shut(l);
	}
	return p->dead;
}
