/*
 * A child process: started clean, told who it is, watched, and started again
 * when it dies: at once the first time, then 0.25 s later, doubling to 30 s;
 * one that lived for 10 s starts afresh.
 */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ipc/chan.h"

struct child;
struct parent;

#define CHILD_READY_MS 5000 /* from start to READY */
#define CHILD_PING_MS 5000  /* a heartbeat */
#define CHILD_PONG_MS 10000 /* and how long it may go unanswered */

struct child_ops {
	/* Of the role's own frames; their arg is the struct child. */
	const chan_handler *handlers; /* [MSG_TYPES], with CHILD_HANDLERS */
	/* BOOT is sent: send the configuration rows. */
	void (*boot)(struct child *c);
	/* It is in its sandbox. */
	void (*ready)(struct child *c);
	/* It is gone, and what it held is lost. */
	void (*gone)(struct child *c);
};

/* Every role's table begins with these. */
#define CHILD_HANDLERS                                          \
	[MSG_READY] = child_on_ready, [MSG_LOG] = child_on_log, \
	[MSG_PONG] = child_on_pong

int child_on_ready(void *child, const struct msg *m);
int child_on_log(void *child, const struct msg *m);
int child_on_pong(void *child, const struct msg *m);

/*
 * Have a process of that role, run by the executable `program`. NULL after an
 * error line: there is no such program, or no memory; whatever goes wrong
 * later is tried again.
 */
struct child *child_new(struct parent *p, enum role role, const char *program,
    const struct child_ops *ops);

/* End it at once, wait for it, free. NULL is allowed. */
void child_free(struct child *c);

struct parent *child_parent(const struct child *c);
bool child_is_ready(const struct child *c);

/* Send a frame, or drop it if it is not there to take it. */
void child_send(
    struct child *c, uint8_t type, uint32_t id, const void *p, size_t n);

/* With a descriptor, which is closed in any case. 0, or -1: not sent. */
int child_send_fd(struct child *c, uint8_t type, uint32_t id, const void *p,
    size_t n, int fd);

/* A child has died: was it this one? For SIGCHLD. */
void child_reaped(struct child *c, int pid, int status);

/* End it now, for that reason; it is started again, in a while. */
void child_end(struct child *c, const char *why);

/* It is told to end and will not be started again. */
void child_retire(struct child *c);

#endif
