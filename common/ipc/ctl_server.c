/* The daemon's side of the control socket. */
#include "common/ipc/ctl_server.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A packet that waits to be read by the controller. */
struct packet {
	struct packet *next;
	size_t n;
	uint8_t bytes[];
};

struct ctl_call {
	struct ctl_call *next;
	struct ctl_server *server;
	int fd;
	struct event *readable, *writable;
	struct packet *head, **tail;
	size_t queued; /* bytes */
	bool asked;    /* the request has come */
	bool answered; /* the last packet is queued */
	void (*gone)(void *arg);
	void *gone_arg;
};

struct ctl_server {
	struct event_base *base;
	int fd;
	struct event *accepting, *resume;
	struct ctl_call *calls;
	unsigned count;
	ctl_handler fn;
	void *arg;
};

static void
drop_first(struct ctl_call *call)
{
	struct packet *p = call->head;

	if ((call->head = p->next) == NULL)
		call->tail = &call->head;
	call->queued -= p->n;
	free(p);
}

/* Unlink and free, telling nobody. The socket is closed unless taken. */
static void
free_call(struct ctl_call *call)
{
	struct ctl_call **at = &call->server->calls;

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	call->server->count--;
	while (call->head != NULL)
		drop_first(call);
	event_free(call->readable);
	event_free(call->writable);
	if (call->fd != -1)
		close(call->fd);
	free(call);
}

/* The controller hung up, or cannot be served. */
static void
hang_up(struct ctl_call *call)
{
	void (*gone)(void *) = call->answered ? NULL : call->gone;
	void *arg = call->gone_arg;

	/*
	 * Whoever works on an answer still holds the call: it lives on, mute,
	 * until ctl_ok() or ctl_fail(), unless they asked to be told.
	 */
	if (call->asked && !call->answered && gone == NULL) {
		event_del(call->readable);
		event_del(call->writable);
		if (call->fd != -1)
			close(call->fd);
		call->fd = -1;
		return;
	}
	free_call(call);
	if (gone != NULL)
		gone(arg);
}

static void
flush(struct ctl_call *call)
{
	while (call->fd != -1 && call->head != NULL) {
		if (send(call->fd, call->head->bytes, call->head->n,
			MSG_DONTWAIT | MSG_NOSIGNAL) == -1) {
			if (errno != EAGAIN && errno != EINTR) {
				hang_up(call);
				return;
			}
			event_add(call->writable, NULL);
			return;
		}
		drop_first(call);
	}
	if (call->answered)
		free_call(call);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	flush(arg);
}

static void
enqueue(struct ctl_call *call, enum ctl_type type, const void *p, size_t n)
{
	struct packet *q;

	if (call->fd == -1 || n + 1 > CTL_PACKET_MAX ||
	    call->queued + n > CTL_QUEUE_BYTES ||
	    (q = malloc(sizeof(*q) + n + 1)) == NULL)
		return;
	q->next = NULL;
	q->n = n + 1;
	q->bytes[0] = (uint8_t)type;
	if (n > 0)
		memcpy(q->bytes + 1, p, n);
	*call->tail = q;
	call->tail = &q->next;
	call->queued += q->n;
	/* Sent from the loop, so that no call ends under its handler. */
	event_active(call->writable, EV_WRITE, 0);
}

void
ctl_shape(struct ctl_call *call, enum ctl_shape shape)
{
	uint8_t byte = (uint8_t)shape;

	enqueue(call, CTL_SHAPE, &byte, 1);
}

void
ctl_row(struct ctl_call *call, struct ctl_row *r)
{
	const uint8_t *p;
	size_t n;

	if ((p = ctl_row_end(r, &n)) != NULL)
		enqueue(call, CTL_ROW, p, n);
}

void
ctl_row_raw(struct ctl_call *call, const void *p, size_t n)
{
	if (ctl_row_ok(p, n))
		enqueue(call, CTL_ROW, p, n);
}

/* The last packet is queued: free now if nobody waits for it. */
static void
finish(struct ctl_call *call)
{
	call->answered = true;
	if (call->fd == -1)
		free_call(call);
}

void
ctl_ok(struct ctl_call *call)
{
	enqueue(call, CTL_DONE, NULL, 0);
	finish(call);
}

