/* From the service to the user: answers are walked and passed on. */
#include <stdlib.h>
#include <string.h>

#include "common/http/rewrite.h"
#include "worker/relay/journal.h"
#include "worker/relay/opaque.h"
#include "worker/relay/upstream.h"
#include "worker/relay/user.h"

#define PIECES 16 /* gathered before they are written */

/* What is to be written to the user, as it lies. */
struct gather {
	struct iovec iov[PIECES];
	int n;
};

static void
flush(struct user *u, struct gather *g)
{
	if (g->n > 0)
		user_send(u, g->iov, g->n);
	g->n = 0;
}

static void
emit(struct user *u, struct gather *g, const void *p, size_t n)
{
	if (n == 0)
		return;
	if (g->n > 0) {
		struct iovec *last = &g->iov[g->n - 1];

		if ((const char *)last->iov_base + last->iov_len == p) {
			last->iov_len += n;
			return;
		}
	}
	if (g->n == PIECES)
		flush(u, g);
	g->iov[g->n].iov_base = (void *)(uintptr_t)p;
	g->iov[g->n++].iov_len = n;
}

static size_t
gathered(const struct gather *g)
{
	size_t n = 0;

	for (int i = 0; i < g->n; i++)
		n += g->iov[i].iov_len;
	return n;
}

/* The answer is complete, all but `left` bytes counted: the next one's turn. */
static void
complete(struct user *u, size_t left)
{
	struct user_asked first = u->asked[0];

	journal_answered(u, left);
	u->nasked--;
	memmove(u->asked, u->asked + 1, u->nasked * sizeof(u->asked[0]));
	if (u->nasked == 0)
		memset(&u->asked[0], 0, sizeof(u->asked[0]));
	u->begun = false;
	if (first.last) {
		u->close_after = true;
		u->silent = !u->sending && u->in_len == 0;
	}
	/* While it is still being sent, request.c sees to that at its end. */
	if (first.upgrade && !u->sending)
		walk_resume(&u->req);
	if (u->nasked > 0)
		walk_expect(&u->resp, (enum head_method)u->asked[0].method,
		    u->asked[0].upgrade);
	if (u->wait != WAIT_NOTHING || u->eof)
		user_resume(u);
}

static void
take_head(struct user *u, struct gather *g, const uint8_t *p, size_t n,
    const struct head *h)
{
	char out[HEAD_MAX + REWRITE_CLOSE_ROOM];
	struct iovec iov = { out, 0 };
	ssize_t len;

	journal_status(u, h->status);
	if (h->body == HEAD_BODY_OPAQUE) {
		u->begun = true;
		u->sending = false;
		walk_opaque(&u->req);
		user_resume(u);
		emit(u, g, p, n);
		return;
	}
	if (h->status >= 200)
		u->begun = true;
	if (h->status >= 200 && !h->keepalive)
		u->close_after = true;
	if (h->status >= 200 && h->keepalive && u->relay->draining &&
	    (len = rewrite_response_close(h, out, sizeof(out))) != -1) {
		u->close_after = true;
		flush(u, g);
		iov.iov_len = (size_t)len;
		user_send(u, &iov, 1);
		return;
	}
	emit(u, g, p, n);
}

/*
 * The service speaks nonsense. What comes unasked must never be taken for an
 * answer; what was answered before stays so.
 */
static void
bad_answer(struct user *u)
{
	if (u->nasked > 0 && u->begun) {
		user_abort(u, END_GARBAGE);
		return;
	}
	/* As a request that is not whole: its service sees a reset. */
	u->sending = true;
	if (u->nasked > 0)
		user_refuse(u, 502, "the service's answer is malformed");
	else
		user_finish(u);
}

/* Walk n bytes; returns how many were dealt with. The user may be dead. */
static size_t
walk(struct user *u, struct gather *g, const uint8_t *p, size_t n)
{
	size_t at = 0, len;
	struct head h;

	for (;;) {
		switch (walk_step(&u->resp, p + at, n - at, &len, &h)) {
		case WALK_MORE:
			return at;
		case WALK_HEAD:
			take_head(u, g, p + at, len, &h);
			break;
		case WALK_BODY:
		case WALK_OPAQUE:
			emit(u, g, p + at, len);
			break;
		case WALK_END:
			complete(u, gathered(g));
			if (u->close_after) {
				flush(u, g);
				user_finish(u);
			} else if (u->nasked == 0 && at == n) {
				return at;
			}
			break;
		case WALK_HOLD:
		case WALK_BAD:
		default:
			flush(u, g);
			bad_answer(u);
			break;
		}
		if (u->state != USER_OPEN)
			return n;
		at += len;
	}
}

