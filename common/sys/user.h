/* Who the workers are: names to uids, and uids that nobody has. */
#ifndef USER_H
#define USER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* systemd's range for dynamic users, which nobody gives to people. */
#define USER_UNUSED_MIN 61184
#define USER_UNUSED_MAX 65519

struct user {
	uid_t uid;
	gid_t gid;
	bool made_up; /* an unused uid, not an account: worth a log line */
};

/*
 * Look `name` up in passwd. Returns 0, or -1 with errno: ENOENT, EPERM if it
 * is uid or gid 0 (no worker may be).
 */
int user_find(const char *name, struct user *u);

/*
 * The same, but if there is no such account choose an unused uid (with an
 * equal gid) that no account, no group and no process has and that is none of
 * the n at `others`. Where to begin looking depends on the name, so that one
 * name tends to get one uid. ENOSPC: the whole range is taken.
 */
int user_find_or_choose(
    const char *name, const struct user *others, size_t n, struct user *u);

#endif
