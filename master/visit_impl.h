/* What visit.c and reroute.c share, and nobody else. */
#ifndef VISIT_IMPL_H
#define VISIT_IMPL_H

#include "master/sessions.h"
#include "master/visit.h"

/* What is to be done with a name. */
struct visit_finding {
	uint16_t status;	 /* refuse with this; 0: one of the next */
	struct client *park;	 /* wait for it */
	struct session *session; /* its user */
	uint16_t service;
};

/* Look a name up (as text_name() makes it). */
void visit_find(
    const struct master *m, struct visit_finding *f, const char *name);

/* Do it with c, which nobody else holds. */
void visit_act(struct master *m, struct conn *c, const struct visit_finding *f);

#endif
