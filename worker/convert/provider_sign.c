/* The provider's signatures: what to ask a key's signer for. */
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <strings.h>

#include "worker/convert/provider.h"

struct context {
	const struct provider_key *key;
	uint8_t hash; /* as in SignatureScheme: 4, 5, 6 */
	bool pss;
};

static void *
new_context(void *ctx, const char *properties)
{
	(void)ctx;
	(void)properties;
	return calloc(1, sizeof(struct context));
}

static void
free_context(void *context)
{
	free(context);
}

/* PSS or not; its salt is always as long as its hash, as TLS has it. */
static int
set_params(void *context, const OSSL_PARAM params[])
{
	struct context *c = context;
	const OSSL_PARAM *mode = NULL;
	int number = 0;

	if (params != NULL)
		mode =
		    OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_PAD_MODE);
	if (mode == NULL)
		return 1;
	if (mode->data_type == OSSL_PARAM_UTF8_STRING && mode->data != NULL) {
		c->pss = strcasecmp(mode->data, "pss") == 0;
		return c->pss || strcasecmp(mode->data, "pkcs1") == 0;
	}
	if (OSSL_PARAM_get_int(mode, &number) != 1)
		return 0;
	c->pss = number == RSA_PKCS1_PSS_PADDING;
	return c->pss || number == RSA_PKCS1_PADDING;
}

static const OSSL_PARAM *
settable(void *context, void *ctx)
{
	static const OSSL_PARAM all[] = {
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(
		    OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
		OSSL_PARAM_utf8_string(
		    OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
		OSSL_PARAM_END
	};

	(void)context;
	(void)ctx;
	return all;
}

static int
begin(void *context, const char *hash, void *key, const OSSL_PARAM params[])
{
	static const struct {
		const char *name, *other;
		uint8_t code;
	} hashes[] = { { "SHA256", "SHA2-256", 4 }, { "SHA384", "SHA2-384", 5 },
		{ "SHA512", "SHA2-512", 6 } };
	struct context *c = context;

	c->key = key;
	c->hash = 0;
	c->pss = false;
	for (size_t i = 0; i < 3 && hash != NULL; i++) {
		if (strcasecmp(hash, hashes[i].name) == 0 ||
		    strcasecmp(hash, hashes[i].other) == 0)
			c->hash = hashes[i].code;
	}
	if (c->hash == 0 || c->key == NULL || c->key->signer == NULL)
		return 0;
	return set_params(c, params);
}

static uint16_t
scheme_of(const struct context *c)
{
	if (c->key->ec)
		return (uint16_t)(c->hash << 8 | 3);
	if (c->pss)
		return (uint16_t)(SIGNING_PSS_SHA256 + c->hash - 4);
	return (uint16_t)(c->hash << 8 | 1);
}

/* All at once: whoever signs wants to see what it is that he signs. */
static int
sign(void *context, unsigned char *sig, size_t *n, size_t size,
    const unsigned char *content, size_t len)
{
	const struct context *c = context;
	int most = EVP_PKEY_get_size(c->key->public);
	struct signing s = { .content = content, .n = len };

	if (most <= 0)
		return 0;
	if (sig == NULL) {
		*n = (size_t)most;
		return 1;
	}
	s.scheme = scheme_of(c);
	for (size_t i = 0; i < sizeof(s.key); i++)
		s.key[i] = c->key->id[i];
	*n = size < (size_t)most ? size : (size_t)most;
	return c->key->signer->sign(c->key->signer->arg, &s, sig, n);
}

#define FN(f) ((void (*)(void))(f))

const OSSL_DISPATCH provider_sign_functions[] = {
	{ OSSL_FUNC_SIGNATURE_NEWCTX, FN(new_context) },
	{ OSSL_FUNC_SIGNATURE_FREECTX, FN(free_context) },
	{ OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, FN(begin) },
	{ OSSL_FUNC_SIGNATURE_DIGEST_SIGN, FN(sign) },
	{ OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, FN(set_params) },
	{ OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, FN(settable) },
	{ 0, NULL },
};
