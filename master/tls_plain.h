/*
 * What becomes of a connection whose TLS is up: its plain end is a connection
 * of its own, which goes where one without TLS would.
 */
#ifndef TLS_PLAIN_H
#define TLS_PLAIN_H

#include "common/ipc/chan.h"

/* MSG_HANDSHAKED; arg is the worker. */
int tls_plain_on_handshaked(void *arg, const struct msg *msg);

#endif
