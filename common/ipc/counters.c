/* A relay's counter memory. */
#include "common/ipc/counters.h"

#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

struct counters *
counters_map(int fd)
{
	void *p;

	p = mmap(NULL, sizeof(struct counters), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

const struct counters *
counters_new(int *fd)
{
	void *p;
	int mem, e;

	mem = memfd_create("ptp-counters", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (mem == -1)
		return NULL;
	/* A map that shrinks would kill its reader by SIGBUS. */
	if (ftruncate(mem, sizeof(struct counters)) == -1 ||
	    fcntl(mem, F_ADD_SEALS,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == -1)
		goto err;
	p = mmap(NULL, sizeof(struct counters), PROT_READ, MAP_SHARED, mem, 0);
	if (p == MAP_FAILED)
		goto err;
	*fd = mem;
	return p;

err:
	e = errno;
	close(mem);
	errno = e;
	return NULL;
}

int
counters_share(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

const struct counters *
counters_watch(int fd)
{
	void *p;

	p = mmap(NULL, sizeof(struct counters), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

void
counters_free(const struct counters *c)
{
	if (c != NULL)
		munmap((void *)(uintptr_t)c, sizeof(*c));
}
