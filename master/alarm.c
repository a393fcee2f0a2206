/* Lines of the log for an error service. */
#include "master/alarm.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/fetch/setup.h"
#include "common/ipc/line.h"
#include "master/workers.h"

struct alarms {
	struct master *master;
	struct setup_filter filter;
	size_t nwaiting;
	size_t sizes[ALARM_WAITING];
	uint8_t waiting[ALARM_WAITING][LINE_BYTES];
};

struct alarms *
alarm_new(struct master *m)
{
	struct alarms *a;

	if ((a = calloc(1, sizeof(*a))) != NULL)
		a->master = m;
	return a;
}

void
alarm_free(struct alarms *a)
{
	log_watch(NULL, NULL);
	free(a);
}

static void
on_line(void *arg, const struct logline *l)
{
	uint8_t frame[LINE_BYTES];
	struct alarms *a = arg;
	struct worker *fetch = NULL;
	struct buf b;

	if (!setup_is_event(&a->filter, l))
		return;
	buf_write(&b, frame, sizeof(frame));
	if (line_put(&b, l) == -1)
		return;
	if (a->master->workers != NULL)
		fetch = workers_only(a->master->workers, ROLE_FETCH);
	if (fetch != NULL && chan_queued(fetch->chan) < ALARM_QUEUE) {
		worker_send(fetch, MSG_EVENT, 0, frame, buf_used(&b));
	} else if (fetch == NULL && a->nwaiting < ALARM_WAITING) {
		memcpy(a->waiting[a->nwaiting], frame, buf_used(&b));
		a->sizes[a->nwaiting++] = buf_used(&b);
	}
}

void
alarm_configure(struct master *m)
{
	struct alarms *a = m->alarms;

	setup_filter(&a->filter, &m->conf.sentry);
	log_watch(m->conf.sentry.dsn != NULL ? on_line : NULL, a);
}

void
alarm_ready(struct master *m, struct worker *w)
{
	struct alarms *a = m->alarms;

	if (w->role != ROLE_FETCH)
		return;
	for (size_t i = 0; i < a->nwaiting; i++)
		worker_send(w, MSG_EVENT, 0, a->waiting[i], a->sizes[i]);
	a->nwaiting = 0;
}
