/* What a user's connection is connected to. */
#include "worker/relay/upstream.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker/relay/pair.h"
#include "common/base/log.h"
#include "worker/relay/offer.h"
#include "worker/relay/session.h"
#include "worker/relay/throttle.h"
#include "worker/relay/user.h"

static struct upstream *
upstream_new(struct user *u, const char *name)
{
	struct upstream *up;

	size_t size = strlen(name) + 1;

	if ((up = calloc(1, offsetof(struct upstream, name) + size)) == NULL)
		return NULL;
	memcpy(up->name, name, size);
	up->user = u;
	up->next = u->ups;
	u->ups = up;
	return up;
}

struct upstream *
upstream_to_service(
    struct user *u, struct session *s, uint16_t service, const char *name)
{
	struct upstream *up;

	if ((up = upstream_new(u, name)) == NULL)
		return NULL;
	up->session = s;
	up->service = service;
	if (s != NULL) {
		throttle_begin(up, offer_take(s, service));
		s->users++;
	}
	return up;
}

/* Wait for a stream of its session. */
static void
queue_up(struct upstream *up)
{
	struct session *s = up->session;

	if (up->wait_prev != NULL)
		return;
	up->wait_next = NULL;
	up->wait_prev = s->waiting_tail;
	*s->waiting_tail = up;
	s->waiting_tail = &up->wait_next;
	s->relay->waiting++;
}

static void
leave_queue(struct upstream *up)
{
	if (up->wait_prev == NULL)
		return;
	*up->wait_prev = up->wait_next;
	if (up->wait_next != NULL)
		up->wait_next->wait_prev = up->wait_prev;
	else
		up->session->waiting_tail = up->wait_prev;
	up->wait_prev = NULL;
	up->session->relay->waiting--;
}

void
upstream_wake(struct session *s, unsigned most)
{
	struct upstream *up;

	for (; most > 0 && (up = s->waiting) != NULL; most--) {
		leave_queue(up);
		user_resume(up->user);
	}
}

struct upstream *
upstream_find(const struct user *u, const char *name)
{
	struct upstream *up = u->ups;

	while (up != NULL && strcmp(up->name, name) != 0)
		up = up->next;
	return up;
}

void
upstream_end(struct upstream *up)
{
	struct user *u = up->user;
	struct upstream **at = &u->ups;

	while (*at != up)
		at = &(*at)->next;
	*at = up->next;
	if (u->current == up)
		u->current = NULL;
	leave_queue(up);
	throttle_free(up);
	if (up->session != NULL)
		up->session->users--;
	if (up->stream != NULL)
		stream_end(up->stream, RESET_ABORT);
	up->stream = NULL;
	if (up->pair != NULL)
		u->relay->pairs--;
	pair_free(up->pair);
	up->pair = NULL;
	relay_bury(u->relay, &up->grave, up);
}

void
upstream_leave(struct upstream *up)
{
	if (up->stream != NULL)
		stream_leave(up->stream);
	up->stream = NULL;
	upstream_end(up);
}

void
upstream_forget_session(struct session *s)
{
	struct relay *r = s->relay;
	struct conn *c;
	size_t at = 0;

	upstream_wake(s, UINT_MAX);
	if (s->users == 0)
		return;
	while ((c = idmap_next(&r->conns, &at)) != NULL) {
		struct user *u = (struct user *)c;

		if (c->kind != CONN_USER)
			continue;
		for (struct upstream *up = u->ups; up != NULL; up = up->next) {
			if (up->session != s)
				continue;
			throttle_lift(up);
			up->session = NULL;
		}
	}
}

bool
upstream_leaves(const struct upstream *up)
{
	return up->stream != NULL && up->session != NULL &&
	    session_leaves(up->session, stream_tunnel(up->stream));
}

void
upstream_release(struct session *s)
{
	struct relay *r = s->relay;
	struct conn *c;
	size_t at = 0;

	while ((c = idmap_next(&r->conns, &at)) != NULL) {
		struct user *u = (struct user *)c;
		struct upstream *up, *next;

		if (c->kind != CONN_USER)
			continue;
		for (up = u->ups; up != NULL; up = next) {
			next = up->next;
			if (up != u->current && upstream_leaves(up))
				upstream_leave(up);
		}
		user_rested(u);
	}
}

int
upstream_open(struct upstream *up)
{
	struct tunnel_open o = { .service = up->service };
	struct tunnel *t;

	if (up->stream != NULL || up->pair != NULL)
		return 0;
	if (throttle_ends(up)) { /* then its user goes on */
		errno = EAGAIN;
		return -1;
	}
	if (up->session == NULL ||
	    (session_is_gone(up->session) && !up->confirmed)) {
		errno = ENOTCONN;
		return -1;
	}
	o.scheme = up->connect ? SCHEME_CONNECT : up->user->scheme;
	o.peer = up->user->peer;
	o.local = up->user->local;
	if ((t = session_tunnel(up->session)) == NULL ||
	    (up->stream = tunnel_open(t, &o, up)) == NULL) {
		queue_up(up);
		errno = EAGAIN;
		return -1;
	}
	return 0;
}

