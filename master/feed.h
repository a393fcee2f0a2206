/*
 * What `auth` knows: it gets the verifiers straight from the child that read
 * them, a generation at a time, and uses one when it is told to.
 */
#ifndef FEED_H
#define FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ipc/chan.h"
#include "master/master.h"

struct worker;

/* `ok`: auth has them whole, and waits for feed_use(). */
typedef void (*feed_fn)(void *arg, bool ok);

/* For struct master. */
struct feed *feed_new(struct master *m);
void feed_free(struct feed *u);

/*
 * Have auth load what comes out of fd, which is taken. If it is not there
 * yet, it will when it is. fn may be NULL: then they are used at once.
 */
void feed_load(struct master *m, int fd, feed_fn fn, void *arg);

/* Nobody waits for the end of a load any more. */
void feed_forget(struct master *m);

/* Use what was loaded last. */
void feed_use(struct master *m);

/*
 * An auth is ready, and knows nobody: give it what is at hand, or read the
 * configuration again for its sake.
 */
void feed_ready(struct master *m, struct worker *w);

/* It is gone. */
void feed_gone(struct master *m);

/* For a restart: what to go on with. */
void feed_get(const struct master *m, uint32_t *generation, bool *usable);
void feed_set(struct master *m, uint32_t generation, bool usable);

/* The auth that has its users; NULL: there is none now. */
struct worker *feed_auth(const struct master *m);

/* MSG_USERS_OK. */
int feed_on_ok(void *arg, const struct msg *msg);

#endif
