/* A log file by name. */
#include "common/sys/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MS_PER_DAY (UINT64_C(24) * 3600 * 1000)

void
logfile_close(struct logfile *f)
{
	if (f->fd != -1)
		close(f->fd);
	f->fd = -1;
}

int
logfile_open(struct logfile *f, uint64_t now_ms)
{
	struct stat st;
	int fd;

	/* Not to wait for the reader of a pipe. */
	fd = open(f->path,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	    0640);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1) {
		close(fd);
		return -1;
	}
	logfile_close(f);
	f->fd = fd;
	f->regular = S_ISREG(st.st_mode);
	f->day = now_ms / MS_PER_DAY;
	if (f->regular && st.st_size > 0 && st.st_mtime >= 0)
		f->day = (uint64_t)st.st_mtime * 1000 / MS_PER_DAY;
	return 0;
}

uint64_t
logfile_size(const struct logfile *f)
{
	struct stat st;

	if (!f->regular || f->fd == -1 || fstat(f->fd, &st) == -1)
		return 0;
	return (uint64_t)st.st_size;
}

bool
logfile_is_old(const struct logfile *f, uint64_t now_ms)
{
	return f->regular && now_ms / MS_PER_DAY != f->day;
}

/* FILE.n in dst, or FILE itself. -1: too long. */
static int
name_of(char dst[PATH_MAX], const struct logfile *f, unsigned n)
{
	int len = n == 0 ? snprintf(dst, PATH_MAX, "%s", f->path)
			 : snprintf(dst, PATH_MAX, "%s.%u", f->path, n);

	if (len > 0 && len < PATH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

/* Those that are too many; there may be some since count was larger. */
static void
remove_from(const struct logfile *f, unsigned n)
{
	char path[PATH_MAX];

	for (; n <= LOGFILE_COUNT_MAX; n++)
		if (name_of(path, f, n) == -1 || unlink(path) == -1)
			return;
}

/* The first number that no file has; that of the oldest if all are there. */
static unsigned
first_gap(const struct logfile *f)
{
	char path[PATH_MAX];
	struct stat st;
	unsigned n = 1;

	while (n < f->count - 1 && name_of(path, f, n) == 0 &&
	    lstat(path, &st) == 0)
		n++;
	return n;
}

/*
 * FILE becomes FILE.1, that FILE.2 and so on, up to the first gap: what is
 * tried again after a failure costs no old file.
 */
static int
move_aside(const struct logfile *f)
{
	char from[PATH_MAX], to[PATH_MAX];

	remove_from(f, f->count);
	if (f->count == 1) {
		if (name_of(from, f, 0) == -1)
			return -1;
		return unlink(from) == -1 && errno != ENOENT ? -1 : 0;
	}
	for (unsigned n = first_gap(f); n > 0; n--) {
		if (name_of(from, f, n - 1) == -1 || name_of(to, f, n) == -1)
			return -1;
		if (rename(from, to) == -1 && errno != ENOENT)
			return -1;
	}
	return 0;
}

/* Whether what has the name now is what is open. */
static bool
is_there(const struct logfile *f)
{
	struct stat named, opened;

	return stat(f->path, &named) == 0 && fstat(f->fd, &opened) == 0 &&
	    named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

int
logfile_rotate(struct logfile *f, uint64_t now_ms)
{
	/* Empty since the day began: that is as good as a new one. */
	if (logfile_size(f) == 0) {
		f->day = now_ms / MS_PER_DAY;
		return 0;
	}
	/* Somebody else, or a try that failed later, has moved it already. */
	if (is_there(f) && move_aside(f) == -1)
		return -1;
	return logfile_open(f, now_ms);
}