void
ctl_fail(struct ctl_call *call, const char *fmt, ...)
{
	char text[CTL_PACKET_MAX / 2];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	enqueue(call, CTL_ERROR, text, strlen(text));
	finish(call);
}

void
ctl_on_gone(struct ctl_call *call, void (*gone)(void *arg), void *arg)
{
	call->gone = gone;
	call->gone_arg = arg;
}

/* The one request, or the end of the controller. */
static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_call *call = arg;
	struct ctl_request req;
	uint8_t packet[CTL_PACKET_MAX + 1];
	ssize_t n;

	(void)what;
	n = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || call->asked) {
		hang_up(call);
		return;
	}
	call->asked = true;
	if (ctl_request_get(&req, packet, (size_t)n) == -1)
		ctl_fail(call, "malformed request");
	else
		call->server->fn(call->server->arg, call, &req);
}

static struct ctl_call *
new_call(struct ctl_server *s, int fd)
{
	struct ctl_call *call;

	if ((call = calloc(1, sizeof(*call))) == NULL)
		goto err0;
	call->server = s;
	call->fd = fd;
	call->tail = &call->head;
	call->readable =
	    event_new(s->base, fd, EV_READ | EV_PERSIST, on_readable, call);
	call->writable = event_new(s->base, fd, EV_WRITE, on_writable, call);
	if (call->readable == NULL || call->writable == NULL ||
	    event_add(call->readable, NULL) == -1)
		goto err1;
	call->next = s->calls;
	s->calls = call;
	s->count++;
	return call;

err1:
	if (call->readable != NULL)
		event_free(call->readable);
	if (call->writable != NULL)
		event_free(call->writable);
	free(call);
err0:
	close(fd);
	return NULL;
}

static bool
may_control(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
	    (cred.uid == 0 || cred.uid == geteuid());
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_server *s = arg;
	int conn;

	(void)what;
	conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (conn == -1) {
		/* Out of descriptors it would stay readable: do not spin. */
		if (errno == EMFILE || errno == ENFILE) {
			event_del(s->accepting);
			event_add(s->resume, &(struct timeval){ 1, 0 });
		}
		return;
	}
	if (s->count >= CTL_CALLS_MAX || !may_control(conn)) {
		close(conn);
		return;
	}
	new_call(s, conn);
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_server *s = arg;

	(void)fd;
	(void)what;
	event_add(s->accepting, NULL);
}

struct ctl_server *
ctl_server_new(struct event_base *base, int fd, ctl_handler fn, void *arg)
{
	struct ctl_server *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->base = base;
	s->fd = fd;
	s->fn = fn;
	s->arg = arg;
	s->accepting = event_new(base, fd, EV_READ | EV_PERSIST, on_accept, s);
	s->resume = evtimer_new(base, on_resume, s);
	if (s->accepting == NULL || s->resume == NULL ||
	    event_add(s->accepting, NULL) == -1) {
		if (s->accepting != NULL)
			event_free(s->accepting);
		if (s->resume != NULL)
			event_free(s->resume);
		free(s);
		return NULL;
	}
	return s;
}

void
ctl_server_free(struct ctl_server *s)
{
	if (s == NULL)
		return;
	while (s->calls != NULL) {
		/* The last answers, as far as the socket takes them. */
		struct ctl_call *call = s->calls;

		while (call->fd != -1 && call->head != NULL &&
		    send(call->fd, call->head->bytes, call->head->n,
			MSG_DONTWAIT | MSG_NOSIGNAL) != -1)
			drop_first(call);
		free_call(call);
	}
	event_free(s->accepting);
	event_free(s->resume);
	close(s->fd);
	free(s);
}

int
ctl_server_fd(const struct ctl_server *s)
{
	return s->fd;
}

int
ctl_take(struct ctl_call *call)
{
	int fd = call->fd;

	call->fd = -1;
	free_call(call);
	return fd;
}

struct ctl_call *
ctl_adopt(struct ctl_server *s, int fd)
{
	struct ctl_call *call;

	if (s->count >= CTL_ADOPTED_MAX) {
		close(fd);
		return NULL;
	}
	if ((call = new_call(s, fd)) != NULL)
		call->asked = true;
	return call;
}
