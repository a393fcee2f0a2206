/* A user's connection: reading it. */
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker/relay/opaque.h"
#include "worker/relay/upstream.h"
#include "worker/relay/user.h"

#define STRAIGHT_MIN 16384 /* bytes to come, for which it is worth it */
#define OPAQUE_SMALL                                           \
	4096 /* to read at once: one piece, mostly, unless the \
		last read has filled it */

void
input_discard(struct user *u)
{
	size_t got = 0;
	ssize_t n;

	/* Too much stays unread: a reset would overtake our last word. */
	while (u->readable && u->discarded <= USER_DISCARD) {
		if (got >= TURN_READ) {
			turn_next(u->relay->turn, &u->resume);
			return;
		}
		n = read(u->fd, turn_scratch(u->relay->turn), USER_READ);
		if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
			u->readable = false;
			return;
		}
		if (n > 0) {
			got += (size_t)n;
			u->discarded += (uint32_t)n;
			continue;
		}
		if (n == 0)
			user_close(u);
		else
			user_abort(u, END_RESET);
		return;
	}
}

/* Keep the last n bytes at p back; they may lie in u->in itself. */
static int
keep(struct user *u, const uint8_t *p, size_t n)
{
	uint8_t *copy = NULL;

	if (n > 0) {
		if ((copy = malloc(n)) == NULL)
			return -1;
		memcpy(copy, p, n);
	}
	free(u->in);
	u->in = copy;
	u->in_len = (uint32_t)n;
	return 0;
}

/* The user has sent its last byte, and all of it has been passed on. */
static void
input_ended(struct user *u)
{
	if (u->sending && u->nasked > 0) {
		user_abort(u, END_RESET);
		return;
	}
	if (u->sending) {
		user_finish(u);
		return;
	}
	/* Half a head is no request. */
	keep(u, NULL, 0);
	u->heading = false;
	user_touch(u, USER_BOTH);
	if (u->current != NULL)
		upstream_shut(u->current);
	if (walk_is_opaque(&u->req) ? !u->shut : u->nasked > 0)
		return;
	if (u->current != NULL && !upstream_flushed(u->current))
		u->wait = WAIT_ROOM;
	else
		user_finish(u);
}

/* Look at what is kept back and at what is new, as far as may be. */
static void
feed(struct user *u, uint8_t *p, size_t n)
{
	bool unfinished, was_heading = u->heading;
	size_t used;

	u->wait = WAIT_NOTHING;
	used = u->opaque ? opaque_feed(u, p, n) : request_feed(u, p, n);
	if (u->state == USER_DEAD)
		return;
	if (u->state != USER_OPEN)
		used = n;
	if (keep(u, p + used, n - used) == -1) {
		user_abort(u, END_LIMIT);
		return;
	}
	if (u->state != USER_OPEN)
		return;
	/* An unfinished head has a deadline from its first byte on. */
	unfinished = u->wait == WAIT_NOTHING && u->in_len > 0;
	if (unfinished && !u->heading)
		deadline_set(
		    &u->relay->heads, &u->timer, turn_now(u->relay->turn));
	u->heading = unfinished;
	/* Behind a head the timer is to be that of an idle time again. */
	user_touch(u, was_heading ? USER_BOTH : USER_UP);
}

/*
 * The other relay has closed its end rather than shut it: if something was
 * under way its user is gone, and that is passed on as what it is.
 */
static bool
was_cut(struct user *u)
{
	return u->paired && !u->shut && relay_hung_up(u->fd) &&
	    (walk_is_opaque(&u->req) || u->nasked > 0 || u->sending);
}

/*
 * A reset must be noticed also while nothing is read, and behind a FIN, after
 * which read() knows nothing but the end.
 */
