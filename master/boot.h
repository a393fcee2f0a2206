/*
 * What a worker is told: at its start, and again when the configuration has
 * changed.
 */
#ifndef MASTER_BOOT_H
#define MASTER_BOOT_H

#include "master/master.h"
#include "master/worker.h"

/* BOOT and everything that its role needs. -1 after a log line. */
int boot_worker(struct worker *w);

/* The configuration rows alone, to all that have a role for them. */
void boot_reconfigure(struct master *m);

/* Have as many workers of each role as this configuration wants. */
void boot_want(struct master *m);

#endif
