/* An upstream under a speed limit. */
#include "worker/relay/throttle.h"

#include <stdlib.h>

#include "worker/relay/offer.h"
#include "worker/relay/session.h"
#include "worker/relay/upstream.h"
#include "worker/relay/user.h"

#define PUSH_MAX 65536 /* bytes passed on in one go */

static struct meter *
share_of(const struct upstream *up, enum quota_way way)
{
	return &up->session->quota->way[way].meter;
}

static struct meter *
own_of(const struct upstream *up, enum quota_way way)
{
	return up->throttle == NULL || up->throttle->offer == NULL
	    ? NULL
	    : &up->throttle->offer->meter[way];
}

static bool
is_limited(const struct upstream *up, enum quota_way way)
{
	const struct meter *own;

	if (up->session == NULL)
		return false;
	own = own_of(up, way);
	return (own != NULL && meter_limits(own)) ||
	    meter_limits(share_of(up, way));
}

static void
on_up(void *arg)
{
	struct upstream *up = arg;

	if (up->user->current == up && up->user->state == USER_OPEN)
		input_pull(up->user);
}

static void
on_down(void *arg)
{
	throttle_push(arg);
}

/* Make it if need be. -1: no memory. */
static int
begin(struct upstream *up)
{
	struct throttle *t;

	if (up->throttle != NULL)
		return 0;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return -1;
	for (int i = 0; i < QUOTA_WAYS; i++) {
		t->own[i].fn = t->share[i].fn = i == QUOTA_UP ? on_up : on_down;
		t->own[i].arg = t->share[i].arg = up;
	}
	up->throttle = t;
	return 0;
}

void
throttle_begin(struct upstream *up, struct offer *o)
{
	if (o == NULL)
		return;
	if (begin(up) == 0)
		up->throttle->offer = o;
	else
		offer_give(o);
}

/*
 * What the service's own limit lets through is charged there at once, and
 * then waits for the client's. Two queues at a time would wait for each
 * other.
 */
static size_t
room_of_own(struct upstream *up, enum quota_way way, size_t want)
{
	struct throttle *t = up->throttle;
	struct meter *own = own_of(up, way);

	if (own == NULL || !meter_limits(own))
		return want;
	if (t->pass[way] == 0) {
		t->pass[way] = meter_room(own, &t->own[way], want);
		meter_charge(own, t->pass[way]);
	}
	return t->pass[way] < want ? t->pass[way] : want;
}

size_t
throttle_room(struct upstream *up, enum quota_way way, size_t want)
{
	if (!is_limited(up, way))
		return want;
	if (begin(up) == -1)
		return want; /* rather too fast than never */
	if ((want = room_of_own(up, way, want)) == 0)
		return 0;
	return meter_room(share_of(up, way), &up->throttle->share[way], want);
}

void
throttle_charge(struct upstream *up, enum quota_way way, size_t n)
{
	struct throttle *t = up->throttle;

	if (up->session == NULL)
		return;
	meter_charge(share_of(up, way), n);
	if (t != NULL)
		t->pass[way] -= n < t->pass[way] ? n : t->pass[way];
}

bool
throttle_holds(const struct upstream *up)
{
	return is_limited(up, QUOTA_DOWN) ||
	    (up->throttle != NULL && outq_left(&up->throttle->held) > 0);
}

void
throttle_hold(struct upstream *up, const struct iovec *iov, int n)
{
	if (begin(up) == -1 || outq_add(&up->throttle->held, iov, n) == -1)
		user_abort(up->user, END_LIMIT);
	else
		throttle_push(up);
}

/* The first n bytes that are held go on. */
static void
pass_on(struct upstream *up, size_t n)
{
	struct outq held = up->throttle->held;
	struct iovec iov = { held.p + held.head, n };

	/* Passing it on may end the upstream: nothing is its own meanwhile. */
	up->throttle->held = (struct outq){ 0 };
	upstream_pass(up, &iov, 1, n);
	held.head += (uint32_t)n;
	if (up->throttle == NULL || outq_left(&held) == 0)
		outq_free(&held);
	else
		up->throttle->held = held;
}

/* All that was held has gone on: now the end that came behind it. */
static void
pass_end(struct upstream *up)
{
	enum throttle_end end = up->throttle->end;

	up->throttle->end = THROTTLE_OPEN;
	if (end == THROTTLE_FIN)
		upstream_fin(up);
	else if (end == THROTTLE_RESET)
		upstream_reset(up, up->throttle->reason);
}

void
throttle_push(struct upstream *up)
{
	struct throttle *t;
	size_t n;

	while ((t = up->throttle) != NULL && outq_left(&t->held) > 0) {
		n = outq_left(&t->held);
		if (n > PUSH_MAX)
			n = PUSH_MAX;
		if ((n = throttle_room(up, QUOTA_DOWN, n)) == 0)
			return;
		throttle_charge(up, QUOTA_DOWN, n);
		pass_on(up, n);
	}
	if (t != NULL)
		pass_end(up);
}

static bool
put_off(struct upstream *up, enum throttle_end end)
{
	struct throttle *t = up->throttle;

	if (t == NULL || outq_left(&t->held) == 0)
		return false;
	t->end = (uint8_t)end;
	return true;
}

bool
throttle_fin(struct upstream *up)
{
	return put_off(up, THROTTLE_FIN);
}

bool
throttle_reset(struct upstream *up, enum reset why)
{
	if (!put_off(up, THROTTLE_RESET))
		return false;
	up->throttle->reason = why;
	return true;
}

bool
throttle_ends(const struct upstream *up)
{
	return up->throttle != NULL && up->throttle->end != THROTTLE_OPEN;
}

/* It waits nowhere any more. */
static void
leave(struct upstream *up)
{
	struct throttle *t = up->throttle;

	for (int i = 0; i < QUOTA_WAYS && up->session != NULL; i++) {
		struct meter *own = own_of(up, (enum quota_way)i);

		meter_leave(share_of(up, (enum quota_way)i), &t->share[i]);
		if (own != NULL)
			meter_leave(own, &t->own[i]);
	}
}

void
throttle_lift(struct upstream *up)
{
	if (up->throttle == NULL)
		return;
	leave(up);
	up->session = NULL;
	throttle_push(up);
	/* It read no more because of the limit. */
	user_resume(up->user);
}

void
throttle_free(struct upstream *up)
{
	if (up->throttle == NULL)
		return;
	leave(up);
	outq_free(&up->throttle->held);
	offer_give(up->throttle->offer);
	free(up->throttle);
	up->throttle = NULL;
}
