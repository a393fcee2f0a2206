/*
 * Where files lie that a configuration does not name: the system's places for
 * root, the user's own (XDG Base Directory Specification) for anyone else.
 */
#ifndef PATHS_H
#define PATHS_H

/*
 * For root a copy of `system`. Else ${XDG_STATE_HOME:-$HOME/.local/state}/
 * PROGRAM/NAME. NULL: ENOMEM, or ENOENT if HOME is not set.
 */
char *paths_state(const char *system, const char *program, const char *name);

/*
 * For root a copy of `system`. Else ${XDG_RUNTIME_DIR:-/tmp/PROGRAM-UID}/NAME.
 * NULL: ENOMEM.
 */
char *paths_runtime(const char *system, const char *program, const char *name);

/*
 * Make the path that *path owns absolute, by the current directory. 0, or -1
 * with errno, *path as it was.
 */
int paths_absolute(char **path);

#endif
