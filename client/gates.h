/*
 * The gates of a service: who may use it. Checked by the server, which is
 * told the hashes of the secrets only (common/crypto/gate.h).
 */
#ifndef GATES_H
#define GATES_H

#include <stdbool.h>

#include "client/conf.h"
#include "common/conf/schema.h"

struct service;

/* What a service demands, as service_gates_text(). */
const char *gates_text(char *dst, const struct client_service *s);

/*
 * Read the secrets that are in files, and check what no single key can. Adds
 * faults: a gate that would not close is an error.
 */
void gates_finish(struct client_service *s, const struct schema_place *at);

/* Whether two services have the same. */
bool gates_same(const struct client_service *a, const struct client_service *b);

/*
 * Fill them in, for the server where we are `id`; row->index is set already.
 * The lists are those of s, not copies.
 */
void gates_offer(
    struct service *row, const struct client_service *s, const char *id);

#endif
