/*
 * Which executable this is, and who could have changed it since: only what
 * belongs to whom it belonged at start, or to root, is executed as root.
 */
#ifndef EXE_H
#define EXE_H

#include <sys/types.h>

#define EXE_PATH 4096
#define EXE_WHY (EXE_PATH + 64) /* bytes of a reason, with its terminator */

struct exe {
	char path[EXE_PATH]; /* absolute; empty: not known */
	uid_t uid, dir_uid;  /* who owned it, and its directory, at start */
};

/* Note where this process's executable lies, and whose it is. */
void exe_note(struct exe *e);

/*
 * Whether that path may be executed: it and every directory above belong to
 * whom they did, or to root, and nobody else can write to them. 0, or -1 and
 * the reason in why.
 */
int exe_check(const struct exe *e, char why[static EXE_WHY]);

#endif
