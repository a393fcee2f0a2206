/*
 * Who is it? All verifiers, and the logins that are decided by them. Frames in,
 * frames out; where they go is the caller's concern.
 *
 *	USERS, USERS_USE, AUTH_CONF, RELEASE	what to decide by
 *	HS_LOCKED	the address of the next is locked out
 *	HS_LOGIN	a client at the end of its handshake
 *	HS_MORE		its next message
 *	HS_FAIL		it is gone
 *	VOUCHED, VOUCH_LOST	what the external check says
 *
 * Every login ends with one frame: HS_GRANT, or HS_FAIL with the reason and
 * REFUSED for the client. Whatever is not proved is
 * refused. An id without verifier may be asked for outside (VOUCH): at most
 * AUTH_ASKS_MAX at a time, one from each source block, and what is allowed is
 * what was asked for and is in the answer. A login that waits for its client's
 *next message costs memory, so at AUTH_LOGINS_MAX the oldest ends.
 */
#ifndef AUTH_H
#define AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/ipc/chan.h"
#include "common/tunnel/login.h"

#define AUTH_LOGINS_MAX 1024 /* undecided at a time */
#define AUTH_ASKS_MAX 64     /* external checks at a time */
#define AUTH_RETRY_BUSY 3    /* seconds to come back in, when busy */
#define AUTH_RETRY_LIMIT 60  /* ... and when over a limit */

struct auth;
struct users;

struct auth_ops {
	/* Takes a frame for the parent. */
	void (*send)(
	    void *arg, uint8_t type, uint32_t id, const void *p, size_t n);
	/* hasher_submit(); auth_hashed() gets the answer, in a later turn. */
	int (*hash)(void *arg, uint32_t id, uint32_t number,
	    const struct addr *source, const char *hash, const char *secret);
};

/* NULL: no memory. sodium_init() must have been called. */
struct auth *auth_new(const struct auth_ops *ops, void *arg);

/* Wipe all. NULL is allowed. */
void auth_free(struct auth *a);

/* Handle one of the frames above but for USERS, USERS_USE. -1: broken. */
int auth_take(struct auth *a, const struct msg *m);

/* Decide by these from now on; they are owned by `a`. Logins go on. */
void auth_use(struct auth *a, struct users *users);

/* The answer to ops->hash. */
void auth_hashed(
    struct auth *a, uint32_t id, uint32_t number, enum login_code code);

/* Logins that are not decided. */
size_t auth_count(const struct auth *a);

#endif
