/*
 * Which session gets which public ports: the part of the answer to its list
 * of services that is about ports, by the rules (port_rules.h) and by who has
 * the port already. naming.h decides about names the same way.
 */
#ifndef PORT_GRANTS_H
#define PORT_GRANTS_H

#include <stdint.h>

#include "master/master.h"
#include "master/sessions.h"

struct buf;

/* Ports that are tried at most, of the many that random ones may be. */
#define PORT_GRANTS_TRIES 256

/* How many rows the answer to s has about ports. */
uint16_t port_grants_count(const struct session *s);

/*
 * Decide about all ports that s asks for, open and close what follows from
 * it, and write the rows to b. A list holds as a whole: with `rest` other than
 * GRANT_OK, s is refused with that what it does not have already. May be
 * repeated; the answer is the same then.
 */
void port_grants_make(
    struct master *m, struct session *s, enum grant rest, struct buf *b);

#endif
