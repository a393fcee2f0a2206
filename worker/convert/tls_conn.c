/* One connection of the role tls: its beginning and its end. */
#include "worker/convert/tls_conn.h"

#include <sys/socket.h>

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/net/sockopt.h"
#include "worker/convert/certs.h"
#include "worker/convert/tls_shake.h"

#define QUIET (EV_READ | EV_WRITE | EV_CLOSED | EV_ET)

static void on_net(evutil_socket_t fd, short what, void *arg);
static void on_plain(evutil_socket_t fd, short what, void *arg);

int
tls_piece_add(struct tls_piece *x, const void *p, size_t n)
{
	uint8_t *grown;

	if (x->at > 0)
		memmove(x->p, x->p + x->at, x->n);
	x->at = 0;
	if ((grown = realloc(x->p, x->n + n)) == NULL)
		return -1;
	memcpy(grown + x->n, p, n);
	x->p = grown;
	x->n += (uint32_t)n;
	return 0;
}

void
tls_piece_clear(struct tls_piece *x)
{
	free(x->p);
	*x = (struct tls_piece){ 0 };
}

static void
watch_one(struct tls_conn *c, struct event *ev, int fd, short *has, short what,
    event_callback_fn fn)
{
	what = (short)((what != 0 ? what : QUIET) | EV_PERSIST);
	if (*has == what)
		return;
	if (*has != 0)
		event_del(ev);
	event_assign(ev, c->tls->serve.base, fd, what, fn, c);
	event_add(ev, NULL);
	*has = what;
}

void
tls_conn_watch(struct tls_conn *c, short net, short plain)
{
	watch_one(c, &c->net_ev, c->net, &c->net_what, net, on_net);
	/* That it is shut must be seen before it is closed, read or not. */
	if ((plain & EV_READ) == 0)
		plain = 0;
	if (c->plain != -1)
		watch_one(
		    c, &c->plain_ev, c->plain, &c->plain_what, plain, on_plain);
}

static void
send_closed(struct tls_conn *c, enum msg_end why)
{
	uint8_t payload[17];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	buf_put_u8(&b, (uint8_t)why);
	buf_put_u64(&b, c->up_bytes);
	buf_put_u64(&b, c->down_bytes);
	serve_send(&c->tls->serve, MSG_CLOSED, c->id, payload, buf_used(&b));
}

/* A job that has not ended cannot be freed: it ends when it fails. */
static void
end_job(struct tls_conn *c)
{
	struct asker *k = &c->tls->asker;

	if (c->ask.state != ASK_WAITING)
		return;
	asker_forget(k, &c->ask);
	k->running = &c->ask;
	SSL_do_handshake(c->ssl);
	k->running = NULL;
	ERR_clear_error();
}

void
tls_conn_end(struct tls_conn *c, enum msg_end why, bool reset)
{
	struct tls *t = c->tls;

	end_job(c);
	deadline_drop(&c->deadline);
	if (c->net_what != 0)
		event_del(&c->net_ev);
	if (c->plain_what != 0)
		event_del(&c->plain_ev);
	SSL_free(c->ssl);
	sockopt_reset_on_close(c->net, reset);
	close(c->net);
	if (c->plain != -1)
		close(c->plain);
	idmap_take(&t->conns, c->id);
	tls_piece_clear(&c->up);
	tls_piece_clear(&c->down);
	send_closed(c, why);
	free(c);
	tls_let_go(t);
}

void
tls_conn_linger(struct tls_conn *c)
{
	c->state = TLS_LINGERING;
	if (shutdown(c->net, SHUT_WR) == -1) {
		tls_conn_end(c, END_RESET, true);
		return;
	}
	deadline_set(&c->tls->lingering, &c->deadline, clock_us());
	tls_conn_watch(c, EV_READ, 0);
}

/* Whether the peer has reset it. */
static bool
is_reset(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0 &&
	    err != 0;
}

/* Too much stays unread: a reset would overtake what it was told. */
static void
discard(struct tls_conn *c)
{
	ssize_t n = 1;

	while (n > 0 && c->discarded <= TLS_LINGER_BYTES) {
		n = read(c->net, c->tls->scratch, TLS_SCRATCH);
		if (n > 0)
			c->discarded += (uint32_t)n;
	}
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && !is_reset(c->net))
		tls_conn_watch(c, 0, 0);
	else
		tls_conn_end(c, END_REFUSED, n != 0);
}

