/*
 * A line of the log as an event of an error service: an envelope with one item
 * (https://develop.sentry.dev/sdk/envelopes/). Pure.
 */
#ifndef EVENT_H
#define EVENT_H

#include <stddef.h>

#include "common/base/logline.h"

#define EVENT_MAX 16384 /* bytes of an envelope */
#define EVENT_ID 32	/* hexadecimal digits */

/* What all events of a process have; empty strings are left out. */
struct event_origin {
	const char *release, *environment, *server_name;
};

/*
 * The envelope into dst[EVENT_MAX], for an event of that id; its length, 0 if
 * it does not fit. `sent` is when it leaves, in ms since 1970.
 */
size_t event_envelope(char *dst, const struct logline *l,
    const struct event_origin *o, const char id[EVENT_ID + 1], uint64_t sent);

#endif
