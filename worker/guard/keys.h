/*
 * The server's private key and every handshake that uses it. Frames in, frames
 * out; where they go is the caller's concern, and so a test can be one.
 *
 *	HOST_KEY
 *	HS_START, HS_IN  -> HS_OUT		message 1, message 2
 *	HS_IN		 -> HS_LOGIN		message 3, to `auth`
 *	HS_REPLY	 -> HS_OUT		from `auth`, to the client
 *	HS_IN		 -> HS_MORE		the client's answer to it
 *	HS_FINISH	 -> HS_KEYS, HS_OUT	ACCEPTED; it is forgotten
 *	HS_FAIL		 -> HS_FAIL		it is forgotten
 *
 * Whatever goes wrong ends the handshake with HS_FAIL. Frames about one that
 * is not known (any more) are dropped: they cross on the way.
 */
#ifndef KEYS_H
#define KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "common/ipc/chan.h"

#define KEYS_HANDSHAKES_MAX 1024 /* half-open at a time (PROTOCOL.md 1) */

struct keys;

/* Takes a frame for the parent. */
typedef void (*keys_send)(
    void *arg, uint8_t type, uint32_t id, const void *p, size_t n);

/* NULL with errno if memory is short. sodium_init() must have been called. */
struct keys *keys_new(keys_send send, void *arg);

/* Wipe all. NULL is allowed. */
void keys_free(struct keys *k);

/*
 * Handle a frame of one of the types above. 0, or -1 if the parent broke the
 * protocol.
 */
int keys_take(struct keys *k, const struct msg *m);

size_t keys_count(const struct keys *k);

#endif
