/* How many names a client has: what limits.hosts.number is about. */
#ifndef HOLDINGS_H
#define HOLDINGS_H

#include <stdint.h>

#include "master/master.h"
#include "master/sessions.h"

/*
 * Names beside the id that live sessions of the client have; one counts once,
 * in however many tables. Those of `except` (NULL: none) do not count.
 */
uint64_t holdings_names(const struct master *m, const struct client *client,
    const struct session *except);

#endif
