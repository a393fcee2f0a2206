/* Is the other session that has the name still alive? */
#include "master/rivals.h"

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "master/naming.h"
#include "master/tunnels.h"
#include "master/waits.h"
#include "master/worker.h"

static void
send_probe(struct session *s)
{
	uint8_t payload[8];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	buf_put_u64(&b, s->generation);
	s->probed = true;
	s->relay->probes++;
	worker_send(s->relay, MSG_PROBE, 0, payload, sizeof(payload));
}

/* One that may be dead: `arg` has to wait for the answer. */
static void
ask_after(void *arg, struct session *rival)
{
	struct session *s = arg;

	if (rival->alive != 0 && clock_ms() - rival->alive < RIVALS_ALIVE_MS)
		return;
	s->offered = true;
	if (!rival->probed)
		send_probe(rival);
}

/* Ask after whoever is in the way, then grant; at once if nobody is. */
static void
consider(struct master *m, struct session *s)
{
	s->offered = false;
	naming_rivals(m, s, ask_after, s);
	if (!s->offered)
		naming_grant(m, s);
	else if (!waits_on(&s->wait))
		waits_add(m->rivals, &s->wait, s, RIVALS_PROBE_MS);
}

/* Go on with sessions of this client that wait for probes. */
static void
reconsider(struct master *m, struct client *client)
{
	struct session *s, *next;

	for (s = LIST_FIRST(&client->sessions); s != NULL; s = next) {
		next = LIST_NEXT(s, of);
		if (s->offered && s->relay != NULL)
			consider(m, s);
	}
}

/* A relay did not say in time: whoever it was about counts as alive. */
static void
on_unanswered(void *arg, void *owner)
{
	struct master *m = arg;
	struct session *s = owner, *other;

	LIST_FOREACH(other, &s->client->sessions, of)
	{
		if (other->probed) {
			other->probed = false;
			other->alive = clock_ms();
		}
	}
	reconsider(m, s->client);
}

struct waits *
rivals_new(struct master *m)
{
	return waits_new(m->base, on_unanswered, m);
}

void
rivals_forget(struct master *m, struct session *s)
{
	bool probed = s->probed;

	s->offered = s->probed = false;
	waits_remove(&s->wait);
	/* Those that waited for it find its names free. */
	if (probed && s->state == SESSION_LOST)
		reconsider(m, s->client);
}

void
rivals_renew(struct master *m, struct session *s)
{
	if (s->told && s->relay != NULL && !s->offered)
		consider(m, s);
}

void
rivals_probe(struct master *m, struct client *client)
{
	struct session *s;

	(void)m;
	LIST_FOREACH(s, &client->sessions, of)
	{
		if (tunnels_serves(s) && !s->probed)
			send_probe(s);
	}
}

int
rivals_on_services(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct services list = { 0 };
	uint64_t generation = 0;
	struct session *s;
	bool broken;
	struct buf b;

	buf_read(&b, msg->p, msg->n);
	if (buf_get_u64(&b, &generation) == -1 || services_get(&list, &b) == -1)
		return -1;
	if ((s = tunnels_session(w, generation, &broken)) == NULL) {
		services_free(&list);
		return broken ? -1 : 0;
	}
	services_free(&s->offer);
	s->offer = list;
	consider(w->master, s);
	return 0;
}

int
rivals_on_alive(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct master *m = w->master;
	uint64_t generation = 0;
	uint8_t answered = 0;
	struct session *s;
	struct client *client;
	struct buf b;

	buf_read(&b, msg->p, msg->n);
	if (buf_get_u64(&b, &generation) == -1 ||
	    buf_get_u8(&b, &answered) == -1)
		return -1;
	/* One that ended meanwhile is answered for all the same. */
	if (w->probes == 0 && !w->inherited)
		return -1;
	w->probes -= w->probes > 0;
	s = sessions_find(m->sessions, generation);
	if (s == NULL || s->relay != w || !s->probed)
		return 0;
	client = s->client;
	s->probed = false;
	if (answered) {
		s->alive = clock_ms();
	} else {
		log_info("client %s: a dead session is replaced", client->id);
		tunnels_goaway(s, GOAWAY_REPLACED, "did not answer");
		tunnels_lost(m, s);
	}
	reconsider(m, client);
	return 0;
}
