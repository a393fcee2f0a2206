/*
 * The system calls of a channel: frames and descriptors over SOCK_SEQPACKET.
 *
 * Linux loses descriptors silently in four ways (reference: a receiver at its
 * limit, a plain read, a short control buffer, two sent where one was meant);
 * each is told apart here.
 */
#ifndef CHAN_IO_H
#define CHAN_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A frame to send; fd is -1 or goes along. */
struct chan_out {
	const uint8_t *p;
	size_t n;
	int fd;
};

/* A received packet. */
struct chan_in {
	uint8_t *p; /* the caller's space */
	size_t n;
	int fd;	    /* what came along, or -1 */
	bool stray; /* truncated, or brought descriptors that must not be */
};

/*
 * Send up to CHAN_BATCH frames without blocking. The parent's end uses
 * sendmmsg(2), a packet for each; a worker's, which may not, packs as many as
 * fit into one packet, and no descriptor goes along. Returns how many left, or
 * -1 with errno if none did.
 */
ssize_t chan_io_send(
    int fd, const struct chan_out *out, size_t count, bool parent);

/*
 * Receive one packet into in->p[size]. Returns 1, 0 at the end, or -1 with
 * errno. The parent's end takes no descriptor: one that comes is gone, and
 * in->stray set.
 */
int chan_io_recv(int fd, struct chan_in *in, size_t size, bool parent);

#endif
