/*
 * Connections to https:// services: made here, handed with one end of a
 * socketpair to the role `tls`; the engine gets the other end.
 */
#ifndef SECURE_H
#define SECURE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/net/proxy_header.h"

struct client_service;
struct parent;
struct secure;

#define SECURE_TIMEOUT_MS 10000 /* to connect */
#define SECURE_PENDING 1024	/* of one service at a time */

/* Tell the role how to meet a service; it is started if need be. */
void secure_configure(
    struct parent *p, uint16_t service, const struct client_service *v);

/* Those that are being connected, of one service. */
struct secure_list {
	struct secure *first;
	unsigned count;
};

/* What is sent to the service before TLS begins: of the PROXY protocol. */
struct secure_header {
	size_t n; /* 0: nothing */
	uint8_t p[PROXY_HEADER_MADE];
};

/*
 * Connect to one of n addresses for the engine's dial `number`, which is
 * answered in any case.
 */
void secure_dial(struct parent *p, struct secure_list *list, uint16_t service,
    const struct addr *addrs, size_t n, uint32_t number,
    const struct secure_header *header);

/* The service is gone: refuse what is on its way. */
void secure_forget(struct parent *p, struct secure_list *list);

#endif
