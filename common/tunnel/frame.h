/*
 * Frames of the tunnel: {stream u32, type u8, length u24}, big endian, then
 * `length` bytes. One codec for both ends; man/ptp-protocol.7 says the rest.
 */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_HEAD 8
#define FRAME_PAYLOAD_MAX 16360 /* so that any frame fits one record */

enum frame_type {
	FRAME_OPEN = 1, /* server: service u16, scheme u8, peer 19, local 19,
			   window u32 (what the server can take at first) */
	FRAME_OPENED,	/* client: the local connection stands */
	FRAME_DATA,	/* 1 to FRAME_PAYLOAD_MAX bytes */
	FRAME_FIN,	/* no more DATA from this side */
	FRAME_RESET,	/* reason u8 (enum reset): both directions ended */
	FRAME_CREDIT,	/* u32: so many more bytes may be sent */
	FRAME_SERVICES, /* client; stream 0 from here on */
	FRAME_GRANTED,	/* server */
	FRAME_PING,	/* 8 bytes, returned by PONG */
	FRAME_PONG,
	FRAME_GOAWAY,	  /* reason u8 (enum goaway), last stream u32, text
			     str8: this end takes no new streams */
	FRAME_WANT,	  /* client: u8: so many tickets, for further tunnels */
	FRAME_TICKET,	  /* server: number u32, ticket id 16 bytes */
	FRAME_DGRAM,	  /* a datagram whole, or the last piece of one: 0 to
			     FRAME_PAYLOAD_MAX bytes */
	FRAME_DGRAM_PART, /* a piece of one; the next frame has the next */
	FRAME_TYPES
};

enum reset {
	RESET_ABORT = 1,   /* the connection was reset */
	RESET_REFUSED,	   /* the local service does not accept connections */
	RESET_UNREACHABLE, /* ... cannot be reached */
	RESET_TIMEOUT,	   /* ... did not answer in time */
	RESET_LIMIT,	   /* over a limit (streams, memory) */
	RESET_PROTOCOL,	   /* the service spoke garbage */
	RESET_GONE,	   /* the tunnel that carried it has ended */
	RESET_NO_SERVICE,  /* no such service (any more) */
	RESET_CODES
};

enum goaway {
	GOAWAY_DRAIN = 1, /* restart: attach again elsewhere, then close */
	GOAWAY_STOP,	  /* the server stops */
	GOAWAY_REPLACED,  /* another process took this session over */
	GOAWAY_KICKED,	  /* by the operator */
	GOAWAY_ABUSE,	  /* a bound of the protocol was broken */
	GOAWAY_REMOVED,	  /* the user does not exist any more */
	GOAWAY_CODES
};

struct frame {
	uint32_t stream;
	uint8_t type;
	uint32_t n; /* bytes of payload */
};

/*
 * Read the header at p[FRAME_HEAD] and check it against the frame table:
 * type known and allowed to come from that side, length within its bounds,
 * stream 0 exactly where it belongs. 0, or -1.
 */
int frame_parse(struct frame *f, const uint8_t *p, bool from_server);

void frame_head(uint8_t *p, uint32_t stream, uint8_t type, size_t n);

const char *frame_name(uint8_t type);
const char *reset_text(enum reset reason);
const char *goaway_text(enum goaway reason);

#endif
