/*
 * A converter: TLS towards a service, plain bytes towards the engine, over
 * the end of a socketpair.
 *
 * A socketpair knows no reset. So the clean end of a direction is SHUT_WR,
 * and nobody closes before both directions are shut: whoever closes earlier
 * means a reset (PROTOCOL.md section 3). Towards the service a clean end is
 * close_notify; a bare FIN is a reset.
 */
#ifndef CONVERTER_H
#define CONVERTER_H

#include <openssl/ssl.h>

struct converter;
struct event_base;

/*
 * Begin to convert between `net`, which is connected, and `plain`; both are
 * owned from now on. `name` is the service's, or its address: whom its
 * certificate must be for. It frees itself when it has ended. 0, or -1: no
 * memory, both are closed.
 */
int converter_start(struct event_base *base, SSL_CTX *ctx, const char *name,
    int net, int plain);

#endif
