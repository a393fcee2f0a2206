/*
 * Which session gets which public ports: the part of the answer to its list
 * of services that is about ports, by the rules (port_rules.h) and by who has
 * the port already. naming.h decides about names the same way.
 */
#ifndef PORT_GRANTS_H
#define PORT_GRANTS_H

#include <stdbool.h>
#include <stdint.h>

#include "master/master.h"
#include "master/sessions.h"

struct buf;

/* Ports that are tried at most, of the many that a random one may be. */
#define PORT_GRANTS_TRIES 256

/* How many rows the answer to s has about ports. */
uint16_t port_grants_count(const struct session *s);

/*
 * Decide about all ports that s asks for, open and close what follows from
 * it, and write the rows to b. May be repeated; the answer is the same then.
 * With `hold`, because a name of the list is in conflict, none is opened.
 */
void port_grants_make(
    struct master *m, struct session *s, bool hold, struct buf *b);

/*
 * Call fn for each live session of the same client that has a port which s
 * asks for; once for each such port.
 */
void port_grants_rivals(struct master *m, struct session *s,
    void (*fn)(void *arg, struct session *rival), void *arg);

#endif
