/* TLS towards a service, plain bytes towards the engine. */
#include "client/tls/converter.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/addr.h"
#include "common/base/log.h"
#include "common/net/sockopt.h"

#define PIPE_SIZE 16384
#define STEPS                                                          \
	16 /* pieces in either direction, until others have their turn \
	    */

/* Bytes on their way in one direction; allocated while there are any. */
struct pipe {
	uint8_t *p;
	size_t at, n;
};

struct converter {
	SSL *ssl;
	int net, plain;
	struct event *net_ev, *plain_ev;
	struct pipe up, down; /* to the service, and from it */
	bool ready;	      /* the handshake is over */
	bool up_end;	      /* the engine has ended its direction */
	bool up_dead;	      /* the service takes no more */
	bool down_end;	      /* close_notify has come */
	bool shut;	      /* ... and was passed on */
	char name[256];
};

enum outcome { STUCK, MOVED, BROKEN };

/* `reset`: neither side is to take it for a clean end. */
static void
end(struct converter *c, bool reset)
{
	if (!reset)
		SSL_shutdown(c->ssl);
	sockopt_reset_on_close(c->net, reset);
	if (c->net_ev != NULL)
		event_free(c->net_ev);
	if (c->plain_ev != NULL)
		event_free(c->plain_ev);
	SSL_free(c->ssl);
	close(c->net);
	close(c->plain);
	free(c->up.p);
	free(c->down.p);
	free(c);
}

/* What a call of OpenSSL has come to; errors are logged. */
static enum outcome
judge(struct converter *c, int ret, const char *what)
{
	const char *why;
	long verdict;

	switch (SSL_get_error(c->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return STUCK;
	case SSL_ERROR_ZERO_RETURN:
		c->down_end = true;
		return MOVED;
	default:
		break;
	}
	verdict = SSL_get_verify_result(c->ssl);
	why = verdict != X509_V_OK ? X509_verify_cert_error_string(verdict)
				   : ERR_reason_error_string(ERR_peek_error());
	if (!c->ready)
		log_warnx("%s: %s: %s", c->name, what,
		    why != NULL ? why : "the connection was closed");
	ERR_clear_error();
	return BROKEN;
}

static bool
allot(struct pipe *p)
{
	return p->p != NULL || (p->p = malloc(PIPE_SIZE)) != NULL;
}

static void
release(struct pipe *p)
{
	free(p->p);
	*p = (struct pipe){ 0 };
}

static enum outcome
shake_hands(struct converter *c)
{
	int ret;

	if (c->ready)
		return STUCK;
	ERR_clear_error();
	ret = SSL_do_handshake(c->ssl);
	if (ret != 1)
		return judge(c, ret, "TLS");
	c->ready = true;
	return MOVED;
}

/* A piece from the service to the engine. */
static enum outcome
move_down(struct converter *c)
{
	struct pipe *p = &c->down;
	ssize_t n;
	int ret;

	if (p->n == 0) {
		if (c->down_end)
			return STUCK;
		if (!allot(p))
			return BROKEN;
		ERR_clear_error();
		if ((ret = SSL_read(c->ssl, p->p, PIPE_SIZE)) <= 0) {
			release(p);
			return judge(c, ret, "TLS");
		}
		p->n = (size_t)ret;
		p->at = 0;
	}
	n = write(c->plain, p->p + p->at, p->n);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? STUCK : BROKEN;
	p->at += (size_t)n;
	p->n -= (size_t)n;
	return MOVED;
}

/* Whether the engine has closed its end, rather than shut a direction. */
static bool
is_hung_up(const struct converter *c)
{
	struct pollfd pfd = { .fd = c->plain };

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & (POLLHUP | POLLERR));
}

