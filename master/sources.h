/*
 * Where clients and users come from: one record for each source block (an IPv4
 * address, an IPv6 /64) that logs in, or has failed to, or has users here.
 */
#ifndef SOURCES_H
#define SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/addr.h"

#define SOURCES_MAX 65536 /* blocks remembered; then the oldest goes */

struct sources;

struct source {
	struct addr block;
	unsigned handshakes; /* under way; pinned as long as there are any, */
	unsigned users;	     /* or user connections */
	uint64_t failures;   /* logins in a row */
	uint64_t failed;     /* clock_ms() of the last */
	TAILQ_ENTRY(source) link;
};

/* When is a source locked out? (lockout.tries and .time, ms, 0: for ever) */
struct lockout {
	uint64_t tries, time;
};

struct sources *sources_new(void);

/* NULL is allowed. */
void sources_free(struct sources *t);

size_t sources_count(const struct sources *t);

/* Count one more handshake from this address. NULL: no memory. */
struct source *sources_take(struct sources *t, const struct addr *peer);

/* And one less; the record may be gone afterwards. */
void sources_release(struct sources *t, struct source *s);

/* Count one more user connection from this address. NULL: no memory. */
struct source *sources_take_user(struct sources *t, const struct addr *peer);

/* And one less. */
void sources_release_user(struct sources *t, const struct addr *peer);

/* The user connections of the source that has most of them. */
unsigned sources_most_users(const struct sources *t);

/* A login from s has failed. Returns whether it is locked out since now. */
bool sources_failed(struct source *s, const struct lockout *l);

/* A login has succeeded: failures before it are forgiven. */
void sources_succeeded(struct source *s);

/* Too many have failed, and not long enough ago. */
bool sources_locked(struct source *s, const struct lockout *l);

/* How many are locked out now. */
size_t sources_locked_out(const struct sources *t, const struct lockout *l);

/* Call fn for every source; it must not add or remove. */
void sources_each(
    struct sources *t, void (*fn)(void *arg, void *source), void *arg);

/* What had failed from a block before a restart. -1: no memory. */
int sources_restore(struct sources *t, const struct addr *block,
    uint64_t failures, uint64_t failed);

/* Forget all failures. */
void sources_forgive(struct sources *t);

#endif
