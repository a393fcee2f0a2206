/*
 * The beginning of a TLS connection: what a ClientHello (RFC 8446, 4.1.2; for
 * TLS 1.0 to 1.2 it looks the same) says about where it belongs. A pure
 * function of bytes, which stay where they are: whoever gets the connection
 * reads them.
 */
#ifndef HELLO_H
#define HELLO_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/text.h"

#define HELLO_MAX 32768		/* bytes of a hello with its records' heads */
#define HELLO_MESSAGE_MAX 24576 /* bytes of a hello alone */
#define HELLO_ALERT 7		/* bytes of an alert with its record's head */

/* What a connection is refused with (RFC 8446, 6.2; RFC 6066, 3). */
enum hello_alert {
	ALERT_UNEXPECTED_MESSAGE = 10,
	ALERT_RECORD_OVERFLOW = 22,
	ALERT_ILLEGAL_PARAMETER = 47,
	ALERT_ACCESS_DENIED = 49,
	ALERT_DECODE_ERROR = 50,
	ALERT_PROTOCOL_VERSION = 70,
	ALERT_INTERNAL_ERROR = 80,
	ALERT_MISSING_EXTENSION = 109,
	ALERT_UNRECOGNIZED_NAME = 112
};

struct hello {
	/* As text_name() makes it; empty: it names no server. */
	char name[TEXT_NAME_MAX + 1];
	size_t need;   /* more bytes needed: there are to be so many */
	uint8_t alert; /* refused: enum hello_alert */
};

/*
 * Read a ClientHello, which may be in any number of records, from the first n
 * bytes of a connection at p. Returns 1 when it has come whole: *h has its
 * name; 0 if more bytes are needed (never so with HELLO_MAX of them); -1 if it
 * is none, or refused: h->alert says with what. More bytes never change an
 * answer that is not 0. Extensions that are not known pass (RFC 8701).
 */
int hello_parse(struct hello *h, const void *p, size_t n);

/*
 * Write a fatal alert, as a server may send it in place of its hello, to
 * dst[HELLO_ALERT] (RFC 8446, 5.1 and 6).
 */
void hello_alert(uint8_t *dst, enum hello_alert alert);

const char *hello_alert_text(enum hello_alert alert);

#endif