static void
on_net(evutil_socket_t fd, short what, void *arg)
{
	struct tls_conn *c = arg;

	switch (c->state) {
	case TLS_PROXIED:
		tls_shake_header(c);
		break;
	case TLS_SHAKING:
		if (c->ask.state != ASK_WAITING)
			tls_shake_go(c);
		else if (is_reset(fd))
			tls_conn_end(c, END_RESET, true);
		break;
	case TLS_GATHERING:
		tls_shake_gather(c);
		break;
	case TLS_OFFERED:
		if (is_reset(fd)) {
			/* The parent hears of it when its answer has come. */
			c->up_dead = true;
		}
		break;
	case TLS_MOVING:
		/* While nothing is read nobody else would tell. */
		if ((c->net_what & EV_ET) != 0 && is_reset(fd))
			tls_conn_end(c, END_RESET, true);
		else
			tls_move_run(c, (what & (EV_READ | EV_CLOSED)) != 0,
			    (what & EV_WRITE) != 0);
		break;
	default:
		discard(c);
	}
}

static void
on_plain(evutil_socket_t fd, short what, void *arg)
{
	struct tls_conn *c = arg;
	struct pollfd pfd = { .fd = fd, .events = POLLRDHUP };

	if ((c->plain_what & EV_ET) != 0 && poll(&pfd, 1, 0) == 1 &&
	    (pfd.revents & (POLLRDHUP | POLLHUP)) == POLLRDHUP)
		c->down_clean = true;
	tls_move_run(
	    c, (what & EV_WRITE) != 0, (what & (EV_READ | EV_CLOSED)) != 0);
}

void
tls_conn_plain(struct tls_conn *c, int fd)
{
	if (fd == -1 || c->state != TLS_OFFERED || c->up_dead) {
		if (fd != -1)
			close(fd);
		tls_conn_end(c, fd == -1 ? END_NOFILE : END_RESET, true);
		return;
	}
	c->plain = fd;
	c->state = TLS_MOVING;
	tls_move_run(c, true, true);
}

void
tls_conn_refuse(struct tls_conn *c)
{
	if (c->state == TLS_OFFERED && SSL_shutdown(c->ssl) >= 0) {
		tls_conn_linger(c);
		return;
	}
	ERR_clear_error();
	tls_conn_end(c, END_REFUSED, true);
}

void
tls_conn_expired(struct tls_conn *c)
{
	switch (c->state) {
	case TLS_PROXIED:
	case TLS_SHAKING:
		tls_shake_log(c, "no handshake in time");
		tls_conn_end(c, END_TIMEOUT, true);
		break;
	case TLS_GATHERING:
		if (c->up.n > 0) {
			tls_shake_offer(c, true);
			break;
		}
		SSL_shutdown(c->ssl);
		ERR_clear_error();
		tls_conn_end(c, END_TIMEOUT, false);
		break;
	case TLS_MOVING:
		tls_conn_end(c, END_TIMEOUT, true); /* it takes nothing */
		break;
	default:
		tls_conn_end(c, END_REFUSED, false);
	}
}

/* Nothing of it is here, or could be. */
static void
turn_away(struct tls *t, uint32_t id, int fd)
{
	const uint8_t lost[17] = { END_LIMIT };

	close(fd);
	serve_send(&t->serve, MSG_CLOSED, id, lost, sizeof(lost));
}

void
tls_conn_new(struct tls *t, uint32_t id, int fd, const struct msg_conn *who,
    uint8_t flags)
{
	bool proxied = (flags & EDGE_PROXIED) != 0;
	struct tls_conn *c;
	SSL_CTX *ctx;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		goto err0;
	c->tls = t;
	c->id = c->ask.id = id;
	c->ask.resume = tls_shake_answered;
	c->net = fd;
	c->plain = -1;
	c->scheme = who->scheme;
	c->peer = who->peer;
	c->is_api = (flags & EDGE_API) != 0;
	ctx = t->certs == NULL ? NULL
	    : c->is_api	       ? certs_of_api(t->certs)
			       : certs_default(t->certs);
	if (ctx == NULL || (c->ssl = SSL_new(ctx)) == NULL ||
	    SSL_set_fd(c->ssl, fd) != 1 || idmap_put(&t->conns, id, c) == -1)
		goto err1;
	SSL_set_app_data(c->ssl, c);
	SSL_set_accept_state(c->ssl);
	SSL_set_mode(c->ssl, SSL_MODE_ASYNC);
	t->held++;
	deadline_set(&t->shaking, &c->deadline, clock_us());
	c->state = proxied ? TLS_PROXIED : TLS_SHAKING;
	/* Many may come at a time: who moves bytes has its turn in between. */
	tls_conn_watch(c, proxied ? 0 : EV_READ, 0);
	return;

err1:
	SSL_free(c->ssl);
	free(c);
err0:
	turn_away(t, id, fd);
}
