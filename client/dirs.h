/* The directories that files of ours lie in. */
#ifndef DIRS_H
#define DIRS_H

/*
 * Make the directories above `path` (absolute) that are missing, mode 0700.
 * The one that it lies in must be ours or root's, and nobody else may write
 * to it, unless it is sticky. 0, or -1 with errno (EPERM: it is not).
 */
int dirs_make(const char *path);

/* strerror() for errors of the above. */
const char *dirs_error(int err);

#endif
