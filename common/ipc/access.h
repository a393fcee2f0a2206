/*
 * The access log on its way: a relay tells what its users did, many records at
 * a time, by a socket that leads straight to the process that writes files.
 */
#ifndef ACCESS_H
#define ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/text.h"

struct buf;

#define ACCESS_BATCH 16384   /* bytes of one packet */
#define ACCESS_MAX 420	     /* bytes of one record */
#define ACCESS_LINE_MAX 3072 /* bytes of one line */

/* A request and its answer, or a stream of bytes, that has ended. */
struct access {
	uint64_t ms;	 /* when: ms since 1970 */
	uint8_t scheme;	 /* enum msg_scheme */
	uint16_t status; /* of HTTP; 0: it got no answer, or is none */
	uint32_t took;	 /* ms */
	uint64_t up, down;
	struct addr peer;
	char client[TEXT_LABEL_MAX + 1];
	char name[TEXT_NAME_MAX + 1]; /* that it came by */
};

/*
 * A packet: u32 records that were lost before it, then records. 0, or -1 if
 * it does not fit.
 */
int access_put(struct buf *b, const struct access *a);

/* The next record of a packet, hostile input allowed. -1: malformed. */
int access_get(struct buf *b, struct access *a);

/*
 * Write it as a line of the log of program `name` to dst[ACCESS_LINE_MAX], with
 * its newline. Returns the length.
 */
size_t access_format(
    char *dst, const struct access *a, const char *name, bool json);

#endif
