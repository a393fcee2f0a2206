/*
 * What a user's connection is connected to: a stream of a client's tunnel, or
 * (for hosts of other relays) one end of a socketpair. A user has one for
 * each host that its connection carries requests for, at most
 * UPSTREAM_MAX; `current` answers now.
 */
#ifndef UPSTREAM_H
#define UPSTREAM_H

#include <sys/uio.h>

#include "common/tunnel/tunnel.h"
#include "worker/relay/relay.h"

#define UPSTREAM_MAX 8

struct pair;
struct throttle;

struct upstream {
	struct upstream *next;
	union {
		struct { /* in the session's queue */
			struct upstream *wait_next, **wait_prev;
		};
		struct grave grave; /* ended */
	};
	struct user *user;
	struct session *session;   /* NULL: foreign, or gone */
	struct stream *stream;	   /* NULL: not opened, or foreign */
	struct pair *pair;	   /* foreign */
	struct throttle *throttle; /* NULL: it has met no limit yet */
	uint32_t owed; /* bytes received and not yet granted again */
	uint16_t service;
	bool fin : 1;	    /* it will send no more */
	bool opened : 1;    /* the local connection stood */
	bool confirmed : 1; /* the master says that the session is there */
	bool connect : 1;   /* its stream is opaque, behind a CONNECT */
	char name[];	    /* the host, as names are compared */
};

/*
 * A new one for a service of that session (NULL: one that has gone), opened at
 * the first write.
 */
struct upstream *upstream_to_service(
    struct user *u, struct session *s, uint16_t service, const char *name);

/* A new one over a socketpair's end, which it owns also when it fails. */
struct upstream *upstream_to_pair(struct user *u, int fd, const char *name);

/* The user's upstream for that host, or NULL. */
struct upstream *upstream_find(const struct user *u, const char *name);

/*
 * Make sure that it can be written to. 0; -1 with errno EAGAIN: the session
 * takes no stream just now, user_resume() is called when that may have
 * changed; ENOTCONN: it is gone, or leaves and the master should be asked.
 */
int upstream_open(struct upstream *up);

/*
 * Begin anew with a stream of its own for a CONNECT: requests have been sent
 * on what it has now, whose answers are complete.
 */
void upstream_renew(struct upstream *up);

/* Let up to `most` that wait for a stream of that session try again. */
void upstream_wake(struct session *s, unsigned most);

/*
 * Write; returns how many bytes were taken. If not all, user_resume() is
 * called when there is room again.
 */
size_t upstream_write(struct upstream *up, const void *p, size_t n);

/*
 * How many of `want` bytes its speed limits let through now; fewer: the user
 * will be told to go on.
 */
size_t upstream_may_send(struct upstream *up, size_t want);

/* The first n bytes of what stream_reserve() gave are filled. */
void upstream_commit(struct upstream *up, const struct iovec *iov, size_t n);

/* Nothing that was written would be lost by ending it in order. */
bool upstream_flushed(const struct upstream *up);

/* No more bytes from the user. */
void upstream_shut(struct upstream *up);

/* Bytes that its service has sent go on to the user, who may end of them. */
void upstream_pass(
    struct upstream *up, const struct iovec *iov, int n, size_t total);

/* n bytes of what it sent have left for the user. */
void upstream_sent(struct upstream *up, size_t n);

/* End it, with a reset unless both directions had ended, and free it. */
void upstream_end(struct upstream *up);

/* The same in order: the service gets a FIN and some time to answer it. */
void upstream_leave(struct upstream *up);

/* The session is being freed; who waited for it goes on without. */
void upstream_forget_session(struct session *s);

/* Its client leaves: nothing new should go there. */
bool upstream_leaves(const struct upstream *up);

/* Let go of all idle streams on tunnels of that session that leave. */
void upstream_release(struct session *s);

/* tunnel_ops: the owner of a stream is its upstream. */
void upstream_opened(void *owner);
void upstream_data(void *owner, const struct iovec *iov, int n, size_t total);
void upstream_fin(void *owner);
void upstream_reset(void *owner, enum reset reason);
void upstream_room_again(void *owner);

#endif
