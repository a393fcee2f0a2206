/*
 * The address of a server as a user writes it and `invite` prints it:
 * [SCHEME://][id[:secret]@]host[:port][#serverkey].
 */
#ifndef SERVER_ADDR_H
#define SERVER_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/text.h"
#include "common/conf/hostport.h"

#define SERVER_ADDR_SECRET 255 /* bytes of a secret */
#define SERVER_ADDR_KEY 32
#define SERVER_ADDR_MAX 768 /* bytes of a whole address with terminator */

enum server_scheme {
	SERVER_TCP,
	SERVER_TLS,
	SERVER_WS,
	SERVER_WSS,
	SERVER_UDP,
	SERVER_SCHEMES
};

/* May hold a secret: wipe it after use (server_addr_wipe). */
struct server_addr {
	enum server_scheme scheme;
	char id[TEXT_LABEL_MAX + 1];	     /* empty: none given */
	char secret[SERVER_ADDR_SECRET + 1]; /* empty: none; "@FILE" as is */
	char host[TEXT_NAME_MAX + 1];	     /* name or address, no brackets */
	uint16_t port; /* the scheme's own if none given */
	bool has_key;
	uint8_t key[SERVER_ADDR_KEY]; /* the server's, if has_key */
};

/*
 * Parse it strictly. A secret may hold any character ('@' too: the last one
 * ends it). Returns NULL, or what was expected, a text for a fault that does
 * not show the secret; *a is then wiped.
 */
const char *server_addr_parse(struct server_addr *a, const char *s);

/*
 * Write it to dst[SERVER_ADDR_MAX], the port always, the secret only if
 * `secret`. Returns dst.
 */
char *server_addr_format(
    char dst[SERVER_ADDR_MAX], const struct server_addr *a, bool secret);

/* "host:port", IPv6 in brackets: the name of a server in known_servers. */
char *server_addr_hostport(
    char dst[HOSTPORT_TEXT], const struct server_addr *a);

/* "tcp" ... "udp". */
const char *server_scheme_name(enum server_scheme s);

void server_addr_wipe(struct server_addr *a);

#endif
