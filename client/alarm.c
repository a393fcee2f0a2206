/* Lines of the log for an error service. */
#include "client/alarm.h"

#include <stdlib.h>
#include <string.h>

#include "client/child.h"
#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/fetch/setup.h"
#include "common/ipc/line.h"

struct alarms {
	struct parent *parent;
	struct child *fetch; /* NULL: not needed yet */
	struct setup_filter filter;
	size_t nwaiting;
	size_t sizes[ALARM_WAITING];
	uint8_t waiting[ALARM_WAITING][LINE_BYTES];
};

static void
send_conf(struct alarms *a, struct child *fetch)
{
	struct msg_fetch_conf conf = { .auth_ms = 0 };
	uint8_t payload[4096];
	struct buf b;
	int fd;

	setup_events(&conf, &a->parent->conf->sentry);
	buf_write(&b, payload, sizeof(payload));
	msg_put_fetch_conf(&b, &conf);
	child_send(fetch, MSG_FETCH_CONF, 0, payload, buf_used(&b));
	if ((fd = setup_open_ca()) != -1)
		child_send_fd(
		    fetch, MSG_FETCH_CA, FETCH_CA_SYSTEM, NULL, 0, fd);
}

static void
boot(struct child *c)
{
	send_conf(child_parent(c)->alarms, c);
}

static void
ready(struct child *c)
{
	struct alarms *a = child_parent(c)->alarms;

	for (size_t i = 0; i < a->nwaiting; i++)
		child_send(c, MSG_EVENT, 0, a->waiting[i], a->sizes[i]);
	a->nwaiting = 0;
}

static void
gone(struct child *c)
{
	(void)c;
}

static const chan_handler handlers[MSG_TYPES] = { CHILD_HANDLERS };
static const struct child_ops ops = { handlers, boot, ready, gone };

struct alarms *
alarm_new(struct parent *p)
{
	struct alarms *a;

	if ((a = calloc(1, sizeof(*a))) != NULL)
		a->parent = p;
	return a;
}

void
alarm_free(struct alarms *a)
{
	log_watch(NULL, NULL);
	if (a == NULL)
		return;
	child_free(a->fetch);
	free(a);
}

static void
on_line(void *arg, const struct logline *l)
{
	uint8_t frame[LINE_BYTES];
	struct alarms *a = arg;
	struct buf b;

	if (!setup_is_event(&a->filter, l))
		return;
	buf_write(&b, frame, sizeof(frame));
	if (line_put(&b, l) == -1)
		return;
	if (a->fetch != NULL && child_is_ready(a->fetch)) {
		child_send(a->fetch, MSG_EVENT, 0, frame, buf_used(&b));
	} else if (a->nwaiting < ALARM_WAITING) {
		memcpy(a->waiting[a->nwaiting], frame, buf_used(&b));
		a->sizes[a->nwaiting++] = buf_used(&b);
	}
}

void
alarm_configure(struct alarms *a)
{
	const struct sentry_conf *c = &a->parent->conf->sentry;

	setup_filter(&a->filter, c);
	log_watch(c->dsn != NULL ? on_line : NULL, a);
	if (a->fetch != NULL)
		send_conf(a, a->fetch);
	else if (c->dsn != NULL)
		a->fetch = child_new(a->parent, ROLE_FETCH, "ptp-fetch", &ops);
}

void
alarm_reaped(struct alarms *a, int pid, int status)
{
	child_reaped(a->fetch, pid, status);
}

void
alarm_set_level(struct alarms *a, uint8_t level)
{
	if (a->fetch != NULL)
		child_send(a->fetch, MSG_LEVEL, 0, &level, 1);
}
