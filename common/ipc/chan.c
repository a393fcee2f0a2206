/* A channel between a parent and one of its workers: sending and lifetime. */
#include "common/ipc/chan.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ipc/chan_io.h"

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* asm-generic/socket.h of Linux 6.16 */
#endif

/* A frame that waits to be sent. */
struct pending {
	struct pending *next;
	int fd; /* ours, or -1 */
	size_t n;
	uint8_t frame[];
};

struct chan {
	struct event_base *base;
	int fd; /* -1 once ended */
	enum role role;
	bool parent, ready, congested, was_congested;
	const struct chan_ops *ops;
	void *arg;
	struct event *readable, *writable, *flush;
	struct pending *head, **tail;
	size_t queued, bytes;
};

int
chan_pair(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds);
}

void
chan_refuse_fds(int fd)
{
	int off = 0;

	/* Kernels that do not know the option say so, to nobody's surprise. */
	(void)setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof(off));
}

static void
drop_first(struct chan *c)
{
	struct pending *first = c->head;

	c->head = first->next;
	if (c->head == NULL)
		c->tail = &c->head;
	c->queued--;
	c->bytes -= first->n;
	if (first->fd != -1)
		close(first->fd);
	/* Keys and logins pass here: none may stay behind in the heap. */
	explicit_bzero(first->frame, first->n);
	free(first);
}

void
chan_close(struct chan *c)
{
	if (c->fd == -1)
		return;
	if (!c->parent) /* its last words */
		chan_flush(c);
	event_del(c->readable);
	event_del(c->writable);
	event_del(c->flush);
	while (c->head != NULL)
		drop_first(c);
	close(c->fd);
	c->fd = -1;
}

static void
end(struct chan *c, const char *why)
{
	if (c->fd == -1)
		return;
	chan_close(c);
	c->ops->ended(c->arg, why);
}

/* Tell the owner once that a queue which was in the way is gone. */
static void
tell_drained(struct chan *c)
{
	if (!c->was_congested || c->head != NULL || c->fd == -1)
		return;
	c->was_congested = false;
	if (c->ops->drained != NULL)
		c->ops->drained(c->arg);
}

/* The kernel has taken nothing: see to it that we try again. */
static void
blocked(struct chan *c, int err)
{
	static const struct timeval retry = { 0, CHAN_RETRY_MS * 1000 };

	c->congested = c->was_congested = true;
	switch (err) {
	case EAGAIN:
	case EINTR:
		event_add(c->writable, NULL);
		break;
	case ETOOMANYREFS: /* too many descriptors in flight */
	case ENOBUFS:
	case ENOMEM:
		event_add(c->flush, &retry);
		break;
	default:
		/*
		 * The peer is gone. Let the reading side find out, so that no
		 * send ever ends a channel under its caller.
		 */
		event_active(c->readable, EV_READ, 0);
	}
}

void
chan_flush(struct chan *c)
{
	struct chan_out out[CHAN_BATCH];

	c->congested = false;
	while (c->fd != -1 && c->head != NULL) {
		struct pending *p = c->head;
		size_t n = 0;
		ssize_t sent;

		for (; p != NULL && n < CHAN_BATCH; p = p->next)
			out[n++] = (struct chan_out){ p->frame, p->n, p->fd };
		sent = chan_io_send(c->fd, out, n, c->parent);
		if (sent == -1) {
			blocked(c, errno);
			return;
		}
		while (sent-- > 0)
			drop_first(c);
	}
}

static void
on_flush(evutil_socket_t fd, short what, void *arg)
{
	struct chan *c = arg;

	(void)fd;
	(void)what;
	chan_flush(c);
	tell_drained(c);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct chan *c = arg;

	(void)fd;
	(void)what;
	chan_flush(c);
	tell_drained(c);
}

static int
enqueue(
    struct chan *c, uint8_t type, uint32_t id, const void *p, size_t n, int fd)
{
	size_t most = c->parent ? CHAN_QUEUE_MAX : CHAN_QUEUE_UP_MAX;
	size_t bytes = c->parent ? CHAN_QUEUE_BYTES : CHAN_QUEUE_UP_BYTES;
	struct pending *q;

	if (c->queued >= most || c->bytes + MSG_HEAD + n > bytes) {
		errno = ENOBUFS;
		return -1;
	}
	if ((q = malloc(sizeof(*q) + MSG_HEAD + n)) == NULL)
		return -1;
	q->next = NULL;
	q->fd = fd;
	q->n = MSG_HEAD + n;
	msg_head(q->frame, type, id, n);
	if (n > 0)
		memcpy(q->frame + MSG_HEAD, p, n);
	*c->tail = q;
	c->tail = &q->next;
	c->queued++;
	c->bytes += q->n;
	return 0;
}

/* Queue, and see to it that the queue is sent. Takes fd in any case. */
static int
submit(
    struct chan *c, uint8_t type, uint32_t id, const void *p, size_t n, int fd)
{
	if (c->fd == -1)
		errno = EPIPE;
	if (c->fd == -1 || n > MSG_PAYLOAD_MAX ||
	    enqueue(c, type, id, p, n, fd) == -1) {
		if (fd != -1)
			close(fd);
		return -1;
	}
	if (c->congested)
		return 0;
	if (c->queued == CHAN_BATCH)
		chan_flush(c);
	else if (c->queued == 1)
		event_active(c->flush, EV_TIMEOUT, 0);
	return 0;
}

