/* A speed limit that many share. */
#include "worker/relay/meter.h"

#include <event2/event.h>

#include "common/tunnel/turn.h"

#define MS_PER_S 1000
#define US_PER_S 1000000

void
meter_init(struct meter *m, struct turn *turn)
{
	*m = (struct meter){ .turn = turn };
	m->last = &m->first;
}

void
meter_free(struct meter *m)
{
	if (m->timer != NULL)
		event_free(m->timer);
	m->timer = NULL;
}

bool
meter_limits(const struct meter *m)
{
	return m->bucket.rate != 0;
}

/* What one gets in a turn while others wait; less is not worth a call. */
static size_t
share(const struct meter *m)
{
	uint64_t n = m->bucket.rate / MS_PER_S * METER_TURN_MS;

	return n < METER_TURN_MIN ? METER_TURN_MIN : (size_t)n;
}

static void
enqueue(struct meter *m, struct meter_wait *w)
{
	w->next = NULL;
	w->prev = m->last;
	*m->last = w;
	m->last = &w->next;
}

void
meter_leave(struct meter *m, struct meter_wait *w)
{
	if (m->called == w)
		m->called = NULL;
	if (w->prev == NULL)
		return;
	*w->prev = w->next;
	if (w->next != NULL)
		w->next->prev = w->prev;
	else
		m->last = w->prev;
	w->prev = NULL;
}

static void
sync(struct meter *m)
{
	if (m->before != NULL)
		m->before(m->arg);
}

/* Have the timer call when the next portion is there. */
static void
arm(struct meter *m)
{
	uint64_t us;
	struct timeval tv;

	if (m->first == NULL || m->timer == NULL ||
	    event_pending(m->timer, EV_TIMEOUT, NULL))
		return;
	us = bucket_wait(&m->bucket, share(m), turn_now(m->turn));
	tv.tv_sec = (time_t)(us / US_PER_S);
	tv.tv_usec = (suseconds_t)(us % US_PER_S);
	event_add(m->timer, &tv);
}

/* Call those who wait, each once at most, until the tokens are used up. */
static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct meter *m = arg;
	struct meter_wait *w, *end;
	bool more = true;

	(void)fd;
	(void)what;
	sync(m);
	end = m->last == &m->first ? NULL
				   : (struct meter_wait *)((char *)m->last -
					 offsetof(struct meter_wait, next));
	/* A whole share each, or those who get the rest would fall behind. */
	while (more && (w = m->first) != NULL &&
	    bucket_room(&m->bucket, share(m), turn_now(m->turn)) == share(m)) {
		more = w != end;
		meter_leave(m, w);
		m->called = w;
		w->fn(w->arg);
		m->called = NULL;
	}
	arm(m);
}

void
meter_set(struct meter *m, uint64_t rate)
{
	bucket_set(&m->bucket, rate, turn_now(m->turn));
	if (m->first == NULL || m->timer == NULL)
		return;
	event_del(m->timer);
	arm(m);
}

size_t
meter_room(struct meter *m, struct meter_wait *w, size_t want)
{
	uint64_t now = turn_now(m->turn);
	size_t room;

	if (!meter_limits(m) && m->first == NULL)
		return want;
	sync(m);
	room = bucket_room(&m->bucket, want, now);
	/* Nobody goes before those who have waited. */
	if (m->first != NULL && m->called != w)
		room = 0;
	if (m->first != NULL && meter_limits(m) && room > share(m))
		room = share(m);
	if (room == want || w->prev != NULL)
		return room;
	if (m->timer == NULL)
		m->timer = evtimer_new(turn_base(m->turn), on_timer, m);
	if (m->timer == NULL)
		return want; /* rather too fast than never */
	enqueue(m, w);
	arm(m);
	return room;
}

bool
meter_pass(struct meter *m, size_t n)
{
	if (!meter_limits(m))
		return true;
	if (n > METER_PASS_MAX)
		return false;
	sync(m);
	/* Beside those who wait it gets as much as they, and no more. */
	if (m->first == NULL)
		m->passed = m->waited = 0;
	else if (m->passed > m->waited)
		return false;
	/* They leave fewer tokens than a piece has bytes: it pays later. */
	if (bucket_room(&m->bucket, 1, turn_now(m->turn)) == 0)
		return false;
	bucket_charge_whole(&m->bucket, (uint32_t)n);
	m->passed += n;
	return true;
}

void
meter_charge(struct meter *m, uint64_t n)
{
	bucket_charge(&m->bucket, n);
	m->waited += n;
}
