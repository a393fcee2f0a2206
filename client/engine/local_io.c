/* The bytes between a stream and its connection to the local service. */
#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/engine/local_impl.h"
#include "common/base/log.h"
#include "common/net/dial.h"

#define READ_SMALL 4096	 /* bytes to read at once: one piece, mostly */
#define READ_LARGE 65536 /* and when more than that was there last time */

/* A short read says nothing of a reset that came along with the data. */
static void
doubt(struct local *l)
{
	if (l->doubtful)
		return;
	l->doubtful = true;
	LIST_INSERT_HEAD(&l->engine->doubts, l, doubt);
}

/*
 * The service has broken off, but may have said why before it did: as one does
 * that refuses a request whose body is still being sent. That is read first;
 * pull() finds the end behind it, and local_io_check() waits no longer.
 */
static void
break_off(struct local *l)
{
	if (l->eof) {
		local_abandon(l, RESET_ABORT);
		return;
	}
	l->deaf = true;
	l->own = 0;
	outq_free(&l->out);
	doubt(l);
	turn_end(l->engine->turn, &l->item);
}

int
local_io_push(struct local *l)
{
	ssize_t sent;
	uint8_t own;

	if (l->deaf)
		return -1;
	if ((sent = outq_flush(&l->out, l->fd)) == -1) {
		break_off(l);
		return -1;
	}
	own = sent < l->own ? (uint8_t)sent : l->own;
	l->own = (uint8_t)(l->own - own);
	sent -= own;
	l->up += (uint64_t)sent;
	if (l->edit == NULL) {
		if (sent > 0)
			stream_consumed(l->stream, (size_t)sent);
	} else if (l->owed > 0 && outq_left(&l->out) == 0) {
		stream_consumed(l->stream, l->owed);
		l->owed = 0;
	}
	if (!l->fin || l->shut || outq_left(&l->out) > 0)
		return 0;
	l->shut = true;
	/* Closing says as much, but to a converter it would be a reset. */
	if (!l->eof || l->pair)
		shutdown(l->fd, SHUT_WR);
	if (!l->eof)
		return 0;
	local_finish(l);
	return -1;
}

/* Show `edit` what has come from the service. -1: that has ended l. */
static int
inspect(struct local *l, const struct iovec *iov, size_t n, bool *go_on)
{
	for (; n > 0; iov++) {
		size_t len = n < iov->iov_len ? n : iov->iov_len;

		if (edit_response(l->edit, iov->iov_base, len, go_on) == -1) {
			log_warnx("%s: its answer is malformed",
			    l->rules->conf.label);
			local_abandon(l, RESET_PROTOCOL);
			return -1;
		}
		n -= len;
	}
	return 0;
}

/* An answer has said what the bytes behind a request are. */
static void
resume(struct local *l)
{
	if (edit_request(l->edit, NULL, 0, &l->out) == -1)
		local_abandon(l, RESET_PROTOCOL);
	else
		local_io_push(l);
}

/*
 * A converter's end knows no reset: its orderly end is SHUT_WR, and closing
 * before we have shut our side means one (PROTOCOL.md section 3).
 */
static bool
is_hung_up(const struct local *l)
{
	struct pollfd pfd = { .fd = l->fd };

	return l->pair && !l->shut && poll(&pfd, 1, 0) == 1 &&
	    (pfd.revents & (POLLHUP | POLLERR)) != 0;
}

/* The service has sent its last byte. */
static void
take_eof(struct local *l)
{
	if (l->deaf || is_hung_up(l)) {
		local_abandon(l, RESET_ABORT);
		return;
	}
	l->eof = true;
	stream_fin(l->stream);
	if (l->shut)
		local_finish(l);
}

/*
 * From the service into the tunnel, one reservation: no byte is copied. What
 * filled it all, or is known to end soon, goes on in the next turn, so that
 * one stream leaves the others room. Returns false if there is no room: then
 * local_room() goes on.
 */
