/*
 * Checks of strings that rows of several schemas name. Each returns NULL if
 * the value is good, else what was expected.
 */
#ifndef CHECKS_H
#define CHECKS_H

/* A label of DNS, lower case: an id. */
const char *checks_id(const char *v);

/* A full name, at least two labels, no wildcard, no address. */
const char *checks_domain(const char *v);

/* The same, or "*." and the same: names of certificates. */
const char *checks_server_name(const char *v);

/* A name or an IPv4 address, without port. */
const char *checks_host(const char *v);

/* A path that begins with "/". */
const char *checks_absolute(const char *v);

/* http:// or https://, a host, and what may follow: no blanks, no fragment. */
const char *checks_url(const char *v);

/* Where events of an error service go (dsn.h). */
const char *checks_dsn(const char *v);

/* A level of the log at which there are lines. */
const char *checks_level(const char *v);

/* A name of a header field (RFC 9110, 5.6.2: token). */
const char *checks_header(const char *v);

/*
 * A POSIX extended regular expression of at most CHECKS_REGEX_MAX bytes,
 * without the back-references that are no part of those. Its repetitions
 * ("{3}" is three, "+" is two: libc writes out what they repeat) multiply to at
 * most CHECKS_REPEAT_MAX, or compiling it could take all memory.
 */
#define CHECKS_REGEX_MAX 255
#define CHECKS_REPEAT_MAX 4096
const char *checks_regex(const char *v);

/* A public key as text (keytext.h). */
const char *checks_key(const char *v);

/* An argon2id hash (verifier.h). */
const char *checks_hash(const char *v);

/* A plain word of letters, digits, "_", "-" and ".". */
const char *checks_word(const char *v);

#endif
