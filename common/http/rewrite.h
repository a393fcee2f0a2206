/*
 * A head written anew: Host replaced, forwarded fields added, others dropped.
 *
 * What stays is copied in the longest possible runs, byte for byte. An
 * absolute-form target goes on in origin-form, which its Host agrees with; an
 * Upgrade that the walker would not follow (head.upgrade is false) is
 * dropped, so that nobody answers it with 101.
 */
#ifndef REWRITE_H
#define REWRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/http/head.h"

/*
 * Strings are trusted: the caller has made sure that they hold no control
 * characters. NULL means: do not.
 */
struct rewrite {
	const char *host;     /* Host's new value; not for CONNECT */
	bool strip_forwarded; /* drop HEAD_FORWARDED_BITS: untrusted peer */
	const char *xff;      /* X-Forwarded-For: what is there, then this */
	const char *xfp;      /* X-Forwarded-Proto: unless one is there */
	const char *xfh;      /* X-Forwarded-Host: unless one is there */
	uint32_t drop;	      /* HEAD_BIT of ids to drop, as tokens; not of Host
				 and framing */
	const char *const
	    *remove; /* remove_headers: names, case-blind, with
			their "_" twins, last: drops what was
			added as well, but never Host or framing */
	size_t nremove;
};

/*
 * Write the request head h to out[cap] by the rules of rw. Twins of forwarded
 * fields are dropped even for a trusted peer if any of strip_forwarded, xff,
 * xfp, xfh is set: a proxy that passes them did not make them.
 * Returns the bytes written, or -1 with errno ENOBUFS if cap is too small;
 * h->size + rewrite_room(rw) is always enough.
 */
ssize_t rewrite_request(
    const struct head *h, const struct rewrite *rw, char *out, size_t cap);

/* How many bytes a head may grow by these rules, at most. */
size_t rewrite_room(const struct rewrite *rw);

#define REWRITE_CLOSE_ROOM 24 /* bytes a head may grow by the next */

/*
 * Write the response head h to out[cap] with "Connection: close" for whatever
 * it says of the connection. Not for a 101. Returns as above.
 */
ssize_t rewrite_response_close(const struct head *h, char *out, size_t cap);

#endif
