/* The server's identity. */
#include "master/hostkey.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"

/* Write the new key beside its place, then move it there as a whole. */
static int
write_key(const char *path, const uint8_t secret[KEYTEXT_KEY])
{
	char text[KEYTEXT_SIZE + 1], temp[PATH_MAX];
	int fd, n;
	bool ok;

	n = snprintf(temp, sizeof(temp), "%s.new", path);
	if (n < 0 || (size_t)n >= sizeof(temp)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	unlink(temp);
	fd = open(
	    temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	keytext_encode(text, secret);
	text[KEYTEXT_LEN] = '\n';
	ok = write(fd, text, KEYTEXT_LEN + 1) == KEYTEXT_LEN + 1 &&
	    fsync(fd) == 0 && link(temp, path) == 0;
	sodium_memzero(text, sizeof(text));
	n = errno;
	close(fd);
	unlink(temp);
	errno = n;
	return ok ? 0 : -1;
}

/* The directory of the key and those above it, as far as they are missing. */
static int
make_parents(const char *path)
{
	char dir[PATH_MAX];

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
	return 0;
}

static int
make_key(const char *path)
{
	uint8_t secret[KEYTEXT_KEY];
	int ret;

	randombytes_buf(secret, sizeof(secret));
	ret = make_parents(path) == -1 ? -1 : write_key(path, secret);
	sodium_memzero(secret, sizeof(secret));
	if (ret == -1 && errno == EEXIST) /* somebody was faster */
		return 0;
	if (ret == -1)
		log_error(
		    "host_key: cannot make %s: %s", path, strerror(errno));
	else
		log_info("host_key: made a new one, %s", path);
	return ret;
}

static int
read_key(int fd, const char *path, uint8_t secret[KEYTEXT_KEY])
{
	char text[KEYTEXT_SIZE + 1];
	struct stat st;
	ssize_t n;
	int ret = -1;

	if (fstat(fd, &st) == -1) {
		log_error("host_key: %s: %s", path, strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0 ||
	    (st.st_uid != geteuid() && st.st_uid != 0)) {
		log_error(
		    "host_key: %s must be a file of ours with mode 0600", path);
		return -1;
	}
	n = read(fd, text, sizeof(text));
	if (n == KEYTEXT_LEN + 1 && text[KEYTEXT_LEN] == '\n')
		n = KEYTEXT_LEN;
	if (n != KEYTEXT_LEN || keytext_decode(secret, text, KEYTEXT_LEN) == -1)
		log_error("host_key: %s is damaged: it should hold one line "
			  "of %d characters",
		    path, KEYTEXT_LEN);
	else
		ret = 0;
	sodium_memzero(text, sizeof(text));
	return ret;
}

int
hostkey_load(const char *path, bool make, uint8_t secret[KEYTEXT_KEY],
    uint8_t public[KEYTEXT_KEY])
{
	int fd, ret;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1 && errno == ENOENT && make) {
		if (make_key(path) == -1)
			return -1;
		fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd == -1) {
		log_error("host_key: %s: %s", path, strerror(errno));
		return -1;
	}
	ret = read_key(fd, path, secret);
	close(fd);
	if (ret == 0 && crypto_scalarmult_base(public, secret) == -1) {
		log_error("host_key: %s holds no usable key", path);
		ret = -1;
	}
	return ret;
}
