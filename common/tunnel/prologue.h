/*
 * The prologue of a client's Noise handshake: what both ends must have seen
 * alike before they say a word (the Noise Protocol Framework, section 6).
 *
 *   "ptp1"  preface, whole  transport u8  exporter, to the end
 *
 * The server's end takes transport and exporter from the master's table and
 * the preface as it came; a client takes what it used and sent. If somebody
 * on the way changed any of it, no handshake succeeds. The bytes have one
 * reading only: a preface says how long it is.
 */
#ifndef PROLOGUE_H
#define PROLOGUE_H

#include <stddef.h>
#include <stdint.h>

#include "common/tunnel/preface.h"

#define PROLOGUE_EXPORTER_MAX 64 /* bytes of a channel's exporter value */
#define PROLOGUE_MAX (4 + PREFACE_MAX + 1 + PROLOGUE_EXPORTER_MAX)

/* What carries a tunnel: the u8 of MSG_TUNNEL, MSG_HS_START, the prologue. */
enum transport {
	TRANSPORT_TCP = 0,
	TRANSPORT_TLS,
	TRANSPORT_WS,
	TRANSPORT_WSS,
	TRANSPORT_UDP,
	TRANSPORT_COUNT
};

/*
 * Write the prologue to out. Returns its length, or 0: the n bytes at preface
 * are not one whole preface of a version that we speak, the transport is
 * unknown, or the exporter (NULL, 0: there is none, as on tcp and on any
 * unbound connection) is too long.
 */
size_t prologue_make(uint8_t out[PROLOGUE_MAX], const uint8_t *preface,
    size_t n, uint8_t transport, const void *exporter, size_t exporter_len);

#endif
