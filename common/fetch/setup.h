/* What a parent does for its process of role `fetch`. No libcurl here. */
#ifndef SETUP_H
#define SETUP_H

#include <stdbool.h>

#include "common/conf/sentry.h"
#include "common/ipc/msg.h"

struct logline;

#define SETUP_RATE                                                 \
	10 /* lines in a second that are events; more are left out \
	    */

/* Which lines of the log become events. */
struct setup_filter {
	unsigned levels; /* bit per level */
	uint64_t share;	 /* of SCHEMA_WHOLE */
	uint64_t second; /* in which `lines` came */
	unsigned lines;
};

/* By the configuration. */
void setup_filter(struct setup_filter *f, const struct sentry_conf *c);

/*
 * Whether a line is an event: of its levels, of the share that is drawn, not
 * one too many in a second, and not of fetch itself, whose trouble would feed
 * on itself.
 */
bool setup_is_event(struct setup_filter *f, const struct logline *l);

/*
 * The part of *m that is about events; the release is this version and the
 * server's name that of the host unless c has them.
 */
void setup_events(struct msg_fetch_conf *m, const struct sentry_conf *c);

/* The certificates that the system trusts, to read. -1: it has none. */
int setup_open_ca(void);

#endif
