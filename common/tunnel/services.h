/*
 * What a client offers, and what the server grants: the payloads of the
 * SERVICES and GRANTED frames, and of MSG_SERVICES and MSG_GRANTED.
 *
 * SERVICES: serial u32, count u16, then per service: index u16, kind u8,
 * name count u8, names str8. It is the whole list each time: what is not in
 * it any more is given up. Names are lower case; a name without a dot is a
 * prefix, the empty list means the id itself.
 *
 * GRANTED: serial u32 (of the request), count u16, then per service and name:
 * index u16, code u8 (enum grant), name str8 (as asked for; empty for the
 * id), host str8 (granted: the host under which users reach it; refused:
 * empty), since u32 (TAKEN: seconds that the holder has been there), url
 * str16 (granted: the whole address to show).
 */
#ifndef SERVICES_H
#define SERVICES_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/text.h"

struct buf;

#define SERVICES_MAX 64	     /* services of one client */
#define SERVICE_NAMES_MAX 16 /* names of one service */
#define SERVICES_BYTES 15360 /* of an encoded list: it fits one frame */
#define GRANT_URL_MAX 511

enum service_kind { SERVICE_HTTP = 1 };

struct service {
	uint16_t index; /* the client's number for it, unique in its list */
	uint8_t kind;	/* enum service_kind */
	uint8_t nnames;
	char (*names)[TEXT_NAME_MAX + 1]; /* nnames of them */
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
	GRANT_CODES
};

struct granted {
	uint16_t index;
	uint8_t code; /* enum grant */
	char name[TEXT_NAME_MAX + 1];
	char host[TEXT_NAME_MAX + 1];
	uint32_t since;
	char url[GRANT_URL_MAX + 1];
};

/* 0, or -1 if it does not fit. */
int services_put(struct buf *b, const struct services *s);

/*
 * Decode a whole buffer strictly: bounds, unique indexes, valid names
 * (text_name), known kinds. Allocates s->list; services_free() frees it (and
 * is safe on a zeroed struct). -1 with errno EBADMSG or ENOMEM.
 */
int services_get(struct services *s, struct buf *b);
void services_free(struct services *s);

/* The head of a GRANTED payload, then `count` rows. */
int granted_put_head(struct buf *b, uint32_t serial, uint16_t count);
int granted_get_head(struct buf *b, uint32_t *serial, uint16_t *count);
int granted_put(struct buf *b, const struct granted *g);
int granted_get(struct buf *b, struct granted *g);

const char *grant_text(enum grant code);

#endif
