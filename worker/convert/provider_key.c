/* The provider's key management: what a public key can tell. */
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/keyid.h"
#include "worker/convert/provider.h"

#define PRIVATE OSSL_KEYMGMT_SELECT_PRIVATE_KEY

static struct provider_key *
new_key(bool ec)
{
	struct provider_key *k = calloc(1, sizeof(*k));

	if (k != NULL)
		k->ec = ec;
	return k;
}

static void *
new_rsa(void *ctx)
{
	(void)ctx;
	return new_key(false);
}

static void *
new_ec(void *ctx)
{
	(void)ctx;
	return new_key(true);
}

static void
free_key(void *key)
{
	struct provider_key *k = key;

	if (k != NULL)
		EVP_PKEY_free(k->public);
	free(k);
}

static int
has(const void *key, int selection)
{
	const struct provider_key *k = key;

	if (k->public == NULL)
		return 0;
	return (selection & PRIVATE) == 0 || k->signer != NULL;
}

static int
match(const void *a, const void *b, int selection)
{
	const struct provider_key *x = a, *y = b;

	(void)selection;
	return x->public != NULL && y->public != NULL &&
	    EVP_PKEY_eq(x->public, y->public) == 1;
}

/* From what OpenSSL's own provider says of the key; and maybe our signer. */
static int
import(void *key, int selection, const OSSL_PARAM params[])
{
	struct provider_key *k = key;
	const OSSL_PARAM *signer =
	    OSSL_PARAM_locate_const(params, PROVIDER_SIGNER);
	EVP_PKEY_CTX *ctx;

	(void)selection;
	ctx = EVP_PKEY_CTX_new_from_name(
	    NULL, k->ec ? "EC" : "RSA", "provider=default");
	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &k->public, EVP_PKEY_PUBLIC_KEY,
		(OSSL_PARAM *)(uintptr_t)params) != 1)
		k->public = NULL;
	EVP_PKEY_CTX_free(ctx);
	if (k->public == NULL || keyid_make(k->id, k->public) == -1)
		return 0;
	if (signer != NULL && signer->data_size == sizeof(k->signer))
		memcpy(&k->signer, signer->data, sizeof(k->signer));
	return 1;
}

/* No private half is ever given out: then nobody signs in our place. */
static int export(void *key, int selection, OSSL_CALLBACK *fn, void *arg)
{
	const struct provider_key *k = key;
	OSSL_PARAM *params = NULL;
	int ok;

	if ((selection & PRIVATE) != 0 || k->public == NULL ||
	    EVP_PKEY_todata(k->public, EVP_PKEY_PUBLIC_KEY, &params) != 1)
		return 0;
	ok = fn(params, arg);
	OSSL_PARAM_free(params);
	return ok;
}

static const OSSL_PARAM *
types(int selection)
{
	static const OSSL_PARAM all[] = { OSSL_PARAM_octet_string(
					      OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0), OSSL_PARAM_END };

	return (selection & PRIVATE) != 0 ? NULL : all;
}

static int
get_params(void *key, OSSL_PARAM params[])
{
	const struct provider_key *k = key;

	return k->public != NULL && EVP_PKEY_get_params(k->public, params);
}

static const OSSL_PARAM *
gettable(void *ctx)
{
	static const OSSL_PARAM all[] = { OSSL_PARAM_int(
					      OSSL_PKEY_PARAM_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_octet_string(
		    OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
		OSSL_PARAM_END };

	(void)ctx;
	return all;
}

static const char *
operation_rsa(int operation)
{
	(void)operation;
	return "RSA";
}

static const char *
operation_ec(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? "ECDSA" : "EC";
}

#define FN(f) ((void (*)(void))(f))
#define COMMON                                                  \
	{ OSSL_FUNC_KEYMGMT_FREE, FN(free_key) },               \
	    { OSSL_FUNC_KEYMGMT_HAS, FN(has) },                 \
	    { OSSL_FUNC_KEYMGMT_MATCH, FN(match) },             \
	    { OSSL_FUNC_KEYMGMT_IMPORT, FN(import) },           \
	    { OSSL_FUNC_KEYMGMT_IMPORT_TYPES, FN(types) },      \
	    { OSSL_FUNC_KEYMGMT_EXPORT, FN(export) },           \
	    { OSSL_FUNC_KEYMGMT_EXPORT_TYPES, FN(types) },      \
	    { OSSL_FUNC_KEYMGMT_GET_PARAMS, FN(get_params) },   \
	{                                                       \
		OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, FN(gettable) \
	}

const OSSL_DISPATCH provider_key_rsa[] = {
	{ OSSL_FUNC_KEYMGMT_NEW, FN(new_rsa) },
	COMMON,
	{ OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, FN(operation_rsa) },
	{ 0, NULL },
};

const OSSL_DISPATCH provider_key_ec[] = {
	{ OSSL_FUNC_KEYMGMT_NEW, FN(new_ec) },
	COMMON,
	{ OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, FN(operation_ec) },
	{ 0, NULL },
};
