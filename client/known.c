/* known_servers. */
#include "client/known.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/dirs.h"
#include "common/sys/fds.h"

/* One line of n bytes. 1 if it is that server's, 0 if not, -1: damaged. */
static int
parse_line(
    const char *p, size_t n, const char *server, uint8_t key[KEYTEXT_KEY])
{
	const char *space;
	size_t len, wanted = strlen(server);
	uint8_t k[KEYTEXT_KEY];

	if (n == 0 || p[0] == '#')
		return 0;
	if ((space = memchr(p, ' ', n)) == NULL)
		return -1;
	len = (size_t)(space - p);
	if (len == 0 || memchr(p, ':', len) == NULL ||
	    keytext_decode(k, space + 1, n - len - 1) == -1)
		return -1;
	if (len != wanted || memcmp(p, server, len) != 0)
		return 0;
	memcpy(key, k, sizeof(k));
	return 1;
}

int
known_parse(const char *text, size_t n, const char *server,
    uint8_t key[KEYTEXT_KEY], size_t *line)
{
	uint8_t first[KEYTEXT_KEY], again[KEYTEXT_KEY];
	bool found = false;
	size_t at = 0;

	for (*line = 1; at < n; (*line)++) {
		const char *nl = memchr(text + at, '\n', n - at);
		size_t len = nl != NULL ? (size_t)(nl - text) - at : n - at;
		int got;

		got = parse_line(text + at, len, server, found ? again : first);
		/* One server with two keys is no knowledge. */
		if (got == -1 ||
		    (got == 1 && found &&
			memcmp(first, again, sizeof(first)) != 0))
			return -1;
		found |= got == 1;
		at += len + 1;
	}
	if (found)
		memcpy(key, first, sizeof(first));
	return found;
}

/* The whole file, allocated; *n is 0 if there is none. NULL and errno. */
static char *
read_all(const char *path, size_t *n)
{
	char *text = NULL, *more;
	size_t have = 0;
	ssize_t got;
	int fd, saved;

	*n = 0;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1)
		return errno == ENOENT ? malloc(1) : NULL;
	do {
		if ((more = realloc(text, have + 4096)) == NULL)
			goto err0;
		text = more;
		if ((got = read(fd, text + have, 4096)) == -1)
			goto err0;
		have += (size_t)got;
		if (have > KNOWN_MAX) {
			errno = EFBIG;
			goto err0;
		}
	} while (got > 0);
	close(fd);
	*n = have;
	return text;

err0:
	saved = errno;
	close(fd);
	free(text);
	errno = saved;
	return NULL;
}

int
known_find(const char *path, const char *server, uint8_t key[KEYTEXT_KEY],
    char why[KNOWN_WHY])
{
	size_t n, line;
	char *text;
	int got;

	if ((text = read_all(path, &n)) == NULL) {
		snprintf(why, KNOWN_WHY, "%s: %s", path, strerror(errno));
		return -1;
	}
	got = known_parse(text, n, server, key, &line);
	if (got == -1)
		snprintf(why, KNOWN_WHY,
		    "%s:%zu: expected \"host:port KEY\", each server once",
		    path, line);
	free(text);
	return got;
}

/* The new content under a name of our own, then in its place. */
static int
replace(const char *path, const char *text, size_t n, const char *line)
{
	char temp[PATH_MAX];
	int fd, len, saved;

	len = snprintf(temp, sizeof(temp), "%s.%ld", path, (long)getpid());
	if (len < 0 || (size_t)len >= sizeof(temp)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	unlink(temp);
	fd = open(
	    temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	if (fds_write(fd, text, n) == -1 ||
	    (n > 0 && text[n - 1] != '\n' && fds_write(fd, "\n", 1) == -1) ||
	    fds_write(fd, line, strlen(line)) == -1 || fsync(fd) == -1 ||
	    rename(temp, path) == -1)
		goto err0;
	close(fd);
	return 0;

err0:
	saved = errno;
	close(fd);
	unlink(temp);
	errno = saved;
	return -1;
}

int
known_add(const char *path, const char *server, const uint8_t key[KEYTEXT_KEY],
    char why[KNOWN_WHY])
{
	char line[512], keytext[KEYTEXT_SIZE];
	char *text = NULL;
	size_t n;
	int ret = -1;

	snprintf(line, sizeof(line), "%s %s\n", server,
	    keytext_encode(keytext, key));
	if (dirs_make(path) == 0 && (text = read_all(path, &n)) != NULL)
		ret = replace(path, text, n, line);
	if (ret == -1)
		snprintf(why, KNOWN_WHY, "%s: %s", path, dirs_error(errno));
	free(text);
	return ret;
}
