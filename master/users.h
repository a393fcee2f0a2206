/*
 * What `auth` knows: it gets the verifiers straight from the child that read
 * them, a generation at a time, and uses one when it is told to.
 */
#ifndef USERS_H
#define USERS_H

#include <stdbool.h>

#include "common/ipc/chan.h"
#include "master/master.h"

struct worker;

/* `ok`: auth has them whole, and waits for users_use(). */
typedef void (*users_fn)(void *arg, bool ok);

/* For struct master. */
struct users *users_new(struct master *m);
void users_free(struct users *u);

/*
 * Have auth load what comes out of fd, which is taken. If it is not there
 * yet, it will when it is. fn may be NULL: then they are used at once.
 */
void users_load(struct master *m, int fd, users_fn fn, void *arg);

/* Nobody waits for the end of a load any more. */
void users_forget(struct master *m);

/* Use what was loaded last. */
void users_use(struct master *m);

/*
 * An auth is ready, and knows nobody: give it what is at hand, or read the
 * configuration again for its sake.
 */
void users_auth_ready(struct master *m, struct worker *w);

/* It is gone. */
void users_auth_gone(struct master *m);

/* The auth that has its users; NULL: there is none now. */
struct worker *users_auth(const struct master *m);

/* MSG_USERS_OK. */
int users_on_ok(void *arg, const struct msg *msg);

#endif
