/* Certificates by server name. */
#include "worker/convert/certs.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "common/crypto/bundle.h"
#include "worker/convert/provider.h"

struct entry {
	char name[TEXT_NAME_MAX + 3];
	SSL_CTX *ctx;
};

struct certs {
	SSL_CTX *main;
	struct entry *named; /* sorted */
	size_t n;
};

void
certs_free(struct certs *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n; i++)
		SSL_CTX_free(c->named[i].ctx);
	SSL_CTX_free(c->main);
	free(c->named);
	free(c);
}

static X509 *
decode(const struct bundle_der *der)
{
	const unsigned char *p = der->p;

	return d2i_X509(NULL, &p, (long)der->n);
}

/* The chain, and the key that `sign` has the private half of. */
static int
use(SSL_CTX *ctx, const struct bundle_cert *c,
    const struct provider_signer *signer)
{
	X509 *x = decode(&c->chain[0]);
	EVP_PKEY *pair = NULL;
	int ok = 0;

	if (x != NULL && SSL_CTX_use_certificate(ctx, x) == 1 &&
	    (pair = provider_pair(X509_get0_pubkey(x), signer)) != NULL)
		ok = SSL_CTX_use_PrivateKey(ctx, pair);
	X509_free(x);
	EVP_PKEY_free(pair);
	for (size_t i = 1; i < c->depth && ok == 1; i++) {
		if ((x = decode(&c->chain[i])) == NULL)
			return -1;
		ok = SSL_CTX_add1_chain_cert(ctx, x) == 1;
		X509_free(x);
	}
	return ok == 1 ? 0 : -1;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(
	    ((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static int
add(struct certs *c, const struct bundle_cert *cert, SSL_CTX *ctx)
{
	struct entry *grown;

	if (cert->name[0] == '\0') {
		if (c->main != NULL)
			return -1;
		c->main = ctx;
		return 0;
	}
	grown = realloc(c->named, (c->n + 1) * sizeof(*grown));
	if (grown == NULL)
		return -1;
	c->named = grown;
	strcpy(grown[c->n].name, cert->name);
	grown[c->n++].ctx = ctx;
	return 0;
}

static int
fill(struct certs *c, struct bundle *x, const struct provider_signer *signer,
    SSL_CTX *(*setup)(void *arg), void *arg)
{
	struct bundle_cert cert;
	SSL_CTX *ctx;
	int more;

	while ((more = bundle_cert(x, &cert)) == 1) {
		if ((ctx = setup(arg)) == NULL)
			return -1;
		SSL_CTX_set_min_proto_version(
		    ctx, x->floor ? TLS1_3_VERSION : TLS1_2_VERSION);
		if (use(ctx, &cert, signer) == -1 || add(c, &cert, ctx) == -1) {
			SSL_CTX_free(ctx);
			return -1;
		}
	}
	return more == 0 && c->main != NULL ? 0 : -1;
}

struct certs *
certs_new(const void *p, size_t n, const struct provider_signer *signer,
    SSL_CTX *(*setup)(void *arg), void *arg)
{
	const char *why = NULL;
	struct certs *c;
	struct bundle x;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	ERR_clear_error();
	if (bundle_read(&x, BUNDLE_CERTS, p, n) == 0 &&
	    fill(c, &x, signer, setup, arg) == 0) {
		if (c->n > 0)
			qsort(c->named, c->n, sizeof(c->named[0]), compare);
		return c;
	}
	why = ERR_reason_error_string(ERR_peek_error());
	log_warnx("cannot use the certificates%s%s", why != NULL ? ": " : "",
	    why != NULL ? why : "");
	ERR_clear_error();
	certs_free(c);
	return NULL;
}

SSL_CTX *
certs_default(const struct certs *c)
{
	return c->main;
}

static SSL_CTX *
find(const struct certs *c, const char *name)
{
	struct entry key, *found;

	if (c->n == 0)
		return NULL;
	snprintf(key.name, sizeof(key.name), "%s", name);
	found = bsearch(&key, c->named, c->n, sizeof(c->named[0]), compare);
	return found != NULL ? found->ctx : NULL;
}

SSL_CTX *
certs_of_api(const struct certs *c)
{
	return find(c, BUNDLE_API);
}

SSL_CTX *
certs_find(const struct certs *c, const char *name)
{
	char folded[TEXT_NAME_MAX + 1], wild[TEXT_NAME_MAX + 3];
	const char *dot;
	SSL_CTX *ctx;

	if (name == NULL || text_name(folded, name, strlen(name)) == -1)
		return c->main;
	if ((ctx = find(c, folded)) != NULL)
		return ctx;
	if ((dot = strchr(folded, '.')) == NULL)
		return c->main;
	snprintf(wild, sizeof(wild), "*%s", dot);
	ctx = find(c, wild);
	return ctx != NULL ? ctx : c->main;
}
