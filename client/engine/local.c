/* The other end of a stream: a connection to the local service. */
#include "client/engine/local.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/engine/edit.h"
#include "client/engine/rules.h"
#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/net/dial.h"
#include "common/net/outq.h"
#include "common/net/sockopt.h"

#define READ_SMALL 16384 /* bytes to read at once, at first */
#define READ_LARGE 65536 /* and when that much was there */

enum state {
	DIALING,    /* the parent opens a socket */
	CONNECTING, /* it is there, and connects */
	UP,
	DEAD /* will be freed at the end of the turn */
};

struct local {
	struct engine *engine;
	struct rules *rules;
	struct stream *stream; /* NULL once it has ended */
	LIST_ENTRY(local) link;
	struct event ev;
	struct turn_item item; /* read on; at last, free */
	struct outq out;       /* for the service */
	struct edit *edit;     /* NULL: bytes pass untouched */
	struct deadline deadline;
	uint64_t up, down; /* bytes to the service and from it */
	size_t owed;	   /* received, in `out`, without credit yet (edit) */
	uint32_t dial;	   /* its number while DIALING */
	int fd;
	int err; /* how the last attempt to connect has failed */
	uint8_t state, attempt;
	bool closed; /* the service's end was announced: read on to it */
	bool eof;    /* ... and read: FIN was sent */
	bool fin;    /* FIN was received */
	bool shut;   /* ... and passed on */
	bool large;  /* the last read was a full one */
};

static void
bury(void *arg)
{
	free(arg);
}

/* Close it; the stream is already gone. `reset`: the service is to see it. */
static void
drop(struct local *l, bool reset)
{
	struct engine *e = l->engine;

	if (l->state == DIALING)
		idmap_take(&e->dials, l->dial);
	l->state = DEAD;
	if (l->fd != -1) {
		event_del(&l->ev);
		sockopt_reset_on_close(l->fd, reset);
		close(l->fd);
		l->fd = -1;
	}
	deadline_drop(&l->deadline);
	outq_free(&l->out);
	edit_free(l->edit);
	rules_give(l->rules);
	LIST_REMOVE(l, link);
	turn_cancel(&l->item);
	turn_item_init(&l->item, bury, l);
	turn_end(e->turn, &l->item);
	engine_settle(e);
}

/* End both sides, telling the server why. */
static void
abandon(struct local *l, enum reset reason)
{
	struct stream *s = l->stream;

	l->stream = NULL;
	drop(l, true);
	if (s != NULL)
		stream_end(s, reason);
}

/* Both directions have ended in order. */
static void
finish(struct local *l)
{
	struct stream *s = l->stream;

	l->stream = NULL;
	drop(l, false);
	stream_end(s, RESET_ABORT); /* clean: nothing is sent */
}

static void
touch(struct local *l)
{
	if (l->rules->conf.timeout > 0)
		deadline_set(
		    &l->rules->idle, &l->deadline, turn_now(l->engine->turn));
}

/* Ask the parent for a connection. */
static void
dial(struct local *l)
{
	struct engine *e = l->engine;
	uint8_t payload[3];
	struct buf b;

	do
		l->dial = ++e->dial;
	while (l->dial == 0 || idmap_get(&e->dials, l->dial) != NULL);
	l->state = DIALING;
	buf_write(&b, payload, sizeof(payload));
	buf_put_u16(&b, l->rules->conf.index);
	buf_put_u8(&b, l->attempt);
	deadline_set(&e->connecting, &l->deadline, turn_now(e->turn));
	if (idmap_put(&e->dials, l->dial, l) == -1 ||
	    chan_send(
		e->chan, MSG_DIAL, l->dial, payload, sizeof(payload), -1) == -1)
		abandon(l, RESET_LIMIT);
}

static enum reset
reason_of(int err)
{
	switch (err) {
	case ECONNREFUSED:
	case ENOENT: /* no such socket in the file system */
	case ECONNRESET:
		return RESET_REFUSED;
	case ETIMEDOUT:
		return RESET_TIMEOUT;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EAGAIN: /* the backlog of a unix socket is full */
		return RESET_LIMIT;
	default:
		return RESET_UNREACHABLE;
	}
}

/* There is no connection to be had. */
static void
give_up(struct local *l, int err)
{
	log_warnx("%s: %s", l->rules->conf.label, strerror(err));
	abandon(l, reason_of(err));
}

/* Send what waits, and then what had to wait behind it. */
static int
push(struct local *l)
{
	ssize_t sent = outq_flush(&l->out, l->fd);

	if (sent == -1) {
		abandon(l, RESET_ABORT);
		return -1;
	}
	l->up += (uint64_t)sent;
	if (l->edit == NULL) {
		if (sent > 0)
			stream_consumed(l->stream, (size_t)sent);
	} else if (l->owed > 0 && outq_left(&l->out) == 0) {
		stream_consumed(l->stream, l->owed);
		l->owed = 0;
	}
	if (l->state != UP) /* the tunnel broke, and we with it */
		return -1;
	if (!l->fin || l->shut || outq_left(&l->out) > 0)
		return 0;
	l->shut = true;
	shutdown(l->fd, SHUT_WR);
	if (!l->eof)
		return 0;
	finish(l);
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
			abandon(l, RESET_PROTOCOL);
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
		abandon(l, RESET_PROTOCOL);
	else
		push(l);
}

