/* Which executable this is, and who could have changed it since. */
#include "master/exe.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
exe_note(struct exe *e)
{
	char *slash;
	struct stat st;
	ssize_t n;

	n = readlink("/proc/self/exe", e->path, sizeof(e->path) - 1);
	e->path[n > 0 ? n : 0] = '\0';
	if (n <= 0 || stat(e->path, &st) == -1)
		return;
	e->uid = st.st_uid;
	slash = strrchr(e->path, '/');
	*slash = '\0';
	if (stat(e->path[0] != '\0' ? e->path : "/", &st) == 0)
		e->dir_uid = st.st_uid;
	*slash = '/';
}

/* Whether only its owner, who must be as at start or root, may change it. */
static int
check_owner(const char *path, uid_t uid, bool dir, char why[static EXE_WHY])
{
	struct stat st;

	if (stat(path, &st) == -1) {
		snprintf(why, EXE_WHY, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (st.st_uid != 0 && st.st_uid != uid) {
		snprintf(
		    why, EXE_WHY, "%s has another owner than at start", path);
		return -1;
	}
	/* In a sticky directory others cannot replace what is not theirs. */
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0 &&
	    !(dir && (st.st_mode & S_ISVTX) != 0)) {
		snprintf(why, EXE_WHY, "%s can be written to by others", path);
		return -1;
	}
	if (!dir && !S_ISREG(st.st_mode)) {
		snprintf(why, EXE_WHY, "%s is not a file", path);
		return -1;
	}
	return 0;
}

int
exe_check(const struct exe *e, char why[static EXE_WHY])
{
	char dir[EXE_PATH];
	char *slash;

	if (e->path[0] != '/') {
		snprintf(why, EXE_WHY, "where ptpd lies is not known");
		return -1;
	}
	if (check_owner(e->path, e->uid, false, why) == -1)
		return -1;
	strcpy(dir, e->path);
	while ((slash = strrchr(dir, '/')) != NULL) {
		*slash = '\0';
		if (check_owner(
			slash == dir ? "/" : dir, e->dir_uid, true, why) == -1)
			return -1;
	}
	return 0;
}
