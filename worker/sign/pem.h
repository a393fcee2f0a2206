/*
 * Certificates and their keys as an operator has them: PEM files, looked at
 * as closely as can be before anybody relies on them.
 */
#ifndef PEM_H
#define PEM_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/crypto/bundle.h"

#define PEM_WHY 256
#define PEM_FILE_MAX (1u << 20) /* bytes */

struct pem_pair {
	X509 *chain[BUNDLE_DEPTH]; /* the server's own first */
	size_t depth;
	EVP_PKEY *key;
};

/* What is wrong, and with which of the two files. */
struct pem_fault {
	bool key; /* else the certificate */
	char why[PEM_WHY];
};

/*
 * Load the two files: a chain, and an unencrypted key that belongs to its
 * first certificate and that nobody but us or root can read. 0, or -1 and
 * what is wrong. pem_free() in any case.
 */
int pem_load(
    struct pem_pair *p, const char *cert, const char *key, struct pem_fault *f);

void pem_free(struct pem_pair *p);

/* Something that the operator should know, or NULL. */
const char *pem_warning(const struct pem_pair *p);

#endif
