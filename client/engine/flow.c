/* The other end of a stream of datagrams. */
#include "client/engine/flow.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/engine/flow_io.h"
#include "client/engine/rules.h"
#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/net/datagram.h"
#include "common/tunnel/tunnel.h"

#define EARLY_FIRST 4096

static void
bury(void *arg)
{
	free(arg);
}

static void
free_early(struct flow *f)
{
	free(f->early);
	f->early = NULL;
	f->engine->early -= f->early_size;
	f->early_size = f->nearly = 0;
}

/* Close it; the stream is already gone. */
static void
drop(struct flow *f)
{
	struct engine *e = f->engine;

	if (f->dial != 0)
		idmap_take(&e->flow_dials, f->dial);
	if (f->fd != -1) {
		event_del(&f->ev);
		close(f->fd);
		f->fd = -1;
	}
	f->dead = true;
	deadline_drop(&f->deadline);
	free_early(f);
	rules_give(f->rules);
	LIST_REMOVE(f, link);
	e->nflows--;
	engine_bury(e, &f->grave, bury, f);
	engine_settle(e);
}

static void
abandon(struct flow *f, enum reset reason)
{
	struct stream *s = f->stream;

	f->stream = NULL;
	drop(f);
	stream_end(s, reason);
}

void
flow_touch(struct flow *f)
{
	if (f->rules->conf.timeout > 0)
		deadline_set(
		    &f->rules->idle, &f->deadline, turn_now(f->engine->turn));
}

void
flow_complain(struct flow *f, const char *why)
{
	uint64_t now = turn_now(f->engine->turn);
	struct rules *r = f->rules;

	if (r->complained != 0 && now < r->complained + FLOW_COMPLAIN_US)
		return;
	r->complained = now;
	log_warnx("%s: %s", r->conf.label, why);
}

/* Ask the parent for a socket. */
static int
dial(struct flow *f, const struct tunnel_open *o)
{
	struct engine *e = f->engine;
	uint8_t payload[7];
	struct buf b;

	do
		f->dial = ++e->dial;
	while (f->dial == 0 || idmap_get(&e->dials, f->dial) != NULL ||
	    idmap_get(&e->flow_dials, f->dial) != NULL);
	buf_write(&b, payload, sizeof(payload));
	buf_put_u16(&b, f->rules->conf.index);
	buf_put_u8(&b, 0);
	buf_put_u16(&b, o->local.port);
	buf_put_u8(&b, 0);
	buf_put_str8(&b, "", 0);
	deadline_set(&e->flow_waits, &f->deadline, turn_now(e->turn));
	if (idmap_put(&e->flow_dials, f->dial, f) == -1)
		return -1;
	return chan_send(e->chan, MSG_DIAL, f->dial, payload, buf_used(&b), -1);
}

void
flow_open(struct engine *e, struct stream *s, const struct tunnel_open *o)
{
	struct rules *rules;
	struct flow *f;

	if (e->stopping || (rules = rules_take(e, o->service)) == NULL) {
		stream_end(s, e->stopping ? RESET_GONE : RESET_NO_SERVICE);
		return;
	}
	if (!rules->conf.datagrams || e->nflows >= FLOW_MAX ||
	    (f = calloc(1, sizeof(*f))) == NULL) {
		stream_end(
		    s, rules->conf.datagrams ? RESET_LIMIT : RESET_NO_SERVICE);
		rules_give(rules);
		return;
	}
	f->engine = e;
	f->rules = rules;
	f->stream = s;
	f->fd = -1;
	LIST_INSERT_HEAD(&e->flows, f, link);
	e->nflows++;
	stream_set_owner(s, f);
	if (dial(f, o) == -1)
		abandon(f, RESET_LIMIT);
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	flow_io_receive(arg);
}

/* Send what came before there was a socket. */
static void
send_early(struct flow *f)
{
	size_t at = 0;

	while (at < f->nearly) {
		struct iovec iov;
		uint32_t n;

		memcpy(&n, f->early + at, sizeof(n));
		iov.iov_base = f->early + at + sizeof(n);
		iov.iov_len = n;
		flow_io_send(f, &iov, 1);
		at += sizeof(n) + n;
	}
	free_early(f);
}

