/* Where files lie that a configuration does not name. */
#include "common/conf/paths.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A directory of the environment; relative ones do not count (XDG). */
static const char *
directory(const char *variable)
{
	const char *v = getenv(variable);

	return v != NULL && v[0] == '/' ? v : NULL;
}

char *
paths_state(const char *system, const char *program, const char *name)
{
	const char *state = directory("XDG_STATE_HOME");
	const char *home = directory("HOME");
	char *path;
	int n;

	if (geteuid() == 0)
		return strdup(system);
	if (state == NULL && home == NULL) {
		errno = ENOENT;
		return NULL;
	}
	n = asprintf(&path, "%s%s/%s/%s", state != NULL ? state : home,
	    state != NULL ? "" : "/.local/state", program, name);
	return n == -1 ? NULL : path;
}

char *
paths_runtime(const char *system, const char *program, const char *name)
{
	const char *runtime = directory("XDG_RUNTIME_DIR");
	char *path;
	int n;

	if (geteuid() == 0)
		return strdup(system);
	if (runtime != NULL)
		n = asprintf(&path, "%s/%s", runtime, name);
	else
		n = asprintf(&path, "/tmp/%s-%u/%s", program,
		    (unsigned int)geteuid(), name);
	return n == -1 ? NULL : path;
}

int
paths_absolute(char **path)
{
	char here[PATH_MAX], *whole;
	int n;

	if (**path == '/')
		return 0;
	if (getcwd(here, sizeof(here)) == NULL)
		return -1;
	n = asprintf(&whole, "%s/%s", strcmp(here, "/") == 0 ? "" : here,
	    strncmp(*path, "./", 2) == 0 ? *path + 2 : *path);
	if (n == -1)
		return -1;
	free(*path);
	*path = whole;
	return 0;
}
