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
#include "common/http/peek.h"
#include "worker/edge/answer.h"

static void on_event(evutil_socket_t fd, short what, void *arg);

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

/* fd is in no epoll set any more. */
static void
let_go(struct edge *e, uint32_t id, int fd, const struct verdict *v)
{
	struct answer a = {
		.status = v->status, .text = v->text, .range = v->range
	};

	send_verdict(e, id, v);
	if (v->kind == VERDICT_REFUSE)
		answer_begin(e, id, fd, &a);
	else
		close(fd);
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
look(struct edge *e, int fd, struct verdict *v, size_t *n)
{
	/* One more than a head may have: so that too long is seen as such. */
	ssize_t got =
	    recv(fd, e->bytes, e->rules.head_max + 1, MSG_PEEK | MSG_DONTWAIT);

	*n = got > 0 ? (size_t)got : 0;
	memset(v, 0, sizeof(*v));
	if (got == 0)
		drop(v, END_CLEAN);
	else if (got == -1 && errno != EAGAIN && errno != EINTR)
		drop(v, END_RESET);
}

/*
 * Whether judging n bytes can tell more than judging the first c->judged of
 * them did: a line is empty, or much has come. So a head that comes in drops
 * costs no more than reading it twice.
 */
static bool
worth_judging(const struct edge_conn *c, const uint8_t *p, size_t n)
{
	size_t i = c->seen < 2 ? 0 : c->seen - 2;

	if (n < 2 * PREFACE_MAX || n >= 2 * (size_t)c->judged ||
	    n > c->edge->rules.head_max)
		return true;
	for (; i + 1 < n; i++)
		if (p[i] == '\n' && (p[i + 1] == '\r' || p[i + 1] == '\n'))
			return true;
	return false;
}

/* The peer sends no more, and it was not enough. */
static void
judge_ended(struct verdict *v, const uint8_t *p, size_t n)
{
	if (peek_kind(p, n) != PEEK_HTTP) {
		drop(v, END_GARBAGE);
		return;
	}
	v->kind = VERDICT_REFUSE;
	v->status = 400;
	v->text = "the request is incomplete";
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct edge_conn *c = arg;
	struct edge *e = c->edge;
	uint32_t id = c->id;
	struct verdict v;
	size_t n;

	look(e, fd, &v, &n);
	if (v.kind == 0 && n > 0) {
		if ((what & EV_CLOSED) != 0 || worth_judging(c, e->bytes, n)) {
			verdict_give(&v, &e->head, &e->rules, e->bytes, n);
			c->judged = (uint32_t)n;
		}
		if (v.kind == 0 && (what & EV_CLOSED) != 0)
			judge_ended(&v, e->bytes, n);
		/* A reset leaves what came before it to be read. */
		if (v.kind == 0 && n == c->seen && edge_is_over(fd))
			drop(&v, END_RESET);
		c->seen = (uint32_t)n;
	}
	if (v.kind != 0)
		let_go(e, id, edge_release(c), &v);
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
visitor_new(struct edge *e, uint32_t id, int fd)
{
	struct edge_conn *c;
	struct verdict v;
	size_t n;

	look(e, fd, &v, &n);
	if (n > 0)
		verdict_give(&v, &e->head, &e->rules, e->bytes, n);
	if (v.kind == 0) {
		make_room(e);
		c = edge_hold(e, id, fd, &e->waiting, on_event);
		if (c != NULL) {
			c->seen = c->judged = (uint32_t)n;
			return;
		}
		drop(&v, END_LIMIT);
	}
	let_go(e, id, fd, &v);
}

void
visitor_expired(struct edge_conn *c)
{
	struct edge *e = c->edge;
	uint32_t id = c->id;
	struct verdict v;
	size_t n;

	look(e, c->fd, &v, &n);
	if (v.kind == 0 && n > 0 && peek_kind(e->bytes, n) == PEEK_HTTP) {
		v.kind = VERDICT_REFUSE;
		v.status = 408;
	} else if (v.kind == 0) {
		drop(&v, END_TIMEOUT);
	}
	let_go(e, id, edge_release(c), &v);
}

void
visitor_drop(struct edge_conn *c, enum msg_end end)
{
	struct edge *e = c->edge;
	uint32_t id = c->id;
	struct verdict v;

	drop(&v, end);
	let_go(e, id, edge_release(c), &v);
}