/* The service has sent its last byte. */
static void
take_eof(struct local *l)
{
	l->eof = true;
	stream_fin(l->stream);
	if (l->state == UP && l->shut)
		finish(l);
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
		if (errno != EAGAIN && errno != EINTR)
			abandon(l, RESET_ABORT);
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
	if (l->state != UP) /* the tunnel broke, and we with it */
		return true;
	l->down += (uint64_t)n;
	l->large = (size_t)n == room;
	touch(l);
	if (l->large || l->closed)
		turn_next(l->engine->turn, &l->item);
	if (go_on)
		resume(l);
	return true;
}

static void
on_turn(void *arg)
{
	struct local *l = arg;

	if (l->state == UP && !l->eof)
		pull(l);
}

/* Connected, or not: then the next address, if there is one. */
static void
connected(struct local *l)
{
	if (dial_result(l->fd) == -1) {
		l->err = errno;
		event_del(&l->ev);
		close(l->fd);
		l->fd = -1;
		l->attempt++;
		dial(l);
		return;
	}
	l->state = UP;
	deadline_drop(&l->deadline);
	touch(l);
	stream_opened(l->stream);
	if (l->state == UP)
		push(l);
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct local *l = arg;

	(void)fd;
	if (l->state == CONNECTING)
		connected(l);
	else if ((what & EV_WRITE) && outq_left(&l->out) > 0)
		push(l);
	if (l->state != UP)
		return;
	if (what & EV_CLOSED)
		l->closed = true;
	if ((what & (EV_READ | EV_CLOSED)) == 0)
		return;
	/* Nothing can be read any more, or yet: is there still somebody? */
	if ((l->eof || !pull(l)) && dial_result(l->fd) == -1)
		abandon(l, RESET_ABORT);
}

void
local_open(struct engine *e, struct stream *s, const struct tunnel_open *o)
{
	struct rules *rules;
	struct local *l;

	if (e->stopping || (rules = rules_take(e, o->service)) == NULL) {
		stream_end(s, e->stopping ? RESET_GONE : RESET_NO_SERVICE);
		return;
	}
	if ((l = calloc(1, sizeof(*l))) == NULL ||
	    (rules_edit(rules) && (l->edit = edit_new(rules)) == NULL)) {
		free(l);
		rules_give(rules);
		stream_end(s, RESET_LIMIT);
		return;
	}
	l->engine = e;
	l->rules = rules;
	l->stream = s;
	l->fd = -1;
	turn_item_init(&l->item, on_turn, l);
	LIST_INSERT_HEAD(&e->locals, l, link);
	stream_set_owner(s, l);
	dial(l);
}

void
local_dialed(struct engine *e, uint32_t number, int fd)
{
	struct local *l = idmap_take(&e->dials, number);

	if (l == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	/* It is not waiting for that number any more. */
	l->state = CONNECTING;
	if (fd == -1) {
		give_up(l, EMFILE);
		return;
	}
	l->fd = fd;
	if (event_assign(&l->ev, e->base, fd,
		EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, on_event,
		l) == -1 ||
	    event_add(&l->ev, NULL) == -1) {
		close(fd);
		l->fd = -1;
		give_up(l, ENOMEM);
	}
}

void
local_refused(struct engine *e, uint32_t number, int err)
{
	struct local *l = idmap_take(&e->dials, number);

	if (l == NULL)
		return;
	l->state = CONNECTING;
	/* 0: that was the last address; why, we know better. */
	give_up(l, err != 0 ? err : l->err != 0 ? l->err : EHOSTUNREACH);
}

/* Credit for what went into `out` through `edit`, when it has left. */
static void
settle_credit(struct local *l, size_t total)
{
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

	touch(l);
	if (l->edit != NULL) {
		for (int i = 0; i < n; i++) {
			if (edit_request(l->edit, iov[i].iov_base,
				iov[i].iov_len, &l->out) == -1) {
				abandon(l, RESET_PROTOCOL);
				return;
			}
		}
		if (l->state != UP || push(l) == 0)
			settle_credit(l, total);
		return;
	}
	if (l->state != UP) {
		if (outq_add(&l->out, iov, n) == -1)
			abandon(l, RESET_LIMIT);
		return;
	}
	sent = outq_send(&l->out, l->fd, iov, n);
	if (sent == -1) {
		abandon(l, RESET_ABORT);
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
	if (l->state == UP)
		push(l);
}

void
local_reset(void *local, enum reset reason)
{
	struct local *l = local;

	(void)reason;
	l->stream = NULL;
	drop(l, true);
}

void
local_room(void *local)
{
	on_turn(local);
}

static struct local *
of_deadline(struct deadline *d)
{
	return (struct local *)((char *)d - offsetof(struct local, deadline));
}

void
local_tick(struct engine *e)
{
	uint64_t now = turn_now(e->turn);
	struct deadline *d;

	while ((d = deadlines_due(&e->connecting, now)) != NULL)
		give_up(of_deadline(d), ETIMEDOUT);
	for (struct rules *r = e->all_rules, *next; r != NULL; r = next) {
		next = r->next;
		/* Ending the last user may free r. */
		r->users++;
		while ((d = deadlines_due(&r->idle, now)) != NULL)
			abandon(of_deadline(d), RESET_TIMEOUT);
		rules_give(r);
	}
}

void
local_each(struct engine *e, local_fn *fn, void *arg)
{
	struct local *l;

	LIST_FOREACH(l, &e->locals, link)
	{
		struct local_info i = {
			.label = l->rules->conf.label,
			.up = l->up,
			.down = l->down,
			.tunnel = stream_tunnel(l->stream),
			.id = stream_id(l->stream),
			.connected = l->state == UP,
		};

		fn(arg, &i);
	}
}
