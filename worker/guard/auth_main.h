/*
 * The process of role `auth`: auth.h on a channel, in its sandbox, with a
 * child for argon2 (hasher.h); and the reading of verifiers, which come from
 * the parser of the configuration by a socket of their own.
 */
#ifndef AUTH_MAIN_H
#define AUTH_MAIN_H

#include <stdint.h>

/*
 * What MSG_USERS_OK says instead of a number when the verifiers did not come
 * as they should: those in use stay.
 */
#define AUTH_USERS_BROKEN UINT32_MAX

struct msg_boot;

/* Returns the exit status of the process. */
int auth_main(const struct msg_boot *boot);

#endif
