/*
 * Sessions by their generation, and their tickets by id: what comes for one of
 * a thousand clients finds it as fast as if it were the only one.
 */
#ifndef DIRECTORY_H
#define DIRECTORY_H

#include <stdint.h>

#include "common/tunnel/preface.h"

#define DIRECTORY_BUCKETS 1024 /* chains; a power of two */

struct session;
struct session_ticket;

/* All zero is the empty one. */
struct directory {
	struct session *sessions[DIRECTORY_BUCKETS];
	struct session_ticket *tickets[DIRECTORY_BUCKETS];
};

void directory_add(struct directory *d, struct session *s);
void directory_remove(struct directory *d, struct session *s);

/* By generation, or NULL. */
struct session *directory_find(const struct directory *d, uint64_t generation);

/*
 * A ticket whose id is filled in; it stays where it is until it is removed.
 * Removing one that was not added does nothing.
 */
void directory_add_ticket(struct directory *d, struct session_ticket *t);
void directory_remove_ticket(struct directory *d, struct session_ticket *t);

/* By id, valid or not any more; or NULL. */
struct session_ticket *directory_find_ticket(
    const struct directory *d, const uint8_t id[TICKET_ID]);

#endif
