/* What one client may use of a relay. */
#include "worker/relay/quota.h"

#include <stdlib.h>

/* What all other relays have moved for that client. */
static uint64_t
elsewhere(const struct relay *r, uint32_t client, enum counter what)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < RELAY_PEERS; i++) {
		if (r->peers[i] != NULL)
			sum +=
			    counter_read(&r->peers[i]->clients[client][what]);
	}
	return sum;
}

/*
 * Charge what others have moved since the last time. Their numbers are not to
 * be relied on: whatever they say, the bucket bounds what it takes.
 */
static void
charge_others(void *arg)
{
	struct quota_meter *m = arg;
	uint64_t sum;

	if (!meter_limits(&m->meter))
		return;
	sum = elsewhere(m->quota->relay, m->quota->client, m->counter);
	if (sum > m->seen)
		meter_charge(&m->meter, sum - m->seen);
	m->seen = sum;
}

static void
see_others(struct quota_meter *m)
{
	m->seen = elsewhere(m->quota->relay, m->quota->client, m->counter);
}

static void
init_meter(struct quota *q, enum quota_way way, enum counter counter)
{
	struct quota_meter *m = &q->way[way];

	meter_init(&m->meter, q->relay->turn);
	m->meter.before = charge_others;
	m->meter.arg = m;
	m->quota = q;
	m->counter = counter;
	see_others(m);
}

/* At most a quarter of what the relay has. */
static uint64_t
client_budget(const struct relay *r)
{
	uint64_t most = r->budget.limit / QUOTA_SHARE;

	return most < QUOTA_BUDGET ? most : QUOTA_BUDGET;
}

struct quota *
quota_take(struct relay *r, uint32_t client)
{
	struct quota *q = idmap_get(&r->quotas, client + 1);

	if (q != NULL) {
		q->users++;
		return q;
	}
	if ((q = calloc(1, sizeof(*q))) == NULL)
		return NULL;
	q->relay = r;
	q->client = client;
	q->users = 1;
	init_meter(q, QUOTA_UP, COUNTER_UP);
	init_meter(q, QUOTA_DOWN, COUNTER_DOWN);
	if (idmap_put(&r->quotas, client + 1, q) == 0) {
		budget_init(&q->budget, client_budget(r), &r->budget);
		return q;
	}
	free(q);
	return NULL;
}

void
quota_give(struct quota *q)
{
	if (--q->users > 0)
		return;
	idmap_take(&q->relay->quotas, q->client + 1);
	for (int i = 0; i < QUOTA_WAYS; i++)
		meter_free(&q->way[i].meter);
	budget_end(&q->budget);
	free(q);
}

void
quota_speed(struct quota *q, uint64_t speed)
{
	for (int i = 0; i < QUOTA_WAYS; i++) {
		if (q->way[i].meter.bucket.rate == speed)
			continue;
		/* What they moved while nobody looked is not charged. */
		see_others(&q->way[i]);
		meter_set(&q->way[i].meter, speed);
	}
}

void
quota_peer(struct relay *r, unsigned index, const struct counters *c)
{
	struct quota *q;
	size_t at = 0;

	counters_free(r->peers[index]);
	r->peers[index] = c;
	while ((q = idmap_next(&r->quotas, &at)) != NULL) {
		for (int i = 0; i < QUOTA_WAYS; i++)
			see_others(&q->way[i]);
	}
}

void
quota_forget_peers(struct relay *r)
{
	for (unsigned i = 0; i < RELAY_PEERS; i++)
		quota_peer(r, i, NULL);
}
