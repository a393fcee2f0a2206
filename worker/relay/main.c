/* ptpd-relay: see relay.h. */
#include <event2/event.h>
#include <sodium.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/crypto/record.h"
#include "common/ipc/boot.h"
#include "common/tunnel/turn.h"
#include "worker/relay/carry.h"
#include "worker/relay/relay.h"
#include "worker/relay/session.h"
#include "worker/relay/user.h"

#define TICK_US 100000
#define SECOND_US 1000000

void
relay_closed(struct relay *r, uint32_t conn, enum msg_end why, uint64_t up,
    uint64_t down)
{
	uint8_t payload[17];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	buf_put_u8(&b, (uint8_t)why);
	buf_put_u64(&b, up);
	buf_put_u64(&b, down);
	chan_send(r->chan, MSG_CLOSED, conn, payload, sizeof(payload), -1);
}

void
relay_bury(struct relay *r, struct grave *g, void *dead)
{
	g->dead = dead;
	g->next = r->graves;
	r->graves = g;
	turn_end(r->turn, &r->bury);
}

static void
bury(void *arg)
{
	struct relay *r = arg;
	struct grave *g;

	while ((g = r->graves) != NULL) {
		r->graves = g->next;
		free(g->dead);
	}
}

static struct user *
user_of(struct deadline *d)
{
	return (struct user *)((char *)d - offsetof(struct user, timer));
}

static void
expire(struct relay *r, uint64_t now)
{
	struct deadlines *const users[] = { &r->heads, &r->idles, &r->lingers };
	struct deadline *d;

	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		while ((d = deadlines_due(users[i], now)) != NULL)
			user_expired(user_of(d));
	}
	while ((d = deadlines_due(&r->handshakes, now)) != NULL)
		carry_expired(d);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct relay *r = arg;
	uint64_t now = turn_now(r->turn);
	bool second = now >= r->second;
	struct session *s, *next;

	(void)fd;
	(void)what;
	expire(r, now);
	if (second)
		r->second = now + SECOND_US;
	for (s = r->sessions; s != NULL && (second || r->probing > 0);
	     s = next) {
		next = s->next;
		session_tick(s, second);
	}
	if (r->draining && r->conns.count == 0) {
		chan_send(r->chan, MSG_DRAINED, 0, NULL, 0, -1);
		turn_stop(r->turn);
	}
}

/* The master is gone, or has cut us off. */
static void
ended(void *arg, const char *why)
{
	(void)arg;
	(void)why;
	_exit(1);
}

static const struct chan_ops ops = { relay_handlers, ended, NULL };

static int
init(struct relay *r)
{
	struct timeval tick = { 0, TICK_US };

	if (sodium_init() == -1 || record_init() == -1)
		return -1;
	r->counters = calloc(1, sizeof(*r->counters));
	if (r->counters == NULL || (r->base = event_base_new()) == NULL ||
	    (r->turn = turn_new(r->base)) == NULL)
		return -1;
	r->ask_tail = &r->ask_queue;
	deadlines_init(&r->heads, 0);
	deadlines_init(&r->idles, 0);
	deadlines_init(&r->handshakes, 0);
	deadlines_init(&r->lingers, USER_LINGER_MS * UINT64_C(1000));
	turn_item_init(&r->bury, bury, r);
	r->tick = event_new(r->base, -1, EV_PERSIST, on_tick, r);
	return r->tick == NULL ? -1 : event_add(r->tick, &tick);
}

int
main(void)
{
	static struct relay relay; /* all zero */
	struct msg_boot boot;

	if (boot_receive(&boot) == -1 || boot.role != ROLE_RELAY ||
	    init(&relay) == -1)
		return 1;
	relay.index = boot.index;
	relay.chan = boot_enter(relay.base, &boot, &ops, &relay);
	if (relay.chan == NULL)
		return 1;
	turn_run(relay.turn);
	chan_flush(relay.chan);
	return 0;
}