/* Keep the beginning of a head until the rest of it comes. */
static int
keep_part(struct user *u, const uint8_t *p, size_t n)
{
	uint8_t *copy = NULL;

	if (n > 0 && (copy = malloc(n)) == NULL)
		return -1;
	if (n > 0)
		memcpy(copy, p, n);
	free(u->part);
	u->part = copy;
	u->part_len = (uint32_t)n;
	return 0;
}

/* One piece behind what was kept, in memory of its own. */
static void
feed_joined(struct user *u, const uint8_t *p, size_t n)
{
	struct gather g = { .n = 0 };
	size_t total = u->part_len + n, used;
	uint8_t *joined;

	if ((joined = malloc(total)) == NULL) {
		user_abort(u, END_LIMIT);
		return;
	}
	memcpy(joined, u->part, u->part_len);
	memcpy(joined + u->part_len, p, n);
	used = walk(u, &g, joined, total);
	flush(u, &g);
	if (u->state == USER_OPEN &&
	    keep_part(u, joined + used, total - used) == -1)
		user_abort(u, END_LIMIT);
	free(joined);
}

void
answer_connected(struct user *u)
{
	static const char head[] =
	    "HTTP/1.1 200 Connection Established\r\n\r\n";
	struct iovec iov = { (void *)(uintptr_t)head, sizeof(head) - 1 };

	/* Walked as if the service had said it. */
	if (u->nasked == 1 && u->asked[0].method == HEAD_METHOD_CONNECT &&
	    !u->begun)
		answer_feed(u, &iov, 1);
}

void
answer_feed(struct user *u, const struct iovec *iov, int n)
{
	struct gather g = { .n = 0 };

	if (u->opaque) {
		if (u->state == USER_OPEN)
			user_send(u, iov, n);
		return;
	}
	for (int i = 0; i < n && u->state == USER_OPEN; i++) {
		const uint8_t *p = iov[i].iov_base;
		size_t len = iov[i].iov_len, used;

		if (u->part_len > 0) {
			flush(u, &g);
			feed_joined(u, p, len);
			continue;
		}
		used = walk(u, &g, p, len);
		if (u->state == USER_OPEN && used < len &&
		    keep_part(u, p + used, len - used) == -1)
			user_abort(u, END_LIMIT);
	}
	if (u->state == USER_OPEN)
		flush(u, &g);
	/* What is kept of a head would hold its credit for ever. */
	if (u->state == USER_OPEN)
		user_credit(u, 0);
	user_rested(u);
}

/*
 * The current upstream has ended between two answers. So do we, unless a
 * request has come that nothing was sent of, or it was another relay, whose
 * client may have moved: what comes next is routed anew.
 */
static void
idle_end(struct user *u)
{
	bool idle = u->in_len == 0 && u->wait == WAIT_NOTHING;
	bool other = u->current != NULL && u->current->pair != NULL;

	if (u->sending || (idle && !other)) {
		user_finish(u);
		return;
	}
	if (u->current != NULL)
		upstream_leave(u->current);
	user_resume(u);
}

void
answer_fin(struct user *u)
{
	if (u->state != USER_OPEN)
		return;
	switch (walk_eof(&u->resp)) {
	case WALK_EOF_IDLE:
		idle_end(u);
		break;
	case WALK_EOF_END:
		if (!walk_is_opaque(&u->resp) || u->eof) {
			user_finish(u);
			break;
		}
		/* Half-close: the user may go on sending. */
		u->shut = true;
		user_shut(u);
		break;
	case WALK_EOF_CUT:
	default:
		answer_lost(u, RESET_ABORT);
		break;
	}
}

void
answer_lost(struct user *u, enum reset reason)
{
	struct upstream *up = u->current;
	int status = 502;

	if (u->opaque) {
		opaque_lost(u, reason);
		return;
	}
	/* What answers for it wants to know who it was: user_refuse() ends it.
	 */
	if (up != NULL && (u->nasked == 0 || u->begun))
		upstream_end(up);
	if (u->state != USER_OPEN)
		return;
	if (reason == RESET_TIMEOUT)
		status = 504;
	else if (reason == RESET_LIMIT)
		status = 503;
	if (u->nasked > 0 && !u->begun)
		user_refuse(u, status, reset_text(reason));
	else if (u->nasked > 0 || walk_is_opaque(&u->req))
		user_abort(u, END_LOST);
	else if (reason != RESET_GONE || u->sending)
		idle_end(u);
	else
		/*
		 * Idle while its tunnel died: the connection stays, and its
		 * next request is routed anew, parked if need be.
		 */
		user_resume(u);
}
