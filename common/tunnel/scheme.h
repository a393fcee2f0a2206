/* How users come: in OPEN, and between our processes. */
#ifndef SCHEME_H
#define SCHEME_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How a user came, which says how its bytes are treated: the first two are
 * HTTP/1 requests, UDP is datagrams, the rest is opaque.
 */
enum msg_scheme {
	SCHEME_HTTP = 0,
	SCHEME_HTTPS = 1, /* a converter has ended the TLS */
	SCHEME_TCP,	  /* a service's port */
	SCHEME_TLS,	  /* the same, and a converter has ended the TLS */
	SCHEME_SNI,	  /* TLS passed through, by server name */
	SCHEME_CONNECT,	  /* OPEN only: behind a CONNECT request */
	SCHEME_UDP,	  /* a service's UDP port */
	SCHEME_COUNT
};

/* Whether its users' bytes are HTTP/1. */
static inline bool
msg_scheme_is_http(uint8_t scheme)
{
	return scheme == SCHEME_HTTP || scheme == SCHEME_HTTPS;
}

/* The port that a URL of that scheme means if it has none. */
static inline uint16_t
msg_scheme_port(uint8_t scheme)
{
	return scheme == SCHEME_HTTP ? 80 : 443;
}

#endif