static bool
pull(struct local *l)
{
	struct iovec iov[TUNNEL_IOV];
	bool go_on = false;
	size_t room = 0;
	ssize_t n;
	int pieces;

	pieces =
	    stream_reserve(l->stream, l->large ? READ_LARGE : READ_SMALL, iov);
	if (pieces == 0)
		return false;
	for (int i = 0; i < pieces; i++)
		room += iov[i].iov_len;
	n = pieces == 1 ? read(l->fd, iov->iov_base, iov->iov_len)
			: readv(l->fd, iov, pieces);
	if (n == -1) {
		if (l->deaf || (errno != EAGAIN && errno != EINTR))
			local_abandon(l, RESET_ABORT);
		return true;
	}
	if (n == 0) {
		take_eof(l);
		return true;
	}
	/* Before they are sealed. */
	if (l->edit != NULL && inspect(l, iov, (size_t)n, &go_on) == -1)
		return true;
	stream_commit(l->stream, iov, (size_t)n);
	l->down += (uint64_t)n;
	l->large = n >= READ_SMALL;
	local_touch(l);
	if ((size_t)n == room || l->closed || l->deaf)
		turn_next(l->engine->turn, &l->item);
	else
		doubt(l);
	if (go_on)
		resume(l);
	return true;
}

void
local_io_turn(void *local)
{
	struct local *l = local;

	if (l->state == LOCAL_UP && !l->eof)
		pull(l);
}

void
local_io_event(struct local *l, short what)
{
	if (l->deaf)
		return;
	if ((what & EV_WRITE) && outq_left(&l->out) > 0 &&
	    local_io_push(l) == -1)
		return;
	if (what & EV_CLOSED)
		l->closed = true;
	if ((what & (EV_READ | EV_CLOSED)) == 0)
		return;
	/* Nothing can be read any more, or yet: is there still somebody? */
	if ((l->eof || !pull(l)) && (dial_result(l->fd) == -1 || is_hung_up(l)))
		local_abandon(l, RESET_ABORT);
}

/*
 * libevent reports an error as readable and writable, which any event of an
 * idle socket is as well. Rather than by a second read of each answer it is
 * found out here.
 */
void
local_io_check(struct engine *e)
{
	struct local *l;

	while ((l = LIST_FIRST(&e->doubts)) != NULL) {
		LIST_REMOVE(l, doubt);
		l->doubtful = false;
		if (l->deaf || dial_result(l->fd) == -1)
			local_abandon(l, RESET_ABORT);
	}
}

/* Rewritten on the way; credit for it when it has left. */
static void
send_edited(struct local *l, const struct iovec *iov, int n, size_t total)
{
	for (int i = 0; i < n; i++) {
		if (edit_request(l->edit, iov[i].iov_base, iov[i].iov_len,
			&l->out) == -1) {
			local_abandon(l, RESET_PROTOCOL);
			return;
		}
	}
	if (l->state == LOCAL_UP && local_io_push(l) == -1)
		return;
	if (outq_left(&l->out) == 0)
		stream_consumed(l->stream, total);
	else
		l->owed += total;
}

void
local_data(void *local, const struct iovec *iov, int n, size_t total)
{
	struct local *l = local;
	ssize_t sent;

	local_touch(l);
	if (l->deaf)
		return;
	if (l->edit != NULL) {
		send_edited(l, iov, n, total);
		return;
	}
	if (l->state != LOCAL_UP) {
		if (outq_add(&l->out, iov, n) == -1)
			local_abandon(l, RESET_LIMIT);
		return;
	}
	sent = outq_send(&l->out, l->fd, iov, n);
	if (sent == -1) {
		break_off(l);
		return;
	}
	l->up += (uint64_t)sent;
	if (sent > 0)
		stream_consumed(l->stream, (size_t)sent);
}

void
local_fin(void *local)
{
	struct local *l = local;

	l->fin = true;
	if (l->state == LOCAL_UP)
		local_io_push(l);
}

void
local_room(void *local)
{
	local_io_turn(local);
}
