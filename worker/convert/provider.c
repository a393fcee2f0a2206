/* Keys whose private half is elsewhere: an OpenSSL provider. */
#include "worker/convert/provider.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/provider.h>

#define NAME "ptp"
#define PROPERTIES "provider=" NAME

static const OSSL_ALGORITHM keys[] = {
	{ "RSA:rsaEncryption:1.2.840.113549.1.1.1", PROPERTIES,
	    provider_key_rsa, NULL },
	{ "EC:id-ecPublicKey:1.2.840.10045.2.1", PROPERTIES, provider_key_ec,
	    NULL },
	{ NULL, NULL, NULL, NULL },
};

static const OSSL_ALGORITHM signatures[] = {
	{ "RSA:rsaEncryption:1.2.840.113549.1.1.1", PROPERTIES,
	    provider_sign_functions, NULL },
	{ "ECDSA", PROPERTIES, provider_sign_functions, NULL },
	{ NULL, NULL, NULL, NULL },
};

static const OSSL_ALGORITHM *
query(void *ctx, int operation, int *no_store)
{
	(void)ctx;
	*no_store = 0;
	switch (operation) {
	case OSSL_OP_KEYMGMT:
		return keys;
	case OSSL_OP_SIGNATURE:
		return signatures;
	default:
		return NULL;
	}
}

static int
init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
    const OSSL_DISPATCH **out, void **ctx)
{
	static const OSSL_DISPATCH functions[] = {
		{ OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query },
		{ 0, NULL },
	};

	(void)in;
	*out = functions;
	*ctx = (void *)(uintptr_t)handle; /* not used, but not NULL */
	return 1;
}

int
provider_load(OSSL_PROVIDER **own)
{
	if (OSSL_PROVIDER_add_builtin(NULL, NAME, init) != 1 ||
	    OSSL_PROVIDER_load(NULL, "default") == NULL ||
	    (*own = OSSL_PROVIDER_load(NULL, NAME)) == NULL)
		return -1;
	/* Where nobody asks for ours, its own is meant. */
	return EVP_set_default_properties(NULL, "?provider=default") == 1 ? 0
									  : -1;
}

EVP_PKEY *
provider_pair(EVP_PKEY *public, const struct provider_signer *signer)
{
	const char *type = EVP_PKEY_is_a(public, "EC") ? "EC" : "RSA";
	OSSL_PARAM *about = NULL, *all = NULL, own[2];
	EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *pair = NULL;

	own[0] = OSSL_PARAM_construct_octet_string(
	    PROVIDER_SIGNER, (void *)&signer, sizeof(signer));
	own[1] = OSSL_PARAM_construct_end();
	if (EVP_PKEY_todata(public, EVP_PKEY_PUBLIC_KEY, &about) == 1 &&
	    (all = OSSL_PARAM_merge(about, own)) != NULL &&
	    (ctx = EVP_PKEY_CTX_new_from_name(NULL, type, PROPERTIES)) !=
		NULL &&
	    EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &pair, EVP_PKEY_KEYPAIR, all) != 1)
		pair = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(all);
	OSSL_PARAM_free(about);
	return pair;
}
