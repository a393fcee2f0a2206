/*
 * Lines of the log for an error service (sentry.dsn): the parent hands them to
 * a process of role `fetch`, which is there only for that.
 */
#ifndef ALARM_H
#define ALARM_H

#include "client/parent.h"

struct alarms;

#define ALARM_WAITING 32 /* lines that wait for that process to be there */

/* NULL: no memory. */
struct alarms *alarm_new(struct parent *p);
void alarm_free(struct alarms *a);

/* The configuration has changed. */
void alarm_configure(struct alarms *a);

/* A child has died: was it this one? For SIGCHLD. */
void alarm_reaped(struct alarms *a, int pid, int status);

/* How loud it is. */
void alarm_set_level(struct alarms *a, uint8_t level);

#endif
