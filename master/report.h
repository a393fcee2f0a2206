/*
 * Where the log goes. With log.file, lines go to the process of role `log`,
 * which writes them to files that are opened and moved aside here; until it is
 * there they wait, to a bound, and beyond it they are counted.
 */
#ifndef REPORT_H
#define REPORT_H

#include "common/ipc/chan.h"
#include "master/master.h"

struct report;
struct worker;

#define REPORT_WAITING 1000 /* lines that wait for the process */
#define REPORT_QUEUE 1024   /* frames in its channel, then lines are lost */
#define REPORT_LOOK_MS 1000 /* between two looks at the day */
#define REPORT_END_MS 2000  /* for the last lines */
#define REPORT_WHY 1200

/* For struct master. NULL: no memory. */
struct report *report_new(struct master *m);

/* The last lines are written; then the log is what it was without. */
void report_free(struct report *r);

/*
 * Open what a configuration says, m->conf being untouched; then it is used
 * from report_commit() on, or forgotten. -1 and why.
 */
int report_prepare(
    struct master *m, const struct server_conf *c, char why[REPORT_WHY]);
void report_commit(struct master *m);
void report_abort(struct master *m);

/* A worker is ready: the process itself, or a relay whose users it records. */
void report_ready(struct master *m, struct worker *w);

/* The process takes frames again. */
void report_drained(struct master *m);

/* MSG_LOG_FULL: the file has reached log.max_size. */
int report_on_full(void *arg, const struct msg *msg);

#endif
