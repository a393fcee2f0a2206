/* Bytes of a connection that both ends are there of. */
#include <sys/socket.h>

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "worker/convert/tls_conn.h"

/* What one step has come to. */
enum outcome {
	STUCK, /* nothing more can be done in this direction now */
	MOVED,
	BROKEN /* it is to be reset */
};

/* What a call of libssl has come to that moved nothing. */
static enum outcome
judge(struct tls_conn *c, int ret)
{
	switch (SSL_get_error(c->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		return STUCK;
	case SSL_ERROR_WANT_WRITE:
		c->want_write = true;
		return STUCK;
	case SSL_ERROR_ZERO_RETURN:
		c->up_end = true;
		return MOVED;
	default: /* a bare FIN is one of these */
		ERR_clear_error();
		return BROKEN;
	}
}

/*
 * The plain side reads no more. What it has said before that is still to be
 * passed on: only then this is at its end.
 */
static enum outcome
stop_up(struct tls_conn *c)
{
	c->up_dead = true;
	tls_piece_clear(&c->up);
	return MOVED;
}

/* Write to the plain side; what it does not take is kept. */
static enum outcome
put_up(struct tls_conn *c, const uint8_t *p, size_t n)
{
	ssize_t put = write(c->plain, p, n);

	if (put == -1 && errno != EAGAIN && errno != EINTR)
		return stop_up(c);
	if (put == -1)
		put = 0;
	c->up_bytes += (uint64_t)put;
	if ((size_t)put < n &&
	    tls_piece_add(&c->up, p + put, n - (size_t)put) == -1)
		return BROKEN;
	return (size_t)put < n ? STUCK : MOVED;
}

/* What was kept goes first. */
static enum outcome
flush_up(struct tls_conn *c)
{
	ssize_t put = write(c->plain, c->up.p + c->up.at, c->up.n);

	if (put == -1)
		return errno == EAGAIN || errno == EINTR ? STUCK : stop_up(c);
	c->up_bytes += (uint64_t)put;
	c->up.at += (uint32_t)put;
	c->up.n -= (uint32_t)put;
	if (c->up.n > 0)
		return STUCK;
	tls_piece_clear(&c->up);
	return MOVED;
}

/* A piece from the user to the plain side. */
static enum outcome
move_up(struct tls_conn *c)
{
	int n;

	if (c->up_dead)
		return STUCK;
	if (c->up.n > 0)
		return flush_up(c);
	if (c->up_end) {
		if (!c->up_shut)
			shutdown(c->plain, SHUT_WR);
		c->up_shut = true;
		return STUCK;
	}
	ERR_clear_error();
	n = SSL_read(c->ssl, c->tls->scratch, TLS_SCRATCH);
	if (n <= 0)
		return judge(c, n);
	if (put_up(c, c->tls->scratch, (size_t)n) == BROKEN)
		return BROKEN;
	/* Nobody announces what libssl holds; the rest epoll does. */
	return c->up.n == 0 && SSL_has_pending(c->ssl) ? MOVED : STUCK;
}

/* Whether the plain side was closed, rather than shut in one direction. */
static bool
is_hung_up(const struct tls_conn *c)
{
	struct pollfd pfd = { .fd = c->plain };

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & (POLLHUP | POLLERR));
}

/* Write to the user as much as goes; what is left is kept. */
static enum outcome
put_down(struct tls_conn *c, const uint8_t *p, size_t n)
{
	size_t put = 0;
	int ret = 1;

	while (put < n && ret > 0) {
		ERR_clear_error();
		ret = SSL_write(c->ssl, p + put, (int)(n - put));
		if (ret > 0)
			put += (size_t)ret;
	}
	c->down_bytes += put;
	if (put < n && judge(c, ret) == BROKEN)
		return BROKEN;
	if (put < n && tls_piece_add(&c->down, p + put, n - put) == -1)
		return BROKEN;
	return put < n ? STUCK : MOVED;
}

