/* Role `udp`: its life, and what the master may send it. */
#include "worker/udp/udp.h"

#include <event2/event.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "worker/udp/batch.h"
#include "worker/udp/service.h"

#define TICK_US 250000

/* A frame came without its descriptor: this process may have no more. */
static bool
lost_fd(const struct msg *m)
{
	if (m->fd == -1)
		log_warnx("no descriptors left for another UDP port");
	return m->fd == -1;
}

static int
on_conf(void *arg, const struct msg *m)
{
	struct udp *u = arg;
	struct buf b;

	buf_read(&b, m->p, m->n);
	buf_get_u32(&b, &u->source_max);
	buf_get_u8(&b, &u->ntrusted);
	if (u->ntrusted > MSG_TRUSTED_MAX)
		return -1;
	for (size_t i = 0; i < u->ntrusted; i++)
		addr_block_get(&b, &u->trusted[i]);
	return buf_done(&b) ? 0 : -1;
}

static int
on_service(void *arg, const struct msg *m)
{
	struct udp *u = arg;
	uint32_t idle = 0;
	struct buf b;

	buf_read(&b, m->p, m->n);
	buf_get_u32(&b, &idle);
	if (lost_fd(m)) /* it will be tried again */
		serve_send(&u->serve, MSG_UDP_LOST, m->id, NULL, 0);
	else
		service_set(u, m->id, m->fd, idle);
	return 0;
}

static int
on_port(void *arg, const struct msg *m)
{
	struct addr local;
	struct buf b;

	buf_read(&b, m->p, m->n);
	if (addr_get(&b, &local) == -1)
		return -1;
	if (!lost_fd(m))
		service_port(arg, m->id, m->fd, &local);
	return 0;
}

static int
on_gone(void *arg, const struct msg *m)
{
	uint16_t port = 0;
	struct buf b;

	buf_read(&b, m->p, m->n);
	buf_get_u16(&b, &port);
	service_gone(arg, m->id, port);
	return 0;
}

/* Another has the sockets now: nothing here could end more politely. */
static int
on_drain(void *arg, const struct msg *m)
{
	struct udp *u = arg;

	(void)m;
	serve_send(&u->serve, MSG_DRAINED, 0, NULL, 0);
	turn_stop(u->turn);
	return 0;
}

static int
on_exit_now(void *arg, const struct msg *m)
{
	struct udp *u = arg;

	(void)m;
	turn_stop(u->turn);
	return 0;
}

static const chan_handler handlers[MSG_TYPES] = {
	[MSG_PING] = serve_ping,
	[MSG_LEVEL] = serve_level,
	[MSG_DRAIN] = on_drain,
	[MSG_EXIT] = on_exit_now,
	[MSG_UDP_CONF] = on_conf,
	[MSG_UDP_SERVICE] = on_service,
	[MSG_UDP_PORT] = on_port,
	[MSG_UDP_GONE] = on_gone,
};

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	service_tick(arg);
}

static void
on_ended(void *arg, const char *why)
{
	struct udp *u = arg;

	(void)why;
	turn_stop(u->turn);
}

static int
init(struct udp *u)
{
	if (sodium_init() == -1 || serve_init(&u->serve) == -1)
		return -1;
	u->turn = turn_new(u->serve.base);
	u->batch = batch_new();
	u->flows = flows_new(FLOWS_MAX, FLOWS_SERVICE_MAX, FLOWS_SOURCE_MAX,
	    service_flow_ended, u);
	return u->turn == NULL || u->batch == NULL || u->flows == NULL ? -1 : 0;
}

int
udp_main(const struct msg_boot *boot)
{
	static const struct chan_ops ops = { handlers, on_ended, NULL };
	struct timeval tv = { 0, TICK_US };
	struct udp u = { 0 };
	struct event *tick;

	if (init(&u) == -1 ||
	    (tick = event_new(u.serve.base, -1, EV_PERSIST, on_tick, &u)) ==
		NULL ||
	    event_add(tick, &tv) == -1)
		return 2;
	u.serve.chan = boot_enter(u.serve.base, boot, &ops, &u);
	if (u.serve.chan == NULL)
		return 2;
	turn_run(u.turn);
	log_to(NULL, NULL);
	service_end_all(&u);
	turn_free(u.turn);
	flows_free(u.flows);
	batch_free(u.batch);
	event_free(tick);
	chan_flush(u.serve.chan);
	chan_free(u.serve.chan);
	event_base_free(u.serve.base);
	return 0;
}
