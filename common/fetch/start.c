/* What every process of role `fetch` begins with. */
#include "common/fetch/start.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/fetch/http.h"
#include "common/fetch/lookup.h"
#include "common/sys/sandbox.h"

#define CA_MAX (4u << 20) /* bytes of certificates */

int
start_lookup(const struct msg_boot *boot)
{
	struct sandbox box = {
		.role = SANDBOX_RESOLVE,
		.privileged = boot->privileged,
		.uid = boot->uid,
		.gid = boot->gid,
	};

	return lookup_fork(&box, MSG_CHANNEL_FD);
}

int
start_take_ca(struct http *h, uint32_t which, int fd)
{
	size_t n = 0;
	ssize_t got = 1;
	char *pem;

	if (which >= HTTP_CAS) {
		if (fd != -1)
			close(fd);
		return -1;
	}
	if (fd == -1)
		return 0;
	pem = malloc(CA_MAX);
	while (pem != NULL && n < CA_MAX && got > 0) {
		got = read(fd, pem + n, CA_MAX - n);
		n += got > 0 ? (size_t)got : 0;
	}
	close(fd);
	if (pem == NULL || got != 0 || http_set_ca(h, which, pem, n) == -1)
		log_warnx("cannot read the certificates to verify by");
	free(pem);
	return 0;
}
