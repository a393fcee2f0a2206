/*
 * The names under which services are reached, each kind in its one form, so
 * that equal names are equal bytes: lower case, without final dot; addresses
 * as addr_format() writes them.
 */
#ifndef SERVICE_NAME_H
#define SERVICE_NAME_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/text.h"

enum service_name {
	SERVICE_NAME_LABEL,    /* "web": an id or a prefix */
	SERVICE_NAME_FULL,     /* "www.example.com", "local.test" */
	SERVICE_NAME_WILDCARD, /* "*.example.org": all below it */
	SERVICE_NAME_ADDRESS   /* "192.168.1.1:3000", "[fd00::1]:80": a key,
				  no address of anything that exists */
};

/*
 * The n bytes at src as a client asks for them, into dst[TEXT_NAME_MAX + 1].
 * Returns the kind; or -1: it is none of them. An address needs a port other
 * than 0; one without, or digits and dots that look like one, is no name.
 */
int service_name_parse(char *dst, const char *src, size_t n);

/*
 * What users who call `host` (as host_name() makes it; IPv6 in brackets) at
 * `port` mean, into dst[TEXT_NAME_MAX + 1]: an address with that port (0: not
 * known yet, none), else the name alone, for which ports do not matter.
 * Returns the kind, never WILDCARD; or -1: it is no name. Not each of these
 * names can be had: service_name_parse() is stricter.
 */
int service_name_called(char *dst, const char *host, uint16_t port);

/*
 * The wildcard that matches next, longest first: begin with *at = name, a
 * full name; each call moves *at behind its next dot and writes "*." and that
 * rest to dst[TEXT_NAME_MAX + 1]. Returns dst, or NULL: there is none left.
 */
char *service_name_wider(char *dst, const char **at);

#endif
