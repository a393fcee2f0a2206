/*
 * Lines of the log for an error service (sentry.dsn): those of its levels, a
 * share of them, at a bounded rate, go to `fetch`, which tells it.
 */
#ifndef ALARM_H
#define ALARM_H

#include "master/master.h"

struct alarms;
struct logline;
struct worker;

#define ALARM_WAITING 32 /* lines that wait for fetch to be there */
#define ALARM_QUEUE 64	 /* frames in its channel, then they are left out */

/* For struct master. NULL: no memory. */
struct alarms *alarm_new(struct master *m);
void alarm_free(struct alarms *a);

/* The configuration has changed. */
void alarm_configure(struct master *m);

/* fetch is ready. */
void alarm_ready(struct master *m, struct worker *w);

#endif
