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

/* The n bytes that a worker says c calls, in their one form. 0, or -1. */
int visit_name(char canonical[TEXT_NAME_MAX + 1], const struct conn *c,
    const char *name, size_t n);

/* In which table the names are that users of this connection call. */
enum route_table visit_table(const struct conn *c);

/* Look a name up, as visit_name() makes it. */
void visit_find(struct master *m, struct visit_finding *f,
    enum route_table table, const char *name);

/* The same for a connection: by its name, or by the port that it came to. */
void visit_find_for(
    struct master *m, struct visit_finding *f, const struct conn *c);

/* It has come by a client's port: it has no name, and nothing is known of it.
 */
bool visit_at_port(const struct conn *c);

/* It cannot be served: with that status, or what its protocol has for that. */
void visit_refuse(struct master *m, struct conn *c, uint16_t status);

/* Do it with c, which nobody else holds. */
void visit_act(struct master *m, struct conn *c, const struct visit_finding *f);

#endif
