/*
 * "host[:port]" as it stands in addresses of servers and of local services.
 */
#ifndef HOSTPORT_H
#define HOSTPORT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/text.h"

#define HOSTPORT_TEXT (TEXT_NAME_MAX + 9) /* bytes of "[host]:port" */

/*
 * Take the n characters at s apart: a name, an IPv4 address, or an IPv6
 * address in brackets, into host (lower case, no brackets), and the port, 1
 * to 65535; `usual` if there is none. Returns NULL, or what was expected.
 */
const char *hostport_parse(char host[TEXT_NAME_MAX + 1], uint16_t *port,
    uint16_t usual, const char *s, size_t n);

/*
 * Write "host:port", IPv6 in brackets; without the port if it is `usual`
 * (0: always with it). Returns dst.
 */
char *hostport_format(
    char dst[HOSTPORT_TEXT], const char *host, uint16_t port, uint16_t usual);

#endif
