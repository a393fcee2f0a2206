/* The empty directory that becomes a worker's root. */
#include "common/sys/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Open the directory if nobody but root can put something into it: a
 * worker's own root must not be a place where it could leave a setuid file.
 */
static int
open_checked(const char *path)
{
	struct stat st;
	int fd;

	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1)
		goto err1;
	if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		errno = EPERM;
		goto err1;
	}
	return fd;

err1:
	close(fd);
	return -1;
}

int
jail_make(const char *path)
{
	int fd, made = 1;

	if (mkdir(path, 0555) == -1) {
		if (errno != EEXIST)
			return -1;
		made = 0;
	}
	fd = open_checked(path);
	if (fd == -1)
		return -1;
	close(fd);
	return made;
}

int
jail_enter(const char *path)
{
	int fd;

	fd = open_checked(path);
	if (fd == -1)
		return -1;
	/* By descriptor: what was checked is what becomes the root. */
	if (fchdir(fd) == -1 || chroot(".") == -1 || chdir("/") == -1) {
		close(fd);
		return -1;
	}
	close(fd);
	return 0;
}
