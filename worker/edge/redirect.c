/* The answer to whoever came by http and is served by https. */
#include "worker/edge/redirect.h"

#include <sys/uio.h>

#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/http/host.h"

#define HTTPS_PORT 443

#define START                                                      \
	"HTTP/1.1 308 Permanent Redirect\r\nContent-Length: 0\r\n" \
	"Connection: close\r\nLocation: https://"
#define END "\r\n\r\n"

static struct iovec
piece(const char *p, size_t n)
{
	return (struct iovec){ .iov_base = (void *)(uintptr_t)p, .iov_len = n };
}

int
redirect_send(int fd, const struct head *h, uint16_t port)
{
	char host[HOST_NAME_SIZE], colon[8] = "";
	struct iovec iov[6];
	size_t total = 0;

	if (host_name(host, NULL, h->host.p, h->host.n) == -1)
		return -1;
	if (port != HTTPS_PORT)
		snprintf(colon, sizeof(colon), ":%u", port);
	/* An absolute-form may have no path, "*" is none. */
	if (h->path.n > 0 && h->path.p[0] == '/')
		iov[3] = piece("", 0);
	else
		iov[3] = piece("/", 1);
	iov[0] = piece(START, sizeof(START) - 1);
	iov[1] = piece(host, strlen(host));
	iov[2] = piece(colon, strlen(colon));
	iov[4] = piece(h->path.p, h->path.n);
	if (h->path.n > 0 && h->path.p[0] == '*')
		iov[4].iov_len = 0;
	iov[5] = piece(END, sizeof(END) - 1);
	for (size_t i = 0; i < 6; i++)
		total += iov[i].iov_len;
	log_debug("308 to https://%s%s", host, colon);
	return writev(fd, iov, 6) == (ssize_t)total ? 0 : -1;
}
