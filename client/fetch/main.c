/* ptp-fetch: outgoing HTTP, to the error service. */
#include <event2/event.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/fetch/http.h"
#include "common/fetch/lookup.h"
#include "common/fetch/sender.h"
#include "common/fetch/start.h"
#include "common/ipc/serve.h"
#include "common/ipc/line.h"

struct process {
	struct serve serve; /* first: the common handlers' arg */
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
	event_base_loopbreak(x->serve.base);
}

static const chan_handler handlers[MSG_TYPES] = {
	[MSG_FETCH_CONF] = on_conf,
	[MSG_FETCH_CA] = on_ca,
	[MSG_EVENT] = on_event,
	[MSG_LEVEL] = serve_level,
	[MSG_PING] = serve_ping,
	[MSG_EXIT] = serve_exit,
	[MSG_DRAIN] = serve_exit,
};

int
main(void)
{
	static const struct lookup_ops lookup_ops = { on_found,
		on_lookup_ended };
	struct process x = { 0 };
	struct msg_boot boot;
	int fd;

	if (boot_receive(&boot) == -1 || boot.role != ROLE_FETCH ||
	    (fd = start_lookup(&boot)) == -1 || serve_init(&x.serve) == -1 ||
	    (x.http = http_new(x.serve.base)) == NULL ||
	    (x.sender = sender_new(x.http)) == NULL ||
	    (x.lookup = lookup_new(x.serve.base, fd, &lookup_ops, &x)) == NULL)
		return 2;
	http_use(x.http, x.lookup);
	return serve_run(&x.serve, &boot, handlers);
}