void
upstream_renew(struct upstream *up)
{
	if (up->stream != NULL)
		stream_leave(up->stream);
	up->stream = NULL;
	up->owed = 0;
	up->connect = true;
}

bool
upstream_flushed(const struct upstream *up)
{
	return up->pair == NULL || outq_left(&up->pair->out) == 0;
}

static void
count(struct upstream *up, enum counter what, size_t n)
{
	struct counters *c = up->user->relay->counters;

	counter_add(&c->all[what], n);
	if (up->session != NULL)
		counter_add(&c->clients[up->session->client][what], n);
}

size_t
upstream_write(struct upstream *up, const void *p, size_t n)
{
	if (up->stream == NULL)
		return up->pair == NULL ? 0 : pair_write(up->pair, p, n);
	n = stream_write(up->stream, p, upstream_may_send(up, n));
	count(up, COUNTER_UP, n);
	throttle_charge(up, QUOTA_UP, n);
	return n;
}

size_t
upstream_may_send(struct upstream *up, size_t want)
{
	return throttle_room(up, QUOTA_UP, want);
}

void
upstream_commit(struct upstream *up, const struct iovec *iov, size_t n)
{
	stream_commit(up->stream, iov, n);
	count(up, COUNTER_UP, n);
	throttle_charge(up, QUOTA_UP, n);
}

void
upstream_shut(struct upstream *up)
{
	if (up->stream != NULL)
		stream_fin(up->stream);
	else if (up->pair != NULL)
		pair_shut(up->pair);
}

void
upstream_sent(struct upstream *up, size_t n)
{
	if (n > up->owed)
		n = up->owed;
	up->owed -= (uint32_t)n;
	if (up->stream != NULL && n > 0)
		stream_consumed(up->stream, n);
	if (up->pair != NULL && up->pair->paused && up->owed == 0)
		pair_read(up);
}

/*
 * Who is not the one that answers has nothing to say: whatever happens to it
 * just ends it.
 */
static bool
is_current(struct upstream *up)
{
	if (up->user->current == up)
		return true;
	upstream_end(up);
	return false;
}

void
upstream_opened(void *owner)
{
	struct upstream *up = owner;

	up->opened = true;
	/* One more may be opened, and one for somebody who changed his mind. */
	if (up->session != NULL)
		upstream_wake(up->session, 2);
	if (up->connect && up->user->current == up)
		answer_connected(up->user);
}

void
upstream_data(void *owner, const struct iovec *iov, int n, size_t total)
{
	struct upstream *up = owner;

	if (throttle_holds(up))
		throttle_hold(up, iov, n);
	else
		upstream_pass(up, iov, n, total);
}

void
upstream_pass(struct upstream *up, const struct iovec *iov, int n, size_t total)
{
	up->owed += (uint32_t)total;
	if (up->pair == NULL) /* else the other relay counts it */
		count(up, COUNTER_DOWN, total);
	if (is_current(up))
		answer_feed(up->user, iov, n);
}

void
upstream_fin(void *owner)
{
	struct upstream *up = owner;

	if (throttle_fin(up))
		return;
	up->fin = true;
	if (is_current(up))
		answer_fin(up->user);
}

/* Its client or we had no room for it any more. */
static void
log_limit(const struct upstream *up)
{
	char peer[ADDR_TEXT];

	log_info("%s: %s: reset: over a limit, or not read for too long while "
		 "memory is short",
	    addr_format(peer, &up->user->peer), up->name);
}

void
upstream_reset(void *owner, enum reset reason)
{
	struct upstream *up = owner;

	up->stream = NULL;
	if (up->session != NULL)
		upstream_wake(up->session, 2);
	if (reason == RESET_LIMIT)
		log_limit(up);
	else if (throttle_reset(up, reason))
		return;
	if (is_current(up))
		answer_lost(up->user, reason);
}

void
upstream_room_again(void *owner)
{
	struct upstream *up = owner;

	if (up->user->current == up)
		user_resume(up->user);
}

struct upstream *
upstream_to_pair(struct user *u, int fd, const char *name)
{
	struct upstream *up;

	if ((up = upstream_new(u, name)) == NULL) {
		close(fd);
		return NULL;
	}
	if ((up->pair = pair_new(up, fd)) == NULL) {
		upstream_end(up);
		return NULL;
	}
	u->relay->pairs++;
	relay_room(u->relay);
	return up;
}
