/*
 * A channel: one end of the SOCK_SEQPACKET pair between a parent and one of
 * its workers. Frames in, each checked against its row of the message table
 * and handed to a handler; frames out, queued to a bound.
 *
 * The two ends differ. The parent's sends descriptors and never takes one;
 * the worker's takes them and cannot send any (its filter forbids sendmsg).
 * What the parent sends is a frame to a packet; the worker packs up to
 * CHAN_BATCH into one. Two workers' ends make a channel, too: tls and sign.
 */
#ifndef CHAN_H
#define CHAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ipc/msg.h"

struct chan;
struct event_base;

/*
 * What may wait to be sent: frames, and bytes of them. A parent must not be
 * held by a worker that does not read; a worker must never lose the end of a
 * connection, and may have very many that end at once.
 */
#define CHAN_QUEUE_MAX 4096
#define CHAN_QUEUE_BYTES (4u << 20)
#define CHAN_QUEUE_UP_MAX (1u << 20)
#define CHAN_QUEUE_UP_BYTES (64u << 20)
#define CHAN_RETRY_MS 10 /* when the kernel is short of something */
#define CHAN_BATCH 64	 /* frames sent at once, or read before others' turn */

/* One received frame. The payload lives until the handler returns. */
struct msg {
	uint8_t type;
	uint32_t id;
	const uint8_t *p;
	size_t n;
	int fd; /* the handler's, if the row has one; -1 if it got lost on
		   the way because this process has no descriptor free */
};

/*
 * Handle one frame. Return 0, or -1 if its content breaks the protocol: the
 * channel then counts as broken. A handler may close any channel but must
 * not free the one it was called by; it calls chan_close() on it instead.
 */
typedef int (*chan_handler)(void *arg, const struct msg *m);

struct chan_ops {
	/* By type; NULL: such a frame breaks the protocol. */
	const chan_handler *handlers; /* [MSG_TYPES] */
	/*
	 * The channel has ended (why: "closed by peer", "broken frame" ...)
	 * and will call nothing any more; the owner frees it when it likes.
	 */
	void (*ended)(void *arg, const char *why);
	/* The queue that chan_congested() told of is empty again. */
	void (*drained)(void *arg);
};

/*
 * Serve fd, which the channel owns from now on and makes non-blocking.
 * `role` is the worker's role at either end; `parent` says which end we are.
 * Returns NULL with errno set if memory or the event fails.
 */
struct chan *chan_new(struct event_base *base, int fd, enum role role,
    bool parent, const struct chan_ops *ops, void *arg);

/*
 * Queue one frame; it leaves with others at the end of this turn of the loop.
 * fd is -1 or a descriptor that goes along (the parent's end alone): the
 * channel closes it after sending, in any case. Returns 0, or -1 when the queue
 * is full (ENOBUFS: the receiver is stuck and should be ended) or the channel
 * has ended (EPIPE).
 */
int chan_send(
    struct chan *c, uint8_t type, uint32_t id, const void *p, size_t n, int fd);

/*
 * The same with a descriptor that stays the caller's: it is sent at once or,
 * if it has to wait, a duplicate of it is.
 */
int chan_send_keep(
    struct chan *c, uint8_t type, uint32_t id, const void *p, size_t n, int fd);

/* Frames are waiting because the receiver does not read fast enough. */
bool chan_congested(const struct chan *c);

/* Frames queued. */
size_t chan_queued(const struct chan *c);

/* READY was seen (parent) or said (worker): the second phase begins. */
void chan_set_ready(struct chan *c);
bool chan_is_ready(const struct chan *c);

/* Send what is queued now, blocking nothing; before a process ends. */
void chan_flush(struct chan *c);

/*
 * Stop serving without calling `ended`. What a worker has queued leaves if the
 * kernel takes it.
 */
void chan_close(struct chan *c);

/* Close if need be, and free. */
void chan_free(struct chan *c);

/* The descriptor, for a table that must survive exec. -1 if closed. */
int chan_fd(const struct chan *c);

/* A SOCK_SEQPACKET pair, both close-on-exec, or -1 with errno. */
int chan_pair(int fds[2]);

/*
 * Whoever is at the other end of this AF_UNIX socket may not send us
 * descriptors (SO_PASSRIGHTS, Linux 6.16; before that his filter and our
 * looking away have to do).
 */
void chan_refuse_fds(int fd);

/*
 * Make the log of a worker go up its channel as MSG_LOG, at most 50
 * lines a second (the rest are counted and reported).
 */
void chan_log(struct chan *c);

#endif
