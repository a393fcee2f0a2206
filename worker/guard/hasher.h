/*
 * argon2 in a process of its own, made before the sandbox and locked into the
 * same: one hash at a time, a bounded queue, so that no other login waits
 * behind the slow ones, and what a hash takes of memory dies with the process
 * that took it. A thread would not do: the filter, Landlock and the
 * capabilities belong to the thread that gave them up.
 */
#ifndef HASHER_H
#define HASHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/tunnel/login.h"

#define HASHER_QUEUE 32 /* hashes that wait or run (PROTOCOL.md section 3) */
#define HASHER_WAIT_MS 5000 /* then it is better to come again */

struct event_base;
struct hasher;
struct sandbox;

struct hasher_ops {
	/*
	 * The answer to hasher_submit(): LOGIN_OK, LOGIN_WRONG_SECRET, or
	 * LOGIN_BUSY if its turn did not come in time.
	 */
	void (*done)(
	    void *arg, uint32_t id, uint32_t number, enum login_code code);
	/* The process is gone: no answer will come. */
	void (*ended)(void *arg);
};

/* helper_fork() of the process; what it returns is for hasher_new(). */
int hasher_fork(const struct sandbox *box, int close_fd);

/*
 * Serve fd, which is owned from now on; who has waited for more than `wait` ms
 * when another is done has waited in vain. NULL: no memory.
 */
struct hasher *hasher_new(struct event_base *base, int fd, uint64_t wait,
    const struct hasher_ops *ops, void *arg);
void hasher_free(struct hasher *h);

/*
 * Ask whether `secret` belongs to the encoded argon2id `hash`, for the login
 * (id, number), which comes from this source (all zero: unknown). 0, or -1:
 * the queue is full, or this source has one in it already.
 */
int hasher_submit(struct hasher *h, uint32_t id, uint32_t number,
    const struct addr *source, const char *hash, const char *secret);

#endif
