/*
 * The answer to whoever came by http and is served by https.
 */
#ifndef REDIRECT_H
#define REDIRECT_H

#include <stdint.h>

#include "common/http/head.h"

/*
 * Answer a request with 308 to https:// of the same host and path, on this
 * port (443 is left out). The socket is fresh: what it does not take at once
 * nobody reads. 0, or -1: it did not go.
 */
int redirect_send(int fd, const struct head *h, uint16_t port);

#endif
