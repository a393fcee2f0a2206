/* ptp-fetch: outgoing HTTP, to the error service. */
#include <event2/event.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/fetch/http.h"
#include "common/fetch/lookup.h"
#include "common/fetch/sender.h"
#include "common/fetch/start.h"
#include "common/ipc/boot.h"
#include "common/ipc/line.h"

struct process {
	struct event_base *base;
	struct chan *chan;
	struct http *http;
	struct lookup *lookup;
	struct sender *sender;
};

static int
on_conf(void *arg, const struct msg *m)
{
	struct msg_fetch_conf conf;
	struct process *x = arg;
	struct buf b;

	buf_read(&b, m->p, m->n);
	if (msg_get_fetch_conf(&b, &conf) == -1)
		return -1;
	sender_configure(x->sender, &conf);
	return 0;
}

static int
on_ca(void *arg, const struct msg *m)
{
	struct process *x = arg;

	return start_take_ca(x->http, m->id, m->fd);
}

static int
on_event(void *arg, const struct msg *m)
{
	struct process *x = arg;
	struct line line;
	struct buf b;

	buf_read(&b, m->p, m->n);
	if (line_get(&b, &line) == -1)
		return -1;
	sender_send(x->sender, &line.l);
	return 0;
}

static int
on_level(void *arg, const struct msg *m)
{
	(void)arg;
	if (m->p[0] > LOG_LEVEL_DISABLE)
		return -1;
	log_set_level((enum log_level)m->p[0]);
	return 0;
}

static int
on_ping(void *arg, const struct msg *m)
{
	struct process *x = arg;

	(void)m;
	chan_send(x->chan, MSG_PONG, 0, NULL, 0, -1);
	return 0;
}

static int
on_leave(void *arg, const struct msg *m)
{
	struct process *x = arg;

	(void)m;
	event_base_loopbreak(x->base);
	return 0;
}

static void
on_ended(void *arg, const char *why)
{
	struct process *x = arg;

	(void)why;
	event_base_loopbreak(x->base);
}

static void
on_found(void *arg, const char *host, const char *addrs, const char *why)
{
	struct process *x = arg;

	http_found(x->http, host, addrs, why);
}

/* The parent starts us anew, with another. */
static void
on_lookup_ended(void *arg)
{
	struct process *x = arg;

	log_warnx("the process that looks names up has died");
	event_base_loopbreak(x->base);
}

static const chan_handler handlers[MSG_TYPES] = {
	[MSG_FETCH_CONF] = on_conf,
	[MSG_FETCH_CA] = on_ca,
	[MSG_EVENT] = on_event,
	[MSG_LEVEL] = on_level,
	[MSG_PING] = on_ping,
	[MSG_EXIT] = on_leave,
	[MSG_DRAIN] = on_leave,
};

static const struct chan_ops ops = { .handlers = handlers, .ended = on_ended };

int
main(void)
{
	static const struct lookup_ops lookup_ops = { on_found,
		on_lookup_ended };
	struct process x = { 0 };
	struct msg_boot boot;
	int fd;

	if (boot_receive(&boot) == -1 || boot.role != ROLE_FETCH ||
	    (fd = start_lookup(&boot)) == -1 ||
	    (x.base = event_base_new()) == NULL ||
	    (x.http = http_new(x.base)) == NULL ||
	    (x.sender = sender_new(x.http)) == NULL ||
	    (x.lookup = lookup_new(x.base, fd, &lookup_ops, &x)) == NULL)
		return 2;
	http_use(x.http, x.lookup);
	if ((x.chan = boot_enter(x.base, &boot, &ops, &x)) == NULL)
		return 2;
	event_base_dispatch(x.base);
	return 0;
}
