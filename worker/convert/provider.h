/*
 * Keys whose private half is elsewhere: an OpenSSL provider. To libssl they
 * are keys like others; what is to be signed with one goes to its signer.
 *
 *	provider_key	 key management: what a public key can tell
 *	provider_sign	 signatures: what to ask the signer for
 */
#ifndef PROVIDER_H
#define PROVIDER_H

#include <openssl/core.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/crypto/signing.h"

/* Import takes a pointer to the signer by this name. */
#define PROVIDER_SIGNER "ptp-signer"

struct provider_signer {
	/*
	 * Have it signed, into sig of *n bytes; *n becomes how many it took.
	 * May pause the ASYNC_JOB that it runs in. False: it was not.
	 */
	bool (*sign)(
	    void *arg, const struct signing *s, uint8_t *sig, size_t *n);
	void *arg;
};

/* A key as the provider has it. */
struct provider_key {
	EVP_PKEY *public; /* of OpenSSL's own provider */
	bool ec;
	uint8_t id[SIGNING_KEY_ID];
	const struct provider_signer *signer; /* NULL: only to compare with */
};

/*
 * Make the provider known to OpenSSL, which goes on to use its own for all
 * else. Once in a process, before the sandbox; *own is ours, for
 * OSSL_PROVIDER_unload() at the end. 0, or -1.
 */
int provider_load(OSSL_PROVIDER **own);

/*
 * The key pair with this public key, RSA or EC; the private half is with
 * `signer`, which must outlive it. NULL: cannot be.
 */
EVP_PKEY *provider_pair(EVP_PKEY *public, const struct provider_signer *signer);

/* The tables of the two halves, for provider.c. */
extern const OSSL_DISPATCH provider_key_rsa[], provider_key_ec[],
    provider_sign_functions[];

#endif
