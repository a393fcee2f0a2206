/* One connection of the role tls: its handshake, and its first bytes. */
#include "worker/convert/tls_shake.h"

#include <sys/socket.h>

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/http/page.h"
#include "common/http/peek.h"
#include "common/net/proxy_header.h"

#define BINDING "EXPORTER-Channel-Binding" /* RFC 9266 */

/* Whoever speaks HTTP here is told, in HTTP. */
static void
answer_plainly(struct tls_conn *c)
{
	char out[PAGE_MAX];
	struct page page = { .status = 400,
		.text = "this port speaks HTTPS, not HTTP" };
	size_t n = page_make(out, sizeof(out), &page);

	if (write(c->net, out, n) == -1)
		log_debug("the answer to plain HTTP got lost");
}

void
tls_shake_log(struct tls_conn *c, const char *why)
{
	char peer[ADDR_TEXT];

	if (tls_may_log(c->tls))
		log_info("%s: TLS: %s", addr_format(peer, &c->peer), why);
}

/* libssl has sent the alert, if there is one for it. */
static void
fail(struct tls_conn *c)
{
	unsigned long code = ERR_peek_error();
	const char *why = ERR_reason_error_string(code);
	int reason = ERR_GET_REASON(code);

	ERR_clear_error();
	if (code == 0 || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		/* It went away, as those do who only try a port. */
		tls_conn_end(c, END_RESET, true);
		return;
	}
	tls_shake_log(c, why != NULL ? why : "the handshake failed");
	if (reason == SSL_R_HTTP_REQUEST)
		answer_plainly(c);
	tls_conn_linger(c);
}

void
tls_shake_offer(struct tls_conn *c, bool late)
{
	uint8_t payload[3 + 256 + 256 + 1 + MSG_EXPORTER];
	uint8_t exporter[MSG_EXPORTER];
	const char *name;
	const unsigned char *alpn;
	unsigned len = 0;
	bool bound = SSL_version(c->ssl) == TLS1_3_VERSION &&
	    SSL_export_keying_material(c->ssl, exporter, sizeof(exporter),
		BINDING, sizeof(BINDING) - 1, NULL, 0, 0) == 1;
	struct buf b;

	name = SSL_get_servername(c->ssl, TLSEXT_NAMETYPE_host_name);
	SSL_get0_alpn_selected(c->ssl, &alpn, &len);
	buf_write(&b, payload, sizeof(payload));
	buf_put_u8(&b, late);
	buf_put_u16(&b, (uint16_t)SSL_version(c->ssl));
	buf_put_cstr8(&b, name != NULL && strlen(name) < 256 ? name : "");
	buf_put_str8(&b, alpn, len);
	buf_put_str8(&b, exporter, bound ? sizeof(exporter) : 0);
	deadline_drop(&c->deadline);
	c->state = TLS_OFFERED;
	tls_conn_watch(c, 0, 0);
	serve_send(
	    &c->tls->serve, MSG_HANDSHAKED, c->id, payload, buf_used(&b));
}

/* What libssl says instead of a byte. False: *c is gone, or offered. */
static bool
read_failed(struct tls_conn *c, int ret)
{
	switch (SSL_get_error(c->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		tls_conn_watch(c, EV_READ, 0);
		return true;
	case SSL_ERROR_WANT_WRITE:
		tls_conn_watch(c, EV_WRITE, 0);
		return true;
	case SSL_ERROR_ZERO_RETURN:
		c->up_end = true;
		if (c->up.n > 0) {
			tls_shake_offer(c, false);
			return false;
		}
		SSL_shutdown(c->ssl);
		tls_conn_end(c, END_CLEAN, false);
		return false;
	default:
		ERR_clear_error();
		tls_conn_end(c, END_RESET, true);
		return false;
	}
}

void
tls_shake_gather(struct tls_conn *c)
{
	struct tls *t = c->tls;
	size_t seen;
	int n;

	for (;;) {
		ERR_clear_error();
		n = SSL_read(c->ssl, t->scratch, TLS_SCRATCH);
		if (n <= 0) {
			read_failed(c, n);
			return;
		}
		seen = c->up.n;
		if (tls_piece_add(&c->up, t->scratch, (size_t)n) == -1) {
			tls_conn_end(c, END_LIMIT, true);
			return;
		}
		if (peek_is_whole(c->up.p, c->up.n, seen, t->head_max)) {
			tls_shake_offer(c, false);
			return;
		}
	}
}

static void
shaken(struct tls_conn *c)
{
	/* What comes now never waits for a signature. */
	SSL_clear_mode(c->ssl, SSL_MODE_ASYNC);
	deadline_drop(&c->deadline);
	if (!msg_scheme_is_http(c->scheme)) {
		tls_shake_offer(c, false);
		return;
	}
	c->state = TLS_GATHERING;
	deadline_set(&c->tls->gathering, &c->deadline, clock_us());
	tls_shake_gather(c);
}

void
tls_shake_go(struct tls_conn *c)
{
	int ret;

	c->tls->asker.running = &c->ask;
	ERR_clear_error();
	ret = SSL_do_handshake(c->ssl);
	c->tls->asker.running = NULL;
	if (ret == 1) {
		shaken(c);
		return;
	}
	switch (SSL_get_error(c->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		tls_conn_watch(c, EV_READ, 0);
		break;
	case SSL_ERROR_WANT_WRITE:
		tls_conn_watch(c, EV_WRITE, 0);
		break;
	case SSL_ERROR_WANT_ASYNC:
		tls_conn_watch(c, 0, 0);
		break;
	default:
		fail(c);
	}
}

static void
send_origin(struct tls_conn *c, const struct proxy_header *h)
{
	uint8_t payload[2 + 2 * ADDR_WIRE];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	buf_put_u16(&b, (uint16_t)h->n);
	if (h->known) {
		addr_put(&b, &h->peer);
		addr_put(&b, &h->local);
		c->peer = h->peer;
	}
	serve_send(&c->tls->serve, MSG_ORIGIN, c->id, payload, buf_used(&b));
}

void
tls_shake_header(struct tls_conn *c)
{
	uint8_t *p = c->tls->scratch;
	struct proxy_header h;
	ssize_t n = recv(c->net, p, PROXY_HEADER_MAX, MSG_PEEK | MSG_DONTWAIT);
	int rc;

	if (n <= 0 && (n == 0 || (errno != EAGAIN && errno != EINTR))) {
		tls_conn_end(c, END_RESET, true);
		return;
	}
	rc = n > 0 ? proxy_header_parse(&h, p, (size_t)n) : 0;
	if (rc == 0) {
		tls_conn_watch(c, 0, 0); /* what is there stays there */
		return;
	}
	if (rc == -1 || read(c->net, p, h.n) != (ssize_t)h.n) {
		tls_shake_log(c, "no header of the PROXY protocol came first");
		tls_conn_end(c, END_GARBAGE, true);
		return;
	}
	send_origin(c, &h);
	c->state = TLS_SHAKING;
	tls_shake_go(c);
}

void
tls_shake_answered(struct ask *a)
{
	struct tls_conn *c = (struct tls_conn *)a;

	/* Many may come at a time: who moves bytes has its turn in between. */
	event_active(&c->net_ev, EV_READ, 0);
}
