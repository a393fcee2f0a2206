/*
 * The servers of a client's configuration, each with who we are there.
 */
#ifndef CONF_SERVERS_H
#define CONF_SERVERS_H

#include "client/conf.h"
#include "common/conf/schema.h"

/*
 * Whether an address is one of a server that this version can reach. NULL, or
 * what was expected.
 */
const char *conf_servers_check(const char *address);

/* Append the addresses of -s to c->server. */
void conf_servers_arguments(struct client_conf *c, const char *const *servers,
    size_t n, struct faults *f);

/*
 * Fill c->servers in from the keys as they were written, which have passed
 * their checks: addresses, and id, secret and server_key for those that do
 * not have their own. The secrets are wiped from where they stood.
 */
void conf_servers_fill(
    struct client_conf *c, const struct schema_input *in, struct faults *f);

#endif
