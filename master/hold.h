/* Who holds a connection, and who it belongs to: the counts of both. */
#ifndef HOLD_H
#define HOLD_H

#include "master/clients.h"
#include "master/conns.h"
#include "master/master.h"
#include "master/sessions.h"
#include "master/worker.h"

/* The worker holds it from now on; whoever did does not. NULL: nobody. */
void hold_by(struct conn *c, struct worker *w);

/* It points to this session from now on. NULL: to none. */
void hold_session(struct conn *c, struct session *s);

/* Out of the table, off all counts but those of its state, closed, freed. */
void hold_drop(struct master *m, struct conn *c);

#endif