/* A piece from the engine to the service. */
static enum outcome
move_up(struct converter *c)
{
	struct pipe *p = &c->up;
	ssize_t n;
	int ret;

	if (c->up_dead)
		return STUCK;
	if (p->n == 0) {
		if (c->up_end)
			return STUCK;
		if (!allot(p))
			return BROKEN;
		n = read(c->plain, p->p, PIPE_SIZE);
		if (n <= 0) {
			release(p);
			if (n == -1)
				return errno == EAGAIN || errno == EINTR
				    ? STUCK
				    : BROKEN;
			c->up_end = true;
			return MOVED;
		}
		p->n = (size_t)n;
		p->at = 0;
	}
	ERR_clear_error();
	if ((ret = SSL_write(c->ssl, p->p + p->at, (int)p->n)) <= 0) {
		if (judge(c, ret, "TLS") == STUCK)
			return STUCK;
		/* What it has said before that is still to be passed on. */
		c->up_dead = true;
		p->n = 0;
		return MOVED;
	}
	p->at += (size_t)ret;
	p->n -= (size_t)ret;
	return MOVED;
}

/*
 * What has ended on one side ends on the other. close_notify to the service
 * waits for its own: many take it for the end of everything, the answer to the
 * last request included.
 */
static enum outcome
pass_ends(struct converter *c)
{
	if (c->up_end && !c->shut && is_hung_up(c))
		return BROKEN;
	if (c->down_end && c->down.n == 0 && !c->shut) {
		c->shut = true;
		shutdown(c->plain, SHUT_WR);
	}
	return STUCK;
}

/* Move what there is to move. False: it has ended, and c is gone. */
static bool
run(struct converter *c)
{
	static enum outcome (*const steps[])(struct converter *c) = {
		shake_hands, move_down, move_up, pass_ends
	};
	bool moved = true;

	for (int i = 0; i < STEPS && moved; i++) {
		moved = false;
		for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
			enum outcome o;

			if (k > 0 && !c->ready)
				break;
			if ((o = steps[k](c)) == BROKEN) {
				end(c, true);
				return false;
			}
			moved |= o == MOVED;
		}
	}
	if (c->shut && (c->up_dead || (c->up_end && c->up.n == 0))) {
		end(c, c->up_dead);
		return false;
	}
	if (moved) /* edge triggered: nobody would call again */
		event_active(c->net_ev, EV_READ, 0);
	if (c->up.n == 0)
		release(&c->up);
	if (c->down.n == 0)
		release(&c->down);
	return true;
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct converter *c = arg;

	(void)fd;
	(void)what;
	/* It may go away before the handshake is over. */
	if (!c->ready && is_hung_up(c))
		end(c, true);
	else
		run(c);
}

/* Whom to expect: a name, which is also asked for, or an address. */
static int
expect(SSL *ssl, const char *name)
{
	struct addr a;

	if (addr_parse_ip(&a, name) == 0)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name);
	return SSL_set1_host(ssl, name) == 1 &&
	    SSL_set_tlsext_host_name(ssl, name) == 1;
}

int
converter_start(
    struct event_base *base, SSL_CTX *ctx, const char *name, int net, int plain)
{
	const short what = EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST;
	struct converter *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		goto err0;
	strncpy(c->name, name, sizeof(c->name) - 1);
	c->net = net;
	c->plain = plain;
	if ((c->ssl = SSL_new(ctx)) == NULL)
		goto err1;
	if (SSL_set_fd(c->ssl, net) != 1 || expect(c->ssl, name) != 1)
		goto err2;
	SSL_set_connect_state(c->ssl);
	c->net_ev = event_new(base, net, what, on_event, c);
	c->plain_ev = event_new(base, plain, what, on_event, c);
	if (c->net_ev == NULL || c->plain_ev == NULL ||
	    event_add(c->net_ev, NULL) == -1 ||
	    event_add(c->plain_ev, NULL) == -1) {
		end(c, true);
		return -1;
	}
	event_active(c->net_ev, EV_WRITE, 0);
	return 0;

err2:
	SSL_free(c->ssl);
err1:
	free(c);
err0:
	close(net);
	close(plain);
	return -1;
}
