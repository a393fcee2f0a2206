/* Who has the public ports that a session asks for by number. */
#ifndef PORT_RIVALS_H
#define PORT_RIVALS_H

#include <stdbool.h>

#include "master/master.h"
#include "master/sessions.h"

/* Whether another client has one of them. */
bool port_rivals_conflict(const struct master *m, const struct session *s);

/*
 * Call fn for each live session of the same client that has one of them; once
 * for each port.
 */
void port_rivals_each(struct master *m, struct session *s,
    void (*fn)(void *arg, struct session *rival), void *arg);

#endif
