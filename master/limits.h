/*
 * What clients and sources of users may have, as far as the master counts it:
 * a client's user connections, and those of a source address block.
 */
#ifndef LIMITS_H
#define LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct addr;
struct client;
struct conn;
struct limits;
struct master;
struct session;

#define LIMITS_LOG_RATE 5 /* lines in a second about those turned away */

/* For struct master: who was turned away lately. */
struct limits_log {
	uint64_t second;
	unsigned lines;
};

/* The limits that hold for a client now. Strings belong to m->conf. */
struct limits limits_of(const struct master *m, const struct client *client);

/*
 * c is to be a user of that client: may it, by the client's and its source's
 * limits? If so it counts among its source's from now on; if not, the log
 * says why. One that was admitted stays so.
 */
bool limits_admit(
    struct master *m, struct conn *c, const struct client *client);

/* It was admitted before a restart. */
void limits_restore(struct master *m, struct conn *c);

/* It is no user any more. */
void limits_leave(struct master *m, struct conn *c);

/*
 * Have the session's relay keep the limits that hold now. Tunnels that are too
 * many take no new users and end with those that they have, the newest first;
 * a session that may have none is put out.
 */
void limits_tell(struct master *m, struct session *s);

#endif
