/*
 * What the server made of our services: says where they can be reached, why a
 * name was refused, and asks again for one that somebody else holds.
 */
#ifndef GRANTS_H
#define GRANTS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/text.h"
#include "common/ipc/chan.h"
#include "common/tunnel/services.h"

struct entry;
struct grants;
struct parent;

#define GRANTS_RETRY_MS                                       \
	1000 /* a taken name is asked for again, doubling ... \
	      */
#define GRANTS_RETRY_MAX 60000 /* up to this */
#define GRANTS_ROWS_MAX \
	(2 * (SERVICE_NAMES_MAX + 1)) /* of one service: two tables, ports */
#define GRANTS_URL 1040 /* bytes of where a service is, as shown */

/* One name of a service, or its ports. */
struct grant_row {
	uint8_t way;		      /* enum grant_way */
	uint16_t port;		      /* the first as asked for; 0: a name */
	char name[TEXT_NAME_MAX + 1]; /* as asked for; empty: the id */
	uint8_t code;		      /* enum grant */
	char url[GRANTS_URL];	      /* where it is, while it is granted */
	char said[GRANTS_URL];	      /* what was printed last */
};

/* NULL: no memory. */
struct grants *grants_new(struct parent *p);
void grants_free(struct grants *g);

/*
 * GRANTED came on the session at host:port (as it was dialled, no brackets).
 * -1: malformed.
 */
int grants_take(struct grants *g, const uint8_t *p, size_t n, const char *host,
    uint16_t port);

/* The session has ended: nothing is reachable now. */
void grants_lost(struct grants *g);

/* An entry goes away. */
void grants_forget(struct entry *e);

/*
 * Where users reach what was granted, to dst[GRANTS_URL]: the url of *g if
 * the server gave one, else made of its host and the server that was dialled.
 */
char *grants_url(char dst[GRANTS_URL], const struct granted *g,
    const char *host, uint16_t port);

#endif
