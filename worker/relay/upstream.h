/*
 * What a user's connection is connected to: a stream of a client's tunnel, or
 * (for hosts of other relays) one end of a socketpair. A user has one for
 * each host that its connection carries requests for, at most
 * UPSTREAM_MAX; `current` answers now.
 */
#ifndef UPSTREAM_H
#define UPSTREAM_H

#include <sys/uio.h>

#include "common/net/outq.h"
#include "common/tunnel/tunnel.h"
#include "worker/relay/relay.h"

#define UPSTREAM_MAX 8
#define UPSTREAM_PIPE_QUEUE 65536 /* bytes that may wait for a socketpair */

/* A socketpair to another relay. */
struct pipe_end {
	int fd;
	struct event *ev;
	struct outq out;
	bool fin_sent;
	bool paused; /* not read because the user is slow */
};

struct upstream {
	struct grave grave;
	struct upstream *next;
	struct user *user;
	char *name;		 /* the host, as names are compared */
	struct session *session; /* NULL: foreign, or gone */
	struct stream *stream;	 /* NULL: not opened, or foreign */
	struct pipe_end *pipe;	 /* foreign */
	size_t owed;		 /* bytes received and not yet granted again */
	uint16_t service;
	bool fin; /* it will send no more */
};

/* A new one for a service of that session; opened at the first write. */
struct upstream *upstream_to_service(
    struct user *u, struct session *s, uint16_t service, const char *name);

/* A new one over a socketpair's end, which it owns also when it fails. */
struct upstream *upstream_to_pipe(struct user *u, int fd, const char *name);

/* The user's upstream for that host, or NULL. */
struct upstream *upstream_find(const struct user *u, const char *name);

/*
 * Make sure that it can be written to. 0; -1 with errno EAGAIN: the session
 * takes no stream just now but will; ENOTCONN: it is gone.
 */
int upstream_open(struct upstream *up);

/* How many bytes may be written now; 0: user_resume() will be called. */
size_t upstream_room(struct upstream *up);

/* Write at most upstream_room() bytes; returns how many were taken. */
size_t upstream_write(struct upstream *up, const void *p, size_t n);

/* No more bytes from the user. */
void upstream_shut(struct upstream *up);

/* n bytes of what it sent have left for the user. */
void upstream_sent(struct upstream *up, size_t n);

/* End it, with a reset unless both directions had ended, and free it. */
void upstream_end(struct upstream *up);

/* The same in order: the service gets a FIN and some time to answer it. */
void upstream_leave(struct upstream *up);

/* The session is being freed. */
void upstream_forget_session(struct session *s);

/* tunnel_ops: the owner of a stream is its upstream. */
void upstream_opened(void *owner);
void upstream_data(void *owner, const struct iovec *iov, int n, size_t total);
void upstream_fin(void *owner);
void upstream_reset(void *owner, enum reset reason);
void upstream_room_again(void *owner);

#endif
