/*
 * A relay's counter memory: one sealed memfd, written by that relay alone,
 * read by the master and the other relays. Monotonic numbers only, never a
 * length, an index or a gauge: a lying relay can make a display wrong, or let
 * past or slow down a speed limit, and nothing else.
 *
 * The size is fixed; rows of clients that do not exist are never touched, so
 * they take no memory.
 */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdint.h>

/* What is counted. "Up" is from users to services. Bytes are payload. */
enum counter {
	COUNTER_UP,
	COUNTER_DOWN,
	COUNTER_OPENED, /* user connections begun */
	COUNTER_CLOSED, /* and ended */
	COUNTER_REQUESTS,
	COUNTER_TUNNELS, /* tunnels ever carried */
	COUNTER_DROPPED, /* datagrams that no tunnel had room for */
	COUNTERS = 8
};

/* Rows for clients: `client` of MSG_CLIENT is below this. */
#define COUNTERS_CLIENTS 16384

struct counters {
	uint64_t all[COUNTERS];
	uint64_t clients[COUNTERS_CLIENTS][COUNTERS];
};

/* The relay's side: the memory behind fd, which is closed. NULL, errno. */
struct counters *counters_map(int fd);

/*
 * The master's side: make the memory, all zero, sealed against any change of
 * its size. Returns it mapped for reading, and a descriptor for the relay in
 * *fd; or NULL with errno.
 */
const struct counters *counters_new(int *fd);

/*
 * A descriptor of the same memory that nobody can write by, for the other
 * relays. -1 with errno: none is to be had (no /proc).
 */
int counters_share(int fd);

/* Another relay's side: the memory behind that, which is closed. NULL. */
const struct counters *counters_watch(int fd);

void counters_free(const struct counters *c);

static inline void
counter_add(uint64_t *c, uint64_t n)
{
	/* One writer: a plain sum that readers never see torn. */
	__atomic_store_n(c, *c + n, __ATOMIC_RELAXED);
}

static inline uint64_t
counter_read(const uint64_t *c)
{
	return __atomic_load_n(c, __ATOMIC_RELAXED);
}

#endif
