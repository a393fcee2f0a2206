/*
 * Settings of every certificate: which versions, ciphers and extensions, and
 * what is asked during a handshake.
 */
#ifndef TLS_CTX_H
#define TLS_CTX_H

#include <openssl/ssl.h>

/* A new one; arg is the struct tls. NULL: no memory. */
SSL_CTX *tls_ctx_new(void *arg);

#endif
