/* The other end of a stream: a connection to the local service. */
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/engine/flow.h"
#include "client/engine/local_impl.h"
#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/net/dial.h"
#include "common/net/proxy_header.h"
#include "common/net/sockopt.h"

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

	if (l->state == LOCAL_DIALING)
		idmap_take(&e->dials, l->dial);
	l->state = LOCAL_DEAD;
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
	if (l->doubtful)
		LIST_REMOVE(l, doubt);
	turn_cancel(&l->item);
	turn_item_init(&l->item, bury, l);
	turn_end(e->turn, &l->item);
	engine_settle(e);
}

void
local_abandon(struct local *l, enum reset reason)
{
	struct stream *s = l->stream;

	l->stream = NULL;
	drop(l, true);
	if (s != NULL)
		stream_end(s, reason);
}

void
local_finish(struct local *l)
{
	struct stream *s = l->stream;

	l->stream = NULL;
	drop(l, false);
	stream_end(s, RESET_ABORT); /* clean: nothing is sent */
}

void
local_touch(struct local *l)
{
	if (l->rules->conf.timeout > 0)
		deadline_set(
		    &l->rules->idle, &l->deadline, turn_now(l->engine->turn));
}

/*
 * Ask the parent for a connection. It writes this header in front of it, for
 * we never see what a converter writes.
 */
static void
dial(struct local *l, const uint8_t *header, size_t n)
{
	struct engine *e = l->engine;
	uint8_t payload[7 + PROXY_HEADER_MADE];
	struct buf b;

	do
		l->dial = ++e->dial;
	while (l->dial == 0 || idmap_get(&e->dials, l->dial) != NULL ||
	    idmap_get(&e->flow_dials, l->dial) != NULL);
	l->state = LOCAL_DIALING;
	buf_write(&b, payload, sizeof(payload));
	buf_put_u16(&b, l->rules->conf.index);
	buf_put_u8(&b, l->attempt);
	buf_put_u16(&b, l->port);
	buf_put_u8(&b, l->raw);
	buf_put_str8(&b, header, n);
	deadline_set(&e->connecting, &l->deadline, turn_now(e->turn));
	if (idmap_put(&e->dials, l->dial, l) == -1 ||
	    chan_send(e->chan, MSG_DIAL, l->dial, payload, buf_used(&b), -1) ==
		-1)
		local_abandon(l, RESET_LIMIT);
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
	local_abandon(l, reason_of(err));
}

/* Connected, or not: then the next address, if there is one. */
static void
connected(struct local *l, short what)
{
	/* An error would be readable as well. */
	if ((what & (EV_READ | EV_CLOSED)) != 0 && dial_result(l->fd) == -1) {
		l->err = errno;
		event_del(&l->ev);
		close(l->fd);
		l->fd = -1;
		l->attempt++;
		dial(l, NULL, 0);
		return;
	}
	l->state = LOCAL_UP;
	deadline_drop(&l->deadline);
	local_touch(l);
	stream_opened(l->stream);
	local_io_push(l);
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct local *l = arg;

	(void)fd;
	if (l->state == LOCAL_CONNECTING)
		connected(l, what);
	if (l->state == LOCAL_UP)
		local_io_event(l, what);
}

/* Begin with the header that the service wants, if it wants one. */
static void
begin(struct local *l, const struct tunnel_open *o)
{
	uint8_t header[PROXY_HEADER_MADE];
	struct iovec iov = { header, 0 };

	iov.iov_len = proxy_header_make(header,
	    (enum proxy_version)l->rules->conf.proxy, &o->peer, &o->local);
	if (l->pair) {
		dial(l, header, iov.iov_len);
		return;
	}
	if (iov.iov_len > 0 && outq_add(&l->out, &iov, 1) == -1) {
		local_abandon(l, RESET_LIMIT);
		return;
	}
	l->own = (uint8_t)iov.iov_len;
	dial(l, NULL, 0);
}

void
local_open(struct engine *e, struct stream *s, const struct tunnel_open *o)
{
	struct rules *rules;
	struct local *l;

	if (o->scheme == SCHEME_UDP) {
		flow_open(e, s, o);
		return;
	}
	if (e->stopping || (rules = rules_take(e, o->service)) == NULL) {
		stream_end(s, e->stopping ? RESET_GONE : RESET_NO_SERVICE);
		return;
	}
	if (rules->conf.datagrams ||
	    (rules_edit(rules) && !msg_scheme_is_http(o->scheme))) {
		/* The server should not have let it through. */
		rules_give(rules);
		stream_end(s, RESET_REFUSED);
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
	if (o->scheme == SCHEME_TCP || o->scheme == SCHEME_TLS)
		l->port = o->local.port;
	/* The user's own TLS, for behind a CONNECT it begins with a hello. */
	l->raw = o->scheme == SCHEME_SNI || o->scheme == SCHEME_CONNECT;
	l->pair = rules->conf.pair && !l->raw;
	l->fd = -1;
	turn_item_init(&l->item, local_io_turn, l);
	LIST_INSERT_HEAD(&e->locals, l, link);
	stream_set_owner(s, l);
	begin(l, o);
}

void
local_dialed(struct engine *e, uint32_t number, int fd)
{
	struct local *l = idmap_take(&e->dials, number);

	if (l == NULL && flow_dialed(e, number, fd))
		return;
	if (l == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	/* It is not waiting for that number any more. */
	l->state = LOCAL_CONNECTING;
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

	if (l == NULL && flow_refused(e, number, err))
		return;
	if (l == NULL)
		return;
	l->state = LOCAL_CONNECTING;
	/* 0: that was the last address; why, we know better. */
	give_up(l, err != 0 ? err : l->err != 0 ? l->err : EHOSTUNREACH);
}

void
local_reset(void *local, enum reset reason)
{
	struct local *l = local;

	(void)reason;
	l->stream = NULL;
	drop(l, true);
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

	local_io_check(e);
	flow_tick(e);
	while ((d = deadlines_due(&e->connecting, now)) != NULL)
		give_up(of_deadline(d), ETIMEDOUT);
	for (struct rules *r = e->all_rules, *next; r != NULL; r = next) {
		next = r->next;
		/* Ending the last user may free r. */
		r->users++;
		while ((d = deadlines_due(&r->idle, now)) != NULL) {
			if (r->conf.datagrams)
				flow_expired(d);
			else
				local_abandon(of_deadline(d), RESET_TIMEOUT);
		}
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
			.connected = l->state == LOCAL_UP,
		};

		fn(arg, &i);
	}
}