bool
flow_dialed(struct engine *e, uint32_t number, int fd)
{
	struct flow *f = idmap_take(&e->flow_dials, number);

	if (f == NULL)
		return false;
	f->dial = 0;
	deadline_drop(&f->deadline);
	if (fd == -1) {
		flow_complain(f, strerror(EMFILE));
		abandon(f, RESET_LIMIT);
		return true;
	}
	if (event_assign(
		&f->ev, e->base, fd, EV_READ | EV_PERSIST, on_event, f) == -1 ||
	    event_add(&f->ev, NULL) == -1) {
		close(fd);
		abandon(f, RESET_LIMIT);
		return true;
	}
	f->fd = fd;
	flow_touch(f);
	stream_opened(f->stream);
	send_early(f);
	return true;
}

bool
flow_refused(struct engine *e, uint32_t number, int err)
{
	struct flow *f = idmap_take(&e->flow_dials, number);

	if (f == NULL)
		return false;
	f->dial = 0;
	flow_complain(f, err != 0 ? strerror(err) : "no address");
	abandon(f,
	    err == EMFILE || err == ENFILE || err == ENOBUFS
		? RESET_LIMIT
		: RESET_UNREACHABLE);
	return true;
}

/* Room for n more bytes behind those that are kept. */
static int
make_early(struct flow *f, size_t n)
{
	size_t size = f->early_size == 0 ? EARLY_FIRST : f->early_size;
	uint8_t *more;

	if (f->nearly + n > FLOW_EARLY_MAX)
		return -1;
	while (size < f->nearly + n)
		size *= 2;
	if (size == f->early_size)
		return 0;
	if (f->engine->early + size - f->early_size > FLOW_EARLY_ALL ||
	    (more = realloc(f->early, size)) == NULL)
		return -1;
	f->engine->early += size - f->early_size;
	f->early = more;
	f->early_size = size;
	return 0;
}

/* Keep one until the socket is there; it is lost if that is too much. */
static void
keep(struct flow *f, const struct iovec *iov)
{
	uint32_t n = (uint32_t)iov->iov_len;

	if (make_early(f, sizeof(n) + n) == -1) {
		f->dropped++;
		return;
	}
	memcpy(f->early + f->nearly, &n, sizeof(n));
	if (n > 0)
		memcpy(f->early + f->nearly + sizeof(n), iov->iov_base, n);
	f->nearly += sizeof(n) + n;
}

void
flow_dgrams(void *flow, const struct iovec *iov, int n)
{
	struct flow *f = flow;

	if (f->fd != -1) {
		flow_touch(f);
		flow_io_send(f, iov, n);
		return;
	}
	for (int i = 0; i < n; i++)
		keep(f, &iov[i]);
}

void
flow_reset(void *flow, enum reset reason)
{
	struct flow *f = flow;

	(void)reason;
	f->stream = NULL;
	drop(f);
}

void
flow_lost(void *flow)
{
	((struct flow *)flow)->dropped++;
}

static struct flow *
of_deadline(struct deadline *d)
{
	return (struct flow *)((char *)d - offsetof(struct flow, deadline));
}

void
flow_expired(struct deadline *d)
{
	abandon(of_deadline(d), RESET_TIMEOUT);
}

void
flow_tick(struct engine *e)
{
	struct deadline *d;

	while ((d = deadlines_due(&e->flow_waits, turn_now(e->turn))) != NULL)
		abandon(of_deadline(d), RESET_TIMEOUT);
}

void
flow_each(struct engine *e, local_fn *fn, void *arg)
{
	struct flow *f;

	LIST_FOREACH(f, &e->flows, link)
	{
		struct local_info i = {
			.label = f->rules->conf.label,
			.up = f->up,
			.down = f->down,
			.dropped = f->dropped +
			    (f->fd == -1 ? 0 : datagram_dropped(f->fd)),
			.tunnel = stream_tunnel(f->stream),
			.id = stream_id(f->stream),
			.connected = f->fd != -1,
		};

		fn(arg, &i);
	}
}
