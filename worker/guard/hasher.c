/* argon2 in a process of its own. */
#include "worker/guard/hasher.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/conf/verifier.h"
#include "common/sys/helper.h"

#define REQUEST_MAX (2 + VERIFIER_HASH_MAX + LOGIN_SECRET_MAX)

struct job {
	uint32_t id, number;
	struct addr source;
	uint64_t since; /* ms */
	char hash[VERIFIER_HASH_MAX + 1];
	char secret[LOGIN_SECRET_MAX + 1];
};

struct hasher {
	int fd;
	uint64_t wait; /* ms */
	struct event *readable;
	const struct hasher_ops *ops;
	void *arg;
	struct job *queue; /* ring in guarded memory; the first one runs */
	size_t first, count;
	bool running; /* the first one does run */
};

/* The child: one request (hash str8, secret str8), one answer (u8). */
static void
hash_one(const uint8_t *p, size_t n, uint8_t *answer)
{
	char secret[LOGIN_SECRET_MAX + 1];
	char hash[VERIFIER_HASH_MAX + 1];
	struct buf b;

	*answer = 0;
	buf_read(&b, p, n);
	buf_get_cstr8(&b, hash, sizeof(hash));
	buf_get_cstr8(&b, secret, sizeof(secret));
	if (buf_done(&b) &&
	    crypto_pwhash_str_verify(hash, secret, strlen(secret)) == 0)
		*answer = 1;
	explicit_bzero(secret, sizeof(secret));
}

static void
serve(int fd)
{
	uint8_t request[REQUEST_MAX], answer;
	ssize_t n;

	while ((n = recv(fd, request, sizeof(request), 0)) > 0) {
		hash_one(request, (size_t)n, &answer);
		explicit_bzero(request, sizeof(request));
		if (send(fd, &answer, sizeof(answer), MSG_NOSIGNAL) == -1)
			break;
	}
}

int
hasher_fork(const struct sandbox *box, int close_fd)
{
	return helper_fork(box, close_fd, serve);
}

static void
end(struct hasher *h)
{
	event_del(h->readable);
	h->ops->ended(h->arg);
}

/* Have the first of the queue hashed. */
static void
run(struct hasher *h)
{
	const struct job *j = &h->queue[h->first];
	uint8_t request[REQUEST_MAX];
	struct buf b;

	h->running = true;
	buf_write(&b, request, sizeof(request));
	buf_put_cstr8(&b, j->hash);
	buf_put_cstr8(&b, j->secret);
	if (send(h->fd, request, buf_used(&b), MSG_DONTWAIT | MSG_NOSIGNAL) ==
	    -1)
		end(h);
	explicit_bzero(request, sizeof(request));
}

/* The first of the queue has its answer. */
static void
finish(struct hasher *h, enum login_code code)
{
	uint32_t id = h->queue[h->first].id;
	uint32_t number = h->queue[h->first].number;

	sodium_memzero(&h->queue[h->first], sizeof(h->queue[0]));
	h->first = (h->first + 1) % HASHER_QUEUE;
	h->count--;
	h->ops->done(h->arg, id, number, code);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct hasher *h = arg;
	uint8_t answer = 0;
	ssize_t n;

	(void)what;
	n = recv(fd, &answer, sizeof(answer), MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != sizeof(answer) || h->count == 0) {
		end(h);
		return;
	}
	h->running = false;
	finish(h, answer == 1 ? LOGIN_OK : LOGIN_WRONG_SECRET);
	while (h->count > 0 && !h->running &&
	    clock_ms() - h->queue[h->first].since > h->wait)
		finish(h, LOGIN_BUSY);
	if (h->count > 0 && !h->running)
		run(h);
}

struct hasher *
hasher_new(struct event_base *base, int fd, uint64_t wait,
    const struct hasher_ops *ops, void *arg)
{
	struct hasher *h;

	if ((h = calloc(1, sizeof(*h))) == NULL)
		return NULL;
	h->fd = fd;
	h->wait = wait;
	h->ops = ops;
	h->arg = arg;
	if ((h->queue = sodium_allocarray(HASHER_QUEUE, sizeof(struct job))) ==
	    NULL)
		goto err0;
	h->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, h);
	if (h->readable == NULL || event_add(h->readable, NULL) == -1)
		goto err1;
	return h;

err1:
	if (h->readable != NULL)
		event_free(h->readable);
	sodium_free(h->queue);
err0:
	free(h);
	return NULL;
}

void
hasher_free(struct hasher *h)
{
	if (h == NULL)
		return;
	event_free(h->readable);
	close(h->fd);
	sodium_free(h->queue);
	free(h);
}

static bool
source_waits(const struct hasher *h, const struct addr *source)
{
	if (source->family == ADDR_ANY)
		return false;
	for (size_t i = 0; i < h->count; i++)
		if (addr_equal(source,
			&h->queue[(h->first + i) % HASHER_QUEUE].source))
			return true;
	return false;
}

int
hasher_submit(struct hasher *h, uint32_t id, uint32_t number,
    const struct addr *source, const char *hash, const char *secret)
{
	struct job *j = &h->queue[(h->first + h->count) % HASHER_QUEUE];

	if (h->count == HASHER_QUEUE || source_waits(h, source) ||
	    strlen(hash) >= sizeof(j->hash) ||
	    strlen(secret) >= sizeof(j->secret))
		return -1;
	j->id = id;
	j->number = number;
	j->source = *source;
	j->since = clock_ms();
	strcpy(j->hash, hash);
	strcpy(j->secret, secret);
	h->count++;
	if (!h->running)
		run(h);
	return 0;
}
