/* Whether a server's key is to be believed (PROTOCOL.md section 1). */
#ifndef TRUST_H
#define TRUST_H

#include <stddef.h>
#include <stdint.h>

#include "client/conf.h"
#include "common/ipc/msg.h"

/*
 * Decide about the key of server i, met at address `at`: pinned, remembered,
 * new, or changed. All addresses of the list are one server: one that is not
 * known yet must have the key of another that is, unless either is pinned.
 * A changed key, or a file that cannot be believed, is told in an error line.
 */
enum trust trust_decide(const struct client_conf *c, size_t i,
    const struct addr *at, const uint8_t key[SERVER_ADDR_KEY]);

/* It has proven that it is ours: remember it. */
void trust_remember(
    const struct client_conf *c, size_t i, const uint8_t key[SERVER_ADDR_KEY]);

#endif
