/*
 * What every process that has a channel and little else does alike: its event
 * loop, its channel, and the frames that ask how it is.
 */
#ifndef SERVE_H
#define SERVE_H

#include "common/ipc/boot.h"

/* First member of what a role passes to its channel as `arg`. */
struct serve {
	struct event_base *base;
	struct chan *chan;
	/* Called when all is over, with the channel still there; or NULL. */
	void (*leave)(struct serve *s);
};

/* Make the event base, before the sandbox. 0, or -1 with errno. */
int serve_init(struct serve *s);

/*
 * Enter the sandbox and serve the channel by these handlers (serve_... for
 * the common frames) until told to end, or the parent is gone. `s` is their
 * arg. Returns the exit status of the process.
 */
int serve_run(struct serve *s, const struct msg_boot *boot,
    const chan_handler handlers[MSG_TYPES]);

/*
 * Handlers of MSG_PING, MSG_LEVEL and MSG_EXIT. That of MSG_LEVEL takes any
 * arg.
 */
int serve_ping(void *arg, const struct msg *m);
int serve_level(void *arg, const struct msg *m);
int serve_exit(void *arg, const struct msg *m);

/*
 * Send a frame. If the parent does not read any more, we are of no use to
 * anybody: the loop ends.
 */
void serve_send(
    struct serve *s, uint8_t type, uint32_t id, const void *p, size_t n);

#endif