static enum outcome
flush_down(struct tls_conn *c)
{
	int ret;

	ERR_clear_error();
	ret = SSL_write(c->ssl, c->down.p + c->down.at, (int)c->down.n);
	if (ret <= 0)
		return judge(c, ret);
	c->down_bytes += (uint64_t)ret;
	c->down.at += (uint32_t)ret;
	c->down.n -= (uint32_t)ret;
	if (c->down.n == 0)
		tls_piece_clear(&c->down);
	return MOVED;
}

/* The plain side has ended: so does ours towards the user. */
static enum outcome
shut_down(struct tls_conn *c)
{
	int ret;

	if (c->down_shut)
		return STUCK;
	ERR_clear_error();
	if ((ret = SSL_shutdown(c->ssl)) < 0)
		return judge(c, ret);
	shutdown(c->net, SHUT_WR);
	c->down_shut = true;
	return STUCK;
}

/* A piece from the plain side to the user. */
static enum outcome
move_down(struct tls_conn *c)
{
	ssize_t n;

	c->want_write = false;
	if (c->down.n > 0)
		return flush_down(c);
	if (c->down_end)
		return shut_down(c);
	n = read(c->plain, c->tls->scratch, TLS_SCRATCH);
	if (n > 0) {
		if (put_down(c, c->tls->scratch, (size_t)n) == BROKEN)
			return BROKEN;
		return n == TLS_SCRATCH && c->down.n == 0 ? MOVED : STUCK;
	}
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? STUCK : BROKEN;
	/* Closed before it was shut, while we had not shut ours: a reset. */
	if (!c->up_shut && !c->down_clean && is_hung_up(c))
		return BROKEN;
	c->down_end = true;
	return MOVED;
}

/* Whether the plain side has said its last. */
static bool
is_leaving(const struct tls_conn *c)
{
	struct pollfd pfd = { .fd = c->plain, .events = POLLRDHUP };

	return poll(&pfd, 1, 0) == 1 &&
	    (pfd.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

/* What is waited for now, and how long. */
static void
wait(struct tls_conn *c)
{
	bool blocked =
	    c->down.n > 0 || c->want_write || (c->down_end && !c->down_shut);
	short net = 0, plain = 0;

	if (c->up.n == 0 && !c->up_end && !c->up_dead)
		net |= EV_READ;
	if (blocked)
		net |= EV_WRITE;
	if (c->up.n > 0)
		plain |= EV_WRITE;
	if (c->down.n == 0 && !c->down_end)
		plain |= EV_READ;
	tls_conn_watch(c, net, plain);
	/* As long as the plain side is there, it decides on who is slow. */
	if (blocked && (c->down_end || is_leaving(c)))
		deadline_set(&c->tls->stalled, &c->deadline, clock_us());
	else
		deadline_drop(&c->deadline);
}

/* All is said, or nobody is there to say it to. */
static bool
is_over(const struct tls_conn *c)
{
	return c->down_shut && (c->up_shut || c->up_dead || is_hung_up(c));
}

void
tls_move_run(struct tls_conn *c, bool up, bool down)
{
	enum outcome u = up ? MOVED : STUCK, d = down ? MOVED : STUCK;

	for (int i = 0; i < TLS_STEPS && (u == MOVED || d == MOVED); i++) {
		/* A step that stopped is not taken again in this turn. */
		if (d == MOVED)
			d = move_down(c);
		if (u == MOVED)
			u = move_up(c);
		if (u == BROKEN || d == BROKEN) {
			tls_conn_end(c, END_RESET, true);
			return;
		}
	}
	if (is_over(c)) {
		tls_conn_end(c, END_CLEAN, false);
		return;
	}
	wait(c);
	/* Bytes that libssl holds already are announced by nobody. */
	if (u == MOVED)
		event_active(&c->net_ev, EV_READ, 0);
}
