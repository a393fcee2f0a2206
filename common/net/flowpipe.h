/*
 * The line between whoever has a UDP port and whoever has the tunnel: flows of
 * datagrams over a stream socketpair.
 *
 * Frames are {flow u32, type u8, length u24}, big endian, then `length` bytes:
 *
 *   OPEN   from the port's side: a new flow: peer addr, local addr
 *   DGRAM  either way: a datagram whole
 *   END    either way: the flow is over, its number is not used again
 *
 * Writing never waits. What the other side does not take is queued; of
 * datagrams at most FLOWPIPE_DGRAMS bytes, the oldest of which are dropped and
 * counted. OPEN and END go ahead of queued datagrams and are never dropped.
 */
#ifndef FLOWPIPE_H
#define FLOWPIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/addr.h"

#define FLOWPIPE_HEAD 8
#define FLOWPIPE_DGRAM_MAX 65527	/* bytes of UDP over IPv6 */
#define FLOWPIPE_DGRAMS (2048u * 1024)	/* bytes queued, heads included */
#define FLOWPIPE_CONTROL (1024u * 1024) /* more of them: it is broken */
#define FLOWPIPE_EAGER 65536	    /* queued bytes that are written at once */
#define FLOWPIPE_READ (192u * 1024) /* bytes read at a time */
#define FLOWPIPE_SCRATCH (FLOWPIPE_READ + FLOWPIPE_HEAD + FLOWPIPE_DGRAM_MAX)

enum flow_frame_type { FLOW_OPEN = 1, FLOW_DGRAM, FLOW_END };

struct flow_frame {
	uint32_t flow;
	uint8_t type; /* enum flow_frame_type */
	size_t n;
	const uint8_t *p;	 /* n bytes */
	struct addr peer, local; /* of OPEN */
};

struct flowpipe;

/* Called for each frame. -1: it breaks the protocol, read no more. */
typedef int flowpipe_fn(void *arg, const struct flow_frame *f);

/*
 * Serve fd, a non-blocking stream socket that it owns from now on. NULL with
 * errno if memory is short: fd is then still the caller's.
 */
struct flowpipe *flowpipe_new(int fd);
void flowpipe_free(struct flowpipe *f);

int flowpipe_fd(const struct flowpipe *f);

/* Queue a frame. OPEN and END: 0, or -1: too many wait, or no memory. */
int flowpipe_open(struct flowpipe *f, uint32_t flow, const struct addr *peer,
    const struct addr *local);
int flowpipe_end(struct flowpipe *f, uint32_t flow);

/* Queue n bytes (at most FLOWPIPE_DGRAM_MAX), copied. */
void flowpipe_dgram(struct flowpipe *f, uint32_t flow, const void *p, size_t n);

/* Something is queued. */
bool flowpipe_waits(const struct flowpipe *f);

/*
 * Write what is queued. 0: as much as it takes now (flowpipe_waits(): go on
 * when it is writable); -1 with errno: it is broken.
 */
int flowpipe_flush(struct flowpipe *f);

/* Datagrams dropped so far. */
uint64_t flowpipe_drops(const struct flowpipe *f);

/* About once a second: give back memory that a burst has needed. */
void flowpipe_rest(struct flowpipe *f);

/*
 * Read once into scratch[FLOWPIPE_SCRATCH] and call fn for every whole frame;
 * `opens`: the other side may send OPEN. fn must not free f. Returns how many
 * bytes came; 0: none for now; -1 with errno: EPIPE at its end, EBADMSG for a
 * broken frame or when fn said so.
 */
ssize_t flowpipe_read(struct flowpipe *f, uint8_t *scratch, bool opens,
    flowpipe_fn *fn, void *arg);

#endif
