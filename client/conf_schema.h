/*
 * The keys of ptp.conf: one row each. ptp.conf.5 says the same to people;
 * t/03-manual.t compares the two.
 */
#ifndef CLIENT_CONF_SCHEMA_H
#define CLIENT_CONF_SCHEMA_H

#include "common/conf/schema.h"

extern const struct schema conf_schema_client;	/* struct client_conf */
extern const struct schema conf_schema_service; /* struct client_service */

#endif
