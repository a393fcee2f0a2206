/* The empty directory that becomes a worker's root. */
#ifndef JAIL_H
#define JAIL_H

/*
 * Make the directory `path` (mode 0555; its parent must exist) if it is not
 * there. Returns 1 if it was made, 0 if it was there and jail_enter() would
 * take it, -1 with errno: EPERM if it is not root's or others can write to
 * it, ENOTDIR, or as of mkdir(2).
 */
int jail_make(const char *path);

/*
 * Make `path` this process's root and working directory. Returns 0, or -1
 * with errno as above or as of chroot(2).
 */
int jail_enter(const char *path);

#endif
