/*
 * What a client offers, and what the server grants: the payloads of the
 * SERVICES and GRANTED frames, and of MSG_SERVICES and MSG_GRANTED.
 *
 * SERVICES: serial u32, count u16, then per service: index u16, kind u8,
 * flags u8, names u8 and as many str8, ports first u16 and last u16, streams
 * u32, speed u64, idle u32, basic str8, token str8, allow_from u8 and as many
 * blocks, deny_from the same. It is the whole list each time: what is not in
 * it any more is given up. Names are in the form
 * that service_name_parse() gives them; one without a dot is a
 * prefix, an HTTP service without names has the id itself.
 *
 * GRANTED: serial u32 (of the request), count u16, then per service and name,
 * or service and ports: index u16, code u8 (enum grant), way u8 (enum
 * grant_way), name str8 (as asked for; empty for the id, and for ports), port
 * u16 (the first as asked for; 0 for names), host str8 (granted: the host
 * under which users reach it; refused: empty), opened u16 (granted ports: the
 * first), since u32 (TAKEN: seconds that the holder has been there), url str16
 * (granted: the whole address to show).
 */
#ifndef SERVICES_H
#define SERVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/text.h"
#include "common/crypto/gate.h"

struct buf;

#define SERVICES_MAX 64	       /* services of one client */
#define SERVICE_NAMES_MAX 16   /* names of one service */
#define SERVICE_PORTS_MAX 1024 /* ports of one service */
#define SERVICE_BLOCKS_MAX 32  /* of allow_from, and of deny_from */
#define SERVICES_BYTES 15360   /* of an encoded list: it fits one frame */
#define GRANT_URL_MAX 511
#define GRANT_SINCE_AWAY UINT32_MAX

enum service_kind {
	SERVICE_HTTP = 1, /* http://, https://: users by Host */
	SERVICE_TCP,	  /* tcp://, unix: bytes */
	SERVICE_TLS,	  /* tls://: by server name, passed through */
	SERVICE_UDP,	  /* udp://: datagrams */
	SERVICE_KINDS
};

enum service_flag {
	SERVICE_PRIVATE = 1,  /* only with its token */
	SERVICE_RANDOM = 2,   /* any port, if those are not to be had */
	SERVICE_SNI = 4,      /* HTTP: reached by server name as well */
	SERVICE_ENDS_TLS = 8, /* users of its ports speak TLS; we end it */
	SERVICE_EDITS = 16,   /* requests are changed on their way (Host,
				 fields): opaque bytes would get past that */
	SERVICE_FLAGS = 31
};

struct service {
	uint16_t index; /* the client's number for it, unique in its list */
	uint8_t kind;	/* enum service_kind */
	uint8_t flags;	/* enum service_flag */
	uint8_t nnames;
	char (*names)[TEXT_NAME_MAX + 1]; /* nnames of them */
	uint16_t port, port_last;	  /* public ports asked for; 0: none */
	uint32_t streams;		  /* users at a time; 0: any number */
	uint64_t speed;			  /* bytes/s each way; 0: any */
	uint32_t idle_ms;		  /* of a UDP flow */
	bool has_basic, has_token;
	uint8_t basic[GATE_HASH]; /* of "user:password" */
	uint8_t token[GATE_HASH];
	uint8_t nallow, ndeny;
	struct addr_block *allow, *deny; /* where users may come from */
};

struct services {
	uint32_t serial;
	uint16_t count;
	struct service *list;
};

enum grant {
	GRANT_OK = 0,
	GRANT_TAKEN,	   /* held by another live session */
	GRANT_RULE,	   /* against the user's rules on names */
	GRANT_RESERVED,	   /* it is another user's id, or contains it */
	GRANT_LIMIT,	   /* more names than allowed */
	GRANT_UNSUPPORTED, /* this server has no listener for that kind */
	GRANT_ROLLED_BACK, /* another of the list was refused */
	GRANT_PORT_RULE,   /* limits do not allow this port */
	GRANT_PORT_NUMBER, /* more ports than limits allow */
	GRANT_PORT_TAKEN,  /* the port is in use */
	GRANT_PORT_SYSTEM, /* the server may not bind it */
	GRANT_CODES
};

/* What a row of GRANTED is about. */
enum grant_way {
	GRANT_WAY_HTTP = 1, /* a name: Host, CONNECT */
	GRANT_WAY_SNI,	    /* a name: server name */
	GRANT_WAY_TCP,	    /* ports */
	GRANT_WAY_UDP,
	GRANT_WAYS
};

struct granted {
	uint16_t index;
	uint8_t code; /* enum grant */
	uint8_t way;  /* enum grant_way */
	uint16_t port, opened;
	char name[TEXT_NAME_MAX + 1];
	char host[TEXT_NAME_MAX + 1];
	uint32_t since; /* GRANT_SINCE_AWAY: kept for one who is away */
	char url[GRANT_URL_MAX + 1];
};

/* 0, or -1 if it does not fit. */
int services_put(struct buf *b, const struct services *s);

/*
 * Decode a whole buffer strictly: bounds, unique indexes, valid names
 * (service_name_parse), known kinds and flags, ports in order. Allocates
 * s->list; services_free() frees it (and is safe on a zeroed struct). -1 with
 * errno EBADMSG or ENOMEM.
 */
int services_get(struct services *s, struct buf *b);
void services_free(struct services *s);

/* The one of that index; NULL: none. */
const struct service *services_find(const struct services *s, uint16_t index);

#define SERVICE_GATES_TEXT 48 /* bytes of the longest, terminated */

/*
 * What a service demands of its users, to show it: "private basic allow_from
 * deny_from", or as many of these. Returns dst, or NULL if it is open to all.
 */
const char *service_gates_text(
    char dst[SERVICE_GATES_TEXT], const struct service *v);

/* The head of a GRANTED payload, then `count` rows. */
int granted_put_head(struct buf *b, uint32_t serial, uint16_t count);
int granted_get_head(struct buf *b, uint32_t *serial, uint16_t *count);
int granted_put(struct buf *b, const struct granted *g);
int granted_get(struct buf *b, struct granted *g);

const char *grant_text(enum grant code);

/* The same for a row: of a name that is taken, by whom. */
const char *granted_text(const struct granted *g);

#endif
