/*
 * The keys of ptpd.conf: one row each. ptpd.conf.5 says the same to people;
 * t/03-manual.t compares the two.
 */
#ifndef CONF_SCHEMA_H
#define CONF_SCHEMA_H

#include "common/conf/schema.h"
#include "master/conf.h"

/* What a users_file holds. */
struct conf_users_file {
	uint64_t set;
	struct conf_user_list users;
};

extern const struct schema conf_schema;		  /* struct server_conf */
extern const struct schema conf_schema_users;	  /* struct conf_users_file */
extern const struct schema conf_schema_user;	  /* struct conf_user */
extern const struct schema conf_schema_tls_host;  /* struct conf_tls_host */
extern const struct schema conf_schema_port_rule; /* struct port_rule */

#endif
