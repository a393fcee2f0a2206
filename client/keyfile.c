/* An identity in a file. */
#include "client/keyfile.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
complain(char why[KEYFILE_WHY], const char *path, const char *what)
{
	snprintf(why, KEYFILE_WHY, "%s: %s", path, what);
	return -1;
}

/* The key in an open file. */
static int
read_key(int fd, const char *path, uint8_t secret[KEYTEXT_KEY],
    char why[KEYFILE_WHY])
{
	char text[KEYTEXT_LEN + 2];
	struct stat st;
	ssize_t n;
	int ret = -1;

	if (fstat(fd, &st) == -1)
		return complain(why, path, strerror(errno));
	if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0 ||
	    (st.st_uid != geteuid() && st.st_uid != 0))
		return complain(
		    why, path, "expected a file of yours with mode 0600");
	n = read(fd, text, sizeof(text));
	if (n == KEYTEXT_LEN + 1 && text[KEYTEXT_LEN] == '\n')
		n = KEYTEXT_LEN;
	if (n == KEYTEXT_LEN && keytext_decode(secret, text, KEYTEXT_LEN) == 0)
		ret = 0;
	else
		complain(why, path, "expected one line of 43 characters");
	sodium_memzero(text, sizeof(text));
	return ret;
}

int
keyfile_read(
    const char *path, uint8_t secret[KEYTEXT_KEY], char why[KEYFILE_WHY])
{
	int fd, ret;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return complain(why, path, strerror(errno));
	ret = read_key(fd, path, secret, why);
	close(fd);
	return ret;
}

static int
write_key(const char *path, const char *text, size_t n, char why[KEYFILE_WHY])
{
	int fd;
	bool ok;

	if (path == NULL)
		return write(STDOUT_FILENO, text, n) == (ssize_t)n
		    ? 0
		    : complain(why, "standard output", strerror(errno));
	fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return complain(why, path, strerror(errno));
	ok = write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
	if (!ok) {
		complain(why, path, strerror(errno));
		unlink(path);
	}
	close(fd);
	return ok ? 0 : -1;
}

int
keyfile_make(
    const char *path, uint8_t public[KEYTEXT_KEY], char why[KEYFILE_WHY])
{
	char text[KEYTEXT_SIZE];
	uint8_t secret[KEYTEXT_KEY];
	int ret;

	randombytes_buf(secret, sizeof(secret));
	crypto_scalarmult_base(public, secret);
	keytext_encode(text, secret);
	text[KEYTEXT_LEN] = '\n';
	ret = write_key(path, text, KEYTEXT_LEN + 1, why);
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(text, sizeof(text));
	return ret;
}
