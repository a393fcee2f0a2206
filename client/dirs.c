/* The directories that files of ours lie in. */
#include "client/dirs.h"

#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
dirs_make(const char *path)
{
	char dir[PATH_MAX] = "/";
	struct stat st;

	if (strlen(path) >= sizeof(dir)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (const char *p = strchr(path + 1, '/'); p != NULL;
	    p = strchr(p + 1, '/')) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(p - path), path);
		if (mkdir(dir, 0700) == -1 && errno != EEXIST)
			return -1;
	}
	if (stat(dir, &st) == -1)
		return -1;
	if ((st.st_uid == geteuid() || st.st_uid == 0) &&
	    ((st.st_mode & 022) == 0 || (st.st_mode & S_ISVTX) != 0))
		return 0;
	errno = EPERM;
	return -1;
}

const char *
dirs_error(int err)
{
	return err == EPERM ? "its directory must be yours or root's, and "
			      "nobody else's to write to"
			    : strerror(err);
}
