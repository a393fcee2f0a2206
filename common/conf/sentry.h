/* The keys sentry.* of a configuration. */
#ifndef SENTRY_H
#define SENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/conf/lists.h"

struct sentry_conf {
	char *dsn;				   /* NULL: none */
	struct str_list level;			   /* none: error and fatal */
	uint64_t sample_rate;			   /* of SCHEMA_WHOLE */
	char *release, *environment, *server_name; /* NULL: see setup.h */
	bool debug;
};

#endif
