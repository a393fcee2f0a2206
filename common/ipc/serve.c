/* What every process with a channel does alike. */
#include "common/ipc/serve.h"

#include <event2/event.h>

#include "common/base/log.h"
#include "common/ipc/loop.h"

int
serve_init(struct serve *s)
{
	s->chan = NULL;
	s->leave = NULL;
	s->base = loop_new();
	return s->base == NULL ? -1 : 0;
}

static void
on_ended(void *arg, const char *why)
{
	struct serve *s = arg;

	(void)why; /* nobody is left to be told */
	event_base_loopbreak(s->base);
}

int
serve_run(struct serve *s, const struct msg_boot *boot,
    const chan_handler handlers[MSG_TYPES])
{
	const struct chan_ops ops = { .handlers = handlers, .ended = on_ended };
	int rc;

	if ((s->chan = boot_enter(s->base, boot, &ops, s)) == NULL)
		return 2;
	rc = event_base_dispatch(s->base);
	/* The sink of the log is the channel. */
	log_to(NULL, NULL);
	if (s->leave != NULL)
		s->leave(s);
	chan_flush(s->chan);
	chan_free(s->chan);
	event_base_free(s->base);
	return rc == -1 ? 2 : 0;
}

int
serve_ping(void *arg, const struct msg *m)
{
	struct serve *s = arg;

	(void)m;
	serve_send(s, MSG_PONG, 0, NULL, 0);
	return 0;
}

int
serve_level(void *arg, const struct msg *m)
{
	(void)arg;
	if (m->p[0] > LOG_LEVEL_DISABLE)
		return -1;
	log_set_level((enum log_level)m->p[0]);
	return 0;
}

int
serve_exit(void *arg, const struct msg *m)
{
	struct serve *s = arg;

	(void)m;
	event_base_loopbreak(s->base);
	return 0;
}

void
serve_send(struct serve *s, uint8_t type, uint32_t id, const void *p, size_t n)
{
	if (chan_send(s->chan, type, id, p, n, -1) == -1)
		event_base_loopbreak(s->base);
}