static bool
is_reset(const struct user *u)
{
	int err = 0;
	socklen_t len = sizeof(err);

	return getsockopt(u->fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0 &&
	    err != 0;
}

bool
input_is_cut(struct user *u)
{
	return is_reset(u) || was_cut(u);
}

/*
 * Take note of what read() has said, that was asked for `want` bytes. Are
 * there any? The user may be dead if not.
 */
static bool
has_come(struct user *u, ssize_t n, size_t want)
{
	if ((n == -1 && errno != EAGAIN && errno != EINTR) ||
	    (n == 0 && input_is_cut(u))) {
		user_abort(u, END_RESET);
		return false;
	}
	u->eof = n == 0;
	if (n <= 0) {
		u->readable = false;
		return false;
	}
	u->up += (uint64_t)n;
	/* A short read has drained it, but for an end announced before. */
	if ((size_t)n < want && !u->closed) {
		u->readable = false;
		deadline_set(
		    &u->relay->looks, &u->look, turn_now(u->relay->turn));
	}
	return true;
}

/* Read once and pass it on. Returns how many bytes came. */
static size_t
pull_once(struct user *u)
{
	uint8_t *p = turn_scratch(u->relay->turn);
	ssize_t n;

	if (u->in_len > HEAD_MAX) { /* the walker would have refused it */
		user_abort(u, END_LIMIT);
		return 0;
	}
	if (u->in_len > 0)
		memcpy(p, u->in, u->in_len);
	n = read(u->fd, p + u->in_len, USER_READ);
	if (!has_come(u, n, USER_READ))
		return 0;
	feed(u, p, u->in_len + (size_t)n);
	return (size_t)n;
}

/*
 * A body of which much is still to come needs no look: read it straight into
 * the tunnel's buffer. Returns false if it cannot be done; else *got is as of
 * pull_once().
 */
static bool
pull_straight(struct user *u, size_t *got)
{
	uint64_t left = walk_left(&u->req);
	struct iovec iov[TUNNEL_IOV];
	size_t want = left < USER_READ ? (size_t)left : USER_READ;
	ssize_t n;
	int pieces;

	if (want < STRAIGHT_MIN || u->in_len > 0 || u->rest != NULL ||
	    u->current == NULL || u->current->stream == NULL)
		return false;
	if (u->opaque && !u->large)
		want = OPAQUE_SMALL;
	*got = 0;
	if ((want = upstream_may_send(u->current, want)) == 0) {
		u->wait = WAIT_ROOM;
		return true;
	}
	if ((pieces = stream_reserve(u->current->stream, want, iov)) == 0) {
		u->wait = WAIT_ROOM;
		return true;
	}
	want = 0;
	for (int i = 0; i < pieces; i++)
		want += iov[i].iov_len;
	n = pieces == 1 ? read(u->fd, iov->iov_base, iov->iov_len)
			: readv(u->fd, iov, pieces);
	if (!has_come(u, n, want))
		return true;
	u->large = n >= OPAQUE_SMALL;
	upstream_commit(u->current, iov, (size_t)n);
	walk_skip(&u->req, (uint64_t)n);
	if (walk_left(&u->req) == 0) /* the walker has something to say */
		feed(u, turn_scratch(u->relay->turn), 0);
	else
		user_touch(u, USER_UP);
	*got = (size_t)n;
	return true;
}

static size_t
pull_some(struct user *u)
{
	size_t got;

	return pull_straight(u, &got) ? got : pull_once(u);
}

bool
input_may_pull(const struct user *u)
{
	return u->state == USER_OPEN && u->wait == WAIT_NOTHING;
}

/*
 * Another relay's end, idle, whose one host is served here no longer. That
 * relay may ask where it is now, and we may not: it learns that by our end.
 */
static bool
is_adrift(const struct user *u)
{
	return u->rerouted && u->current == NULL && u->up > 0 &&
	    u->in_len == 0 && u->nasked == 0 && !u->sending;
}

void
input_pull(struct user *u)
{
	size_t got = 0, kept = u->in_len;

	if (u->wait == WAIT_ASK || u->wait == WAIT_QUEUE)
		return;
	if (is_adrift(u)) /* unless there is a request, after all */
		u->readable = true;
	if (u->wait != WAIT_NOTHING) {
		uint8_t *p = turn_scratch(u->relay->turn);

		if (kept > 0)
			memcpy(p, u->in, kept);
		feed(u, p, kept);
	}
	while (input_may_pull(u) && u->readable && got < TURN_READ)
		got += pull_some(u);
	if (input_may_pull(u) && u->readable)
		turn_next(u->relay->turn, &u->resume); /* others' turn */
	else if (input_may_pull(u) && u->eof)
		input_ended(u);
	else if (input_may_pull(u) && is_adrift(u))
		user_finish(u);
}
