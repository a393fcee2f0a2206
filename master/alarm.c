/* Lines of the log for an error service. */
#include "master/alarm.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/conf/schema.h"
#include "common/ipc/line.h"
#include "master/clock.h"
#include "master/workers.h"

struct alarms {
	struct master *master;
	unsigned levels; /* bit per level */
	uint64_t share;	 /* of SCHEMA_WHOLE */
	uint64_t second; /* in which `lines` came */
	unsigned lines;
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

/* Of its levels; not of fetch itself, whose trouble would feed on itself. */
static bool
is_alarm(struct alarms *a, const struct logline *l)
{
	uint64_t second = clock_ms() / 1000;

	if ((a->levels & 1u << l->level) == 0 ||
	    (l->role != NULL && strcmp(l->role, role_name(ROLE_FETCH)) == 0) ||
	    randombytes_uniform(SCHEMA_WHOLE) >= a->share)
		return false;
	if (second != a->second)
		a->lines = 0;
	a->second = second;
	return ++a->lines <= ALARM_RATE;
}

static void
on_line(void *arg, const struct logline *l)
{
	uint8_t frame[LINE_BYTES];
	struct alarms *a = arg;
	struct worker *fetch = NULL;
	struct buf b;

	if (!is_alarm(a, l))
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
	const struct server_conf *c = &m->conf;
	struct alarms *a = m->alarms;
	enum log_level level;

	a->share = c->sentry_sample_rate;
	a->levels = 0;
	for (size_t i = 0; i < c->sentry_level.n; i++)
		if (log_level_parse(c->sentry_level.v[i], &level) == 0)
			a->levels |= 1u << level;
	if (c->sentry_level.n == 0)
		a->levels = 1u << LOG_LEVEL_ERROR | 1u << LOG_LEVEL_FATAL;
	if (c->sentry_dsn != NULL)
		log_watch(on_line, a);
	else
		log_watch(NULL, NULL);
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
