/*
 * The data path's own test, for /status: a real client of ours, of an id that
 * nobody else has, logs in over loopback and serves role api; a request of a
 * user then has to come through. A process without privilege does all of it
 * (worker/probe); here it is started, and its word taken.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>

#include "common/ipc/ctl_server.h"
#include "master/master.h"
#include "master/worker.h"

#define CHECK_MS 10000 /* for all of it */

/* For struct master. NULL: no memory. */
struct check *check_new(struct master *m);
void check_free(struct check *k);

/* Whether this is the id of that client. */
bool check_is_id(const struct check *k, const char *id);

/* Tell auth of it. */
void check_introduce(const struct check *k, struct worker *auth);

/*
 * Test now. Ends `call` with a row {result: "ok", or what went wrong}. One at
 * a time: whoever asks meanwhile gets the same answer.
 */
void check_begin(struct master *m, struct ctl_call *call);

/* A child has died: is it ours? For SIGCHLD. */
void check_reap(struct check *k);

#endif
