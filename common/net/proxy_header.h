/*
 * The PROXY protocol, versions 1 and 2, as HAProxy's proxy-protocol.txt has
 * it: a header in front of a connection that says who is at its other end.
 * Pure functions of bytes.
 */
#ifndef PROXY_HEADER_H
#define PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"

#define PROXY_V1_MAX 107      /* bytes of a header of version 1 */
#define PROXY_HEADER_MAX 4096 /* bytes of one that is taken */
#define PROXY_HEADER_MADE 108 /* bytes that suffice for one of ours */

enum proxy_version { PROXY_NONE = 0, PROXY_V1 = 1, PROXY_V2 = 2 };

struct proxy_header {
	size_t n; /* its bytes */
	/*
	 * It says who it is: peer and local count. If not (UNKNOWN, LOCAL, or
	 * a family that is not of the Internet), those of the connection do.
	 */
	bool known;
	struct addr peer, local; /* source and destination */
};

/*
 * Take a header from the first n bytes at p. Returns 1; 0 if more bytes are
 * needed (never so with PROXY_HEADER_MAX of them); -1 if it is none, or is
 * malformed. More bytes never change an answer that is not 0. What follows the
 * addresses in version 2 (TLVs) is skipped.
 */
int proxy_header_parse(struct proxy_header *h, const void *p, size_t n);

/*
 * Write the header of a TCP connection from peer to local into
 * dst[PROXY_HEADER_MADE]; returns its length. An address that is not known
 * makes it UNKNOWN or without addresses; two of different families are written
 * as IPv6.
 */
size_t proxy_header_make(uint8_t *dst, enum proxy_version version,
    const struct addr *peer, const struct addr *local);

#endif
