/* What becomes of a connection whose TLS is up. */
#include "master/tls_plain.h"

#include <sys/socket.h>

#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "master/api.h"
#include "master/edge.h"
#include "master/listeners.h"
#include "master/visit.h"
#include "master/workers.h"

#define TLS13 0x0304 /* ProtocolVersion (RFC 8446, 4.1.2) */

/* What HANDSHAKED says. */
struct handshaked {
	uint8_t late;
	uint16_t version;
	const char *name, *alpn, *exporter;
	size_t name_len, alpn_len, exporter_len;
};

static int
get_handshaked(struct handshaked *h, const struct msg *msg)
{
	struct buf b;

	buf_read(&b, msg->p, msg->n);
	buf_get_u8(&b, &h->late);
	buf_get_u16(&b, &h->version);
	buf_get_str8(&b, &h->name, &h->name_len);
	buf_get_str8(&b, &h->alpn, &h->alpn_len);
	buf_get_str8(&b, &h->exporter, &h->exporter_len);
	return buf_done(&b) && h->late <= 1 &&
		(h->exporter_len == 0 || h->exporter_len == MSG_EXPORTER)
	    ? 0
	    : -1;
}

/*
 * The plain end of c is a connection of its own, of the same user; what it
 * is from now on, it is without c.
 */
static struct conn *
make_plain(struct master *m, struct conn *c, int *converters)
{
	struct conn *plain;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		fds) == -1)
		return NULL;
	if ((plain = conns_add(m->conns, fds[0], &c->who)) == NULL)
		close(fds[1]);
	else
		*converters = fds[1];
	if (plain != NULL)
		plain->kind = c->kind;
	return plain;
}

static void
log_handshake(const struct conn *c, const struct handshaked *h)
{
	char peer[ADDR_TEXT], name[TEXT_ESCAPED];

	log_debug("%s: TLS 1.%d, server name %s",
	    addr_format(peer, &c->who.peer), h->version >= TLS13 ? 3 : 2,
	    h->name_len > 0 ? text_escape(name, h->name, h->name_len) : "none");
}

/* It is nobody's user. */
static void
give_to_api(struct master *m, struct conn *c, struct worker *w)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		fds) == -1) {
		worker_send(w, MSG_TLS_NO, c->id, NULL, 0);
		return;
	}
	worker_send_fd(w, MSG_TLS_PLAIN, c->id, NULL, 0, fds[1]);
	api_take(m, fds[0]);
}

int
tls_plain_on_handshaked(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct master *m = w->master;
	struct conn *c = conns_find(m->conns, msg->id), *plain;
	struct handshaked h;
	int fd = -1;

	if (c == NULL || c->worker != w || c->state != CONN_TLS ||
	    get_handshaked(&h, msg) == -1)
		return -1;
	log_handshake(c, &h);
	c->state = CONN_CONVERTED;
	if (c->kind == LISTENER_API) {
		give_to_api(m, c, w);
		return 0;
	}
	if ((plain = make_plain(m, c, &fd)) == NULL) {
		worker_send(w, MSG_TLS_NO, c->id, NULL, 0);
		return 0;
	}
	worker_send_fd(w, MSG_TLS_PLAIN, c->id, NULL, 0, fd);
	if (c->who.scheme == SCHEME_TLS)
		visit_plain(m, plain);
	else if (h.late)
		edge_answer(m, plain, 408);
	else
		edge_place(m, plain);
	return 0;
}
