/* As whom the workers run. */
#include "master/uids.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/sys/user.h"

static int
complain(const char *name)
{
	int e = errno;

	if (e == EPERM)
		log_error("user: %s is root; workers must not be", name);
	else if (e == ENOENT)
		log_error("user: there is no account %s", name);
	else
		log_error("user: %s: %s", name, strerror(e));
	errno = e;
	return -1;
}

int
uids_find(struct uids *u, const char *user, bool must)
{
	static const char *const suffix[REALMS] = { "", "keys", "auth", "fetch",
		"log" };
	struct user found[REALMS] = { 0 };
	bool made_up = false;
	char name[64];

	for (size_t i = 0; i < REALMS; i++) {
		int got;

		snprintf(name, sizeof(name), "%s%s", user, suffix[i]);
		got = i == 0 && must
		    ? user_find(name, &found[i])
		    : user_find_or_choose(name, found, i, &found[i]);
		if (got == -1)
			return complain(name);
		u->uid[i] = found[i].uid;
		u->gid[i] = found[i].gid;
		made_up |= found[i].made_up;
	}
	if (made_up)
		log_info("not all of the accounts %s, %skeys, %sauth, %sfetch, "
			 "%slog exist: workers run as unused uids %u, %u, %u, "
			 "%u, %u",
		    user, user, user, user, user, u->uid[0], u->uid[1],
		    u->uid[2], u->uid[3], u->uid[4]);
	return 0;
}
