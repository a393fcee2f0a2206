/* Certificates by server name, each with what TLS needs to use it. */
#ifndef CERTS_H
#define CERTS_H

#include <openssl/ssl.h>

struct certs;
struct provider_signer;

/*
 * Make them of the n bytes at p (crypto/bundle.h): each its own copy of
 * `model`'s settings, as `setup` makes them. NULL after a log line.
 */
struct certs *certs_new(const void *p, size_t n,
    const struct provider_signer *signer, SSL_CTX *(*setup)(void *arg),
    void *arg);

/* Handshakes that have begun keep what they use. NULL is allowed. */
void certs_free(struct certs *c);

/* Whoever names no server, or one that is not there, gets this. */
SSL_CTX *certs_default(const struct certs *c);

/* That of listen.api; NULL: it has none. */
SSL_CTX *certs_of_api(const struct certs *c);

/*
 * The one for a server name, in any case of letters: itself, else a wildcard
 * for its first label, else the default.
 */
SSL_CTX *certs_find(const struct certs *c, const char *name);

#endif
