/*
 * Who may connect to which listener, and who comes through a load balancer:
 * access.LISTENER of the configuration.
 */
#ifndef ACCESS_H
#define ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "master/conf.h"

/*
 * Whether a connection from this address to a listener of this kind (enum
 * listener_kind) has to begin with a header of the PROXY protocol.
 */
bool access_proxied(
    const struct server_conf *c, uint8_t kind, const struct addr *from);

/* Whether a peer, as such a header says who it is, may be there. */
bool access_allows(
    const struct server_conf *c, uint8_t kind, const struct addr *peer);

#define ACCESS_TEXT 24

/* Which lists a kind of listener has, as "proxy, deny", or NULL: none. */
const char *access_text(
    char dst[ACCESS_TEXT], const struct server_conf *c, uint8_t kind);

#endif
