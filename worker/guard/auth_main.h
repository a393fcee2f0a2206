/*
 * The process of role `auth`: auth.h on a channel, in its sandbox, with a
 * child for argon2 (hasher.h); and the reading of verifiers, which come from
 * the parser of the configuration by a socket of their own.
 */
#ifndef AUTH_MAIN_H
#define AUTH_MAIN_H

struct msg_boot;

/* Returns the exit status of the process. */
int auth_main(const struct msg_boot *boot);

#endif
