/*
 * Values of the few header fields that say where a message ends and what
 * becomes of its connection (RFC 9110 and 9112).
 */
#ifndef VALUE_H
#define VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/http/head.h"

/*
 * Content-Length: one number of digits only, without leading zeros that
 * somebody might take for octal, below 2^62. Returns 0, or -1.
 */
int value_length(struct head_view v, uint64_t *length);

/*
 * Transfer-Encoding: 0 if it is exactly "chunked"; -501 if it is a list of
 * other codings, with or without a final "chunked"; -400 if it is malformed,
 * or has chunked twice or not last.
 */
int value_coding(struct head_view v);

#define VALUE_CLOSE 1u
#define VALUE_KEEP_ALIVE 2u
#define VALUE_UPGRADE 4u

/*
 * Connection: add the options that it holds to *options. Returns 0, or -1 if
 * it is no list of tokens or names a protected field (NAME_PROTECTED_BITS),
 * which the next proxy would remove in obedience.
 */
int value_connection(struct head_view v, unsigned *options);

/*
 * Upgrade: whether every protocol in it is one that may be let through
 * unseen: not HTTP itself in another version.
 */
bool value_upgrade(struct head_view v);

#endif
