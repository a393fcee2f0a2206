/* Secrets as a configuration gives them. */
#include "common/conf/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Read up to n bytes, to the end of the file. -1 with errno. */
static ssize_t
read_full(int fd, char *dst, size_t n)
{
	size_t got = 0;
	ssize_t r;

	while (got < n) {
		r = read(fd, dst + got, n - got);
		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1)
			return -1;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

const char *
secret_read(char dst[SECRET_MAX + 1], const char *path)
{
	char text[SECRET_MAX + 3]; /* one too many, and "\r\n" */
	const char *fault = NULL;
	ssize_t got;
	size_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return strerror(errno);
	got = read_full(fd, text, sizeof(text));
	if (got == -1)
		fault = strerror(errno);
	close(fd);
	n = got == -1 ? 0 : (size_t)got;
	if (n > 0 && text[n - 1] == '\n')
		n--;
	if (n > 0 && text[n - 1] == '\r')
		n--;
	if (fault == NULL &&
	    (n == 0 || n > SECRET_MAX || memchr(text, '\0', n) != NULL ||
		memchr(text, '\n', n) != NULL))
		fault = "expected a file of one line, 1 to 255 bytes";
	if (fault == NULL) {
		memcpy(dst, text, n);
		dst[n] = '\0';
	}
	explicit_bzero(text, sizeof(text));
	return fault;
}

int
secret_resolve(char **secret, char why[SECRET_WHY])
{
	char read[SECRET_MAX + 1];
	const char *fault;
	char *copy;

	if (**secret != '@')
		return 0;
	fault = secret_read(read, *secret + 1);
	copy = fault == NULL ? strdup(read) : NULL;
	explicit_bzero(read, sizeof(read));
	if (copy == NULL) {
		/* Not its name: maybe it is a secret that begins with "@". */
		snprintf(why, SECRET_WHY, "the file after \"@\": %s",
		    fault != NULL ? fault : strerror(ENOMEM));
		return -1;
	}
	explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = copy;
	return 0;
}
