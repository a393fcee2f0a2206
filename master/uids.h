/* As whom the workers run. */
#ifndef UIDS_H
#define UIDS_H

#include <stdbool.h>
#include <sys/types.h>

/* One for each realm of trust (PROTOCOL.md section 3). */
enum realm {
	REALM_NETWORK,
	REALM_KEYS,
	REALM_AUTH,
	REALM_FETCH,
	REALM_LOG,
	REALMS
};

struct uids {
	uid_t uid[REALMS];
	gid_t gid[REALMS];
};

/*
 * Find the account `user` for the network roles, and one of its own for each
 * other realm: the accounts USERkeys, USERauth, USERfetch and USERlog if they
 * exist, else unused uids. `must`: the account was named by the operator and
 * has to exist. Logs what was made up. 0, or -1 with errno after an error line.
 */
int uids_find(struct uids *u, const char *user, bool must);

#endif
