/*
 * From the command line to `ready`: the configuration is read, everything that
 * needs privilege is done, the workers are started, the listeners opened.
 */
#ifndef START_H
#define START_H

#include "master/master.h"

#define START_MS 20000 /* from the configuration to `ready` */
#define START_DEATHS 3 /* workers that may die on that way */

/* The level that the configuration and -v say. */
void start_set_log_level(struct master *m);

/* Begin. -1 after an error line; else it goes on in the loop. */
int start_begin(struct master *m);

/* A worker has died: before `ready` that is soon too often. */
void start_worker_gone(struct master *m);

/* We are back in the place of a newer one that could not serve. */
void start_resume(struct master *m);

/* Every worker is ready and auth knows its users: serve. */
void start_serve(struct master *m);

#endif
