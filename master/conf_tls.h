/* What a server's configuration says of certificates. */
#ifndef CONF_TLS_H
#define CONF_TLS_H

#include "common/conf/schema.h"
#include "master/conf.h"

/* Bits of conf_tls_host.set */
#define CONF_TLS_NAME 0x1u
#define CONF_TLS_CERT 0x2u
#define CONF_TLS_KEY 0x4u

/* Check one of tls.hosts as it was loaded (schema.finish). */
void conf_tls_finish(void *host, const struct schema_place *at);

/*
 * Make the paths absolute, and check what no row can: a certificate has a key,
 * a name has one certificate, listen.tls has some. `in` is what c was loaded
 * from.
 */
void conf_tls_complete(
    struct server_conf *c, const struct schema_input *in, struct faults *f);

/* Whether there is a certificate for users. */
bool conf_tls_wanted(const struct server_conf *c);

#endif
