/*
 * What a new connection speaks, by its first bytes.
 */
#ifndef PEEK_H
#define PEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEEK_TUNNEL_MAGIC "\x8eptp" /* first bytes of the tunnel's preface */
#define PEEK_PREFACE 24		    /* bytes of the longest preface */
#define PEEK_BYTES 4 /* with so many bytes the answer is never PEEK_MORE */

enum peek {
	PEEK_MORE,   /* too few bytes to tell */
	PEEK_TUNNEL, /* a client's preface begins here */
	PEEK_HTTP,   /* could be HTTP/1: ask head_parse_request() */
	PEEK_TLS,    /* a TLS handshake record */
	PEEK_BAD     /* none of these */
};

/* Tell from the first n bytes at p. */
enum peek peek_kind(const void *p, size_t n);

/*
 * Whether the first n bytes at p are enough to tell where a connection
 * belongs: a whole request head, or more than head_max, or a whole preface,
 * or nothing that we know. Of them the first `seen` were not enough.
 */
bool peek_is_whole(const void *p, size_t n, size_t seen, size_t head_max);

#endif
