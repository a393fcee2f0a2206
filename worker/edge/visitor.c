/*
 * A connection from its arrival to its verdict. Its bytes stay in the kernel:
 * whoever gets it next reads them. The descriptor is shared with the master,
 * so letting go means, in this order: out of epoll, verdict, close.
 */
#include "worker/edge/visitor.h"

#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "worker/edge/answer.h"

static void
send_verdict(struct edge *e, uint32_t id, const struct verdict *v)
{
	uint8_t p[2 + TICKET_ID + HOST_NAME_SIZE];
	struct buf b;

	buf_write(&b, p, sizeof(p));
	buf_put_u8(&b, v->kind);
	switch (v->kind) {
	case VERDICT_TUNNEL:
		buf_put_u8(&b, v->preface.kind);
		buf_put(&b, v->preface.ticket, TICKET_ID);
		break;
	case VERDICT_ROUTE:
		buf_put_cstr8(&b, v->name);
		break;
	case VERDICT_REFUSE:
		buf_put_u16(&b, v->status);
		break;
	default:
		buf_put_u8(&b, v->end);
		break;
	}
	serve_send(&e->serve, MSG_VERDICT, id, p, buf_used(&b));
}

/* Whom the header in front of it speaks of; the verdict follows. */
static void
send_origin(struct edge *e, uint32_t id, const struct proxy_header *h)
{
	uint8_t p[2 + 2 * ADDR_WIRE];
	struct buf b;

	buf_write(&b, p, sizeof(p));
	buf_put_u16(&b, (uint16_t)h->n);
	if (h->known) {
		addr_put(&b, &h->peer);
		addr_put(&b, &h->local);
	}
	serve_send(&e->serve, MSG_ORIGIN, id, p, buf_used(&b));
}

/* Its descriptor is in no epoll set any more. */
static void
let_go(struct edge *e, const struct edge_arrival *to, const struct verdict *v)
{
	struct answer a = { .status = v->status,
		.text = v->text,
		.alert = v->alert,
		.range = v->range,
		.skip = (uint16_t)v->proxy.n,
		.peer = v->proxy.n > 0 && v->proxy.known ? v->proxy.peer
							 : to->peer };
	char peer[ADDR_TEXT];

	if (v->proxy.n > 0)
		send_origin(e, to->id, &v->proxy);
	else if (v->end == END_GARBAGE && (to->flags & EDGE_PROXIED) != 0)
		log_info("%s: no header of the PROXY protocol came first",
		    addr_format(peer, &to->peer));
	send_verdict(e, to->id, v);
	if (v->kind == VERDICT_REFUSE)
		answer_begin(e, to->id, to->fd, &a);
	else
		close(to->fd);
}

/* It is held no longer. */
static void
release(struct edge_conn *c, const struct verdict *v)
{
	struct edge *e = c->edge;
	struct edge_arrival a = {
		.id = c->id, .flags = c->flags, .peer = c->peer
	};

	a.fd = edge_release(c);
	let_go(e, &a, v);
}

static void
drop(struct verdict *v, enum msg_end end)
{
	memset(v, 0, sizeof(*v));
	v->kind = VERDICT_DROP;
	v->end = (uint8_t)end;
}

/*
 * Look at what is there; v->kind is 0 if it is too little. `n` becomes how
 * much it is.
 */
static void
look(struct edge *e, int fd, uint8_t flags, struct verdict *v, size_t *n)
{
	ssize_t got = recv(fd, e->bytes, verdict_bytes(&e->rules, flags),
	    MSG_PEEK | MSG_DONTWAIT);

	*n = got > 0 ? (size_t)got : 0;
	memset(v, 0, sizeof(*v));
	if (got == 0)
		drop(v, END_CLEAN);
	else if (got == -1 && errno != EAGAIN && errno != EINTR)
		drop(v, END_RESET);
}

/*
 * Whether judging n bytes can tell more than judging the first c->judged of
 * them did: as many are there as it takes, a line is empty, or much has come.
 * So a head that comes in drops costs no more than reading it twice.
 */
static bool
worth_judging(const struct edge_conn *c, const uint8_t *p, size_t n)
{
	size_t i = c->seen < c->skip + 2u ? c->skip : c->seen - 2;

	if (c->need > 0)
		return n >= c->need;
	if ((c->flags & EDGE_PROXIED) != 0 && c->skip == 0)
		return true;
	if (n - c->skip < 2 * PREFACE_MAX ||
	    n - c->skip >= 2 * ((size_t)c->judged - c->skip) ||
	    n - c->skip > c->edge->rules.head_max)
		return true;
	for (; i + 1 < n; i++)
		if (p[i] == '\n' && (p[i + 1] == '\r' || p[i + 1] == '\n'))
			return true;
	return false;
}

/* It has to wait: remember what is known of its n bytes. */
static void
note(struct edge_conn *c, const struct verdict *v, size_t n)
{
	c->judged = (uint32_t)n;
	c->need = (uint32_t)v->need;
	c->skip = (uint16_t)v->proxy.n;
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct edge_conn *c = arg;
	struct edge *e = c->edge;
	bool ended = (what & EV_CLOSED) != 0;
	struct verdict v;
	size_t n;

	look(e, fd, c->flags, &v, &n);
	if (v.kind == 0 && n > 0) {
		if (ended || worth_judging(c, e->bytes, n)) {
			verdict_give(
			    &v, &e->head, &e->rules, c->flags, e->bytes, n);
			note(c, &v, n);
		}
		if (v.kind == 0 && ended)
			verdict_late(
			    &v, &e->rules, c->flags, e->bytes, n, true);
		/* A reset leaves what came before it to be read. */
		if (v.kind == 0 && n == c->seen && edge_is_over(fd))
			drop(&v, END_RESET);
		c->seen = (uint32_t)n;
	}
	if (v.kind != 0)
		release(c, &v);
}

/* Too many wait: whoever has had the longest chance goes. */
static void
make_room(struct edge *e)
{
	struct deadline *oldest;

	if (e->held < e->max)
		return;
	if ((oldest = deadlines_due(&e->waiting, UINT64_MAX)) != NULL)
		visitor_drop((struct edge_conn *)oldest, END_LIMIT);
	else if ((oldest = deadlines_due(&e->closing, UINT64_MAX)) != NULL)
		answer_expired((struct edge_conn *)oldest);
}

void
visitor_new(struct edge *e, const struct edge_arrival *a)
{
	struct edge_conn *c;
	struct verdict v;
	size_t n;

	look(e, a->fd, a->flags, &v, &n);
	if (n > 0)
		verdict_give(&v, &e->head, &e->rules, a->flags, e->bytes, n);
	if (v.kind == 0) {
		make_room(e);
		c = edge_hold(e, a->id, a->fd, &e->waiting, on_event);
		if (c != NULL) {
			c->flags = a->flags;
			c->peer = a->peer;
			c->seen = (uint32_t)n;
			note(c, &v, n);
			return;
		}
		drop(&v, END_LIMIT);
	}
	let_go(e, a, &v);
}

void
visitor_expired(struct edge_conn *c)
{
	struct edge *e = c->edge;
	struct verdict v;
	size_t n;

	look(e, c->fd, c->flags, &v, &n);
	if (v.kind == 0)
		verdict_late(&v, &e->rules, c->flags, e->bytes, n, false);
	release(c, &v);
}

void
visitor_drop(struct edge_conn *c, enum msg_end end)
{
	struct verdict v;

	drop(&v, end);
	release(c, &v);
}
