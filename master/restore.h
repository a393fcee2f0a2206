/* A state file, as the master's tables again. */
#ifndef RESTORE_H
#define RESTORE_H

#include "master/master.h"
#include "master/state.h"

/*
 * What the image that wrote it and this one are to each other.
 */
enum restore_mode {
	RESTORE_TAKEOVER, /* we are newer: its workers drain, ours serve */
	RESTORE_RESUME	  /* we are the same again: all goes on */
};

/* The listeners alone: adopted, to be matched with the configuration. */
int restore_listeners(struct master *m, struct state_reader *r);

/* The configuration alone, into m->conf. -1: malformed. */
int restore_conf(struct master *m, struct state_reader *r);

/*
 * Everything else. A record that leads nowhere (a worker that died meanwhile)
 * is passed over. -1: malformed, or no memory; what could be is restored.
 */
int restore_tables(
    struct master *m, struct state_reader *r, enum restore_mode mode);

#endif
