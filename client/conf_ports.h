/* The public ports that a service asks for. */
#ifndef CONF_PORTS_H
#define CONF_PORTS_H

#include <stdbool.h>

#include "client/conf.h"
#include "common/conf/schema.h"

/* schema_key.check of a port or a range of them. */
const char *conf_ports_check(const char *text);

/*
 * Take a service's ports apart, and check them against its local and its other
 * keys. A tcp:// service with neither name nor port gets a random one.
 */
void conf_ports_finish(struct client_service *s, const struct schema_place *at);

/* Its users' bytes pass as they are; else they come by HTTP. */
bool conf_ports_is_raw(const struct client_service *s);

/* Both ask for the same port. */
bool conf_ports_collide(
    const struct client_service *a, const struct client_service *b);

#endif
