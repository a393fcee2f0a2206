/* A relay as a whole: its clock, its dead, its beginning and end. */
#include "worker/relay/relay.h"

#include <event2/event.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/ipc/loop.h"
#include "common/sys/fds.h"
#include "worker/relay/carry.h"
#include "worker/relay/journal.h"
#include "worker/relay/quota.h"
#include "worker/relay/session.h"
#include "worker/relay/user.h"

#define TICK_US 100000
#define SECOND_US 1000000
#define US_PER_MS UINT64_C(1000)

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
relay_room(struct relay *r)
{
	size_t used = r->conns.count + r->pairs + RELAY_FD_OWN;
	bool full = fds_full(used, r->nofile, r->full);

	if (r->nofile == 0 || full == r->full)
		return;
	r->full = full;
	chan_send(r->chan, full ? MSG_FULL : MSG_ROOM, 0, NULL, 0, -1);
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
	struct deadlines *const users[] = { &r->heads, &r->idles, &r->endings,
		&r->lingers };
	struct deadline *d;

	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		while ((d = deadlines_due(users[i], now)) != NULL)
			user_expired(user_of(d));
	}
	while ((d = deadlines_due(&r->looks, now)) != NULL)
		user_look(
		    (struct user *)((char *)d - offsetof(struct user, look)));
	while ((d = deadlines_due(&r->handshakes, now)) != NULL)
		carry_expired(d);
}

void
relay_drain(struct relay *r)
{
	r->draining = true;
	r->second = turn_now(r->turn) + SECOND_US;
}

/* End the users who are idle. */
static void
drain_users(struct relay *r)
{
	struct conn *c;
	size_t at = 0;

	while ((c = idmap_next(&r->conns, &at)) != NULL) {
		if (c->kind == CONN_USER)
			user_drain((struct user *)c);
	}
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
	relay_room(r);
	journal_flush(r);
	if (second)
		r->second = now + SECOND_US;
	if (second && r->draining)
		drain_users(r);
	for (s = r->sessions;
	    s != NULL && (second || r->probing > 0 || r->waiting > 0);
	    s = next) {
		next = s->next;
		session_tick(s, second);
	}
	if (r->draining && r->conns.count == 0) {
		journal_flush(r);
		chan_send(r->chan, MSG_DRAINED, 0, NULL, 0, -1);
		turn_stop(r->turn);
	}
}

bool
relay_hung_up(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

/* What all streams may hold, on this machine. */
static uint64_t
all_budget(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	uint64_t most = RELAY_BUDGET;

	if (pages > 0 && size > 0)
		most = (uint64_t)pages * (uint64_t)size / RELAY_MEMORY_SHARE;
	return most < RELAY_BUDGET ? most : RELAY_BUDGET;
}

int
relay_init(struct relay *r)
{
	struct timeval tick = { 0, TICK_US };

	r->ask_tail = &r->ask_queue;
	budget_init(&r->budget, all_budget(), NULL);
	deadlines_init(&r->heads, 0);
	deadlines_init(&r->idles, 0);
	deadlines_init(&r->handshakes, 0);
	deadlines_init(&r->endings, USER_ENDING_MS * US_PER_MS);
	deadlines_init(&r->looks, USER_LOOK_MS * US_PER_MS);
	deadlines_init(&r->lingers, USER_LINGER_MS * US_PER_MS);
	turn_item_init(&r->bury, bury, r);
	r->counters = r->early = calloc(1, sizeof(*r->counters));
	if (r->counters == NULL || (r->base = loop_new()) == NULL ||
	    (r->turn = turn_new(r->base)) == NULL)
		return -1;
	r->tick = event_new(r->base, -1, EV_PERSIST, on_tick, r);
	return r->tick == NULL ? -1 : event_add(r->tick, &tick);
}

void
relay_free(struct relay *r)
{
	struct conn *c;
	size_t at;

	struct session *s = r->sessions;

	/* Who ends may take others along: begin anew each time. */
	while (s != NULL) {
		if (s->links == NULL) {
			s = s->next;
			continue;
		}
		session_close(s);
		s = r->sessions;
	}
	for (at = 0; (c = idmap_next(&r->conns, &at)) != NULL; at = 0) {
		if (c->kind == CONN_USER)
			user_abort((struct user *)c, END_LOST);
		else
			carry_fail(c);
	}
	journal_use(r, -1);
	turn_free(r->turn);
	event_free(r->tick);
	chan_free(r->chan);
	event_base_free(r->base);
	idmap_free(&r->conns);
	idmap_free(&r->quotas);
	quota_forget_peers(r);
	if (r->counters != r->early)
		counters_free(r->counters);
	free(r->early);
}
