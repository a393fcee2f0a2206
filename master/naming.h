/*
 * Who gets which name: the answer to a session's list of services, by the
 * rules (claims.h) and by who holds the name already (PROTOCOL.md section 4).
 */
#ifndef NAMING_H
#define NAMING_H

#include <stdbool.h>

#include "master/master.h"
#include "master/sessions.h"

/* Decide on the whole list of s, and tell its relay. */
void naming_grant(struct master *m, struct session *s);

/*
 * Call fn for each live session of the same client that holds a name which s
 * asks for; once for each such name.
 */
void naming_rivals(struct master *m, struct session *s,
    void (*fn)(void *arg, struct session *rival), void *arg);

/* Whether a label is a configured or held id. */
bool naming_is_id(void *master, const char *label);

#endif