int
chan_send(
    struct chan *c, uint8_t type, uint32_t id, const void *p, size_t n, int fd)
{
	return submit(c, type, id, p, n, fd);
}

int
chan_send_keep(
    struct chan *c, uint8_t type, uint32_t id, const void *p, size_t n, int fd)
{
	uint8_t frame[MSG_HEAD + 256];
	struct chan_out out = { frame, MSG_HEAD + n, fd };
	int copy;

	/* A small frame that overtakes nothing leaves at once, uncopied. */
	if (c->fd != -1 && c->head == NULL && n <= sizeof(frame) - MSG_HEAD) {
		msg_head(frame, type, id, n);
		if (n > 0)
			memcpy(frame + MSG_HEAD, p, n);
		if (chan_io_send(c->fd, &out, 1, c->parent) == 1)
			return 0;
	}
	if ((copy = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1)
		return -1;
	return submit(c, type, id, p, n, copy);
}

/* One received frame: check it, hand it on. -1 if the channel is broken. */
static int
take(struct chan *c, const uint8_t *p, size_t n, int fd)
{
	struct msg m = { .fd = fd };
	chan_handler fn;
	int type;

	type = msg_check(p, n, c->role, c->parent, c->ready, &m.id);
	if (type == -1 || (fd != -1 && !msg_row((uint8_t)type)->fd) ||
	    (fn = c->ops->handlers[type]) == NULL) {
		if (fd != -1)
			close(fd);
		return -1;
	}
	m.type = (uint8_t)type;
	m.p = p + MSG_HEAD;
	m.n = n - MSG_HEAD;
	return fn(c->arg, &m);
}

/*
 * One packet, which from a worker, to its parent or to another worker, has
 * several frames; with a descriptor it is one. How many, or -1.
 */
static int
take_packet(struct chan *c, const struct chan_in *in)
{
	size_t at = 0, n;
	int frames = 0;

	if (in->stray) {
		if (in->fd != -1)
			close(in->fd);
		return -1;
	}
	if (in->fd != -1)
		return take(c, in->p, in->n, in->fd) == -1 ? -1 : 1;
	while (at < in->n && c->fd != -1) {
		n = msg_length(in->p + at, in->n - at);
		if (n == 0 || frames == CHAN_BATCH ||
		    take(c, in->p + at, n, -1) == -1)
			return -1;
		at += n;
		frames++;
	}
	return frames;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct chan *c = arg;
	uint8_t space[MSG_MAX + 1];
	struct chan_in in = { .p = space };
	int taken;

	(void)fd;
	(void)what;
	for (int frames = 0; frames < CHAN_BATCH && c->fd != -1;
	    frames += taken) {
		switch (chan_io_recv(c->fd, &in, sizeof(space), c->parent)) {
		case -1:
			if (errno == EAGAIN || errno == EINTR)
				return;
			end(c, strerror(errno));
			return;
		case 0:
			end(c, "closed by peer");
			return;
		default:
			taken = take_packet(c, &in);
			/* Keys and logins pass here, on the stack too. */
			explicit_bzero(space, in.n);
			if (taken == -1) {
				end(c, "broken frame");
				return;
			}
		}
	}
}

static struct event *
new_event(struct chan *c, short what, event_callback_fn fn)
{
	return event_new(c->base, what == 0 ? -1 : c->fd, what, fn, c);
}

struct chan *
chan_new(struct event_base *base, int fd, enum role role, bool parent,
    const struct chan_ops *ops, void *arg)
{
	struct chan *c;
	int flags;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->base = base;
	c->fd = fd;
	c->role = role;
	c->parent = parent;
	c->ops = ops;
	c->arg = arg;
	c->tail = &c->head;
	/* A sandbox forbids F_SETFL: there it has been made so. */
	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    ((flags & O_NONBLOCK) == 0 &&
		fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1))
		goto err0;
	c->readable = new_event(c, EV_READ | EV_PERSIST, on_readable);
	c->writable = new_event(c, EV_WRITE, on_writable);
	c->flush = new_event(c, 0, on_flush);
	if (c->readable == NULL || c->writable == NULL || c->flush == NULL ||
	    event_add(c->readable, NULL) == -1)
		goto err1;
	return c;

err1:
	if (c->readable != NULL)
		event_free(c->readable);
	if (c->writable != NULL)
		event_free(c->writable);
	if (c->flush != NULL)
		event_free(c->flush);
err0:
	free(c);
	return NULL;
}

void
chan_free(struct chan *c)
{
	if (c == NULL)
		return;
	chan_close(c);
	event_free(c->readable);
	event_free(c->writable);
	event_free(c->flush);
	free(c);
}

bool
chan_congested(const struct chan *c)
{
	return c->congested;
}

size_t
chan_queued(const struct chan *c)
{
	return c->queued;
}

void
chan_set_ready(struct chan *c)
{
	c->ready = true;
}

bool
chan_is_ready(const struct chan *c)
{
	return c->ready;
}

int
chan_fd(const struct chan *c)
{
	return c->fd;
}
