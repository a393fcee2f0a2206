/* Settings of every certificate. */
#include "worker/convert/tls_ctx.h"

#include "worker/convert/certs.h"
#include "worker/convert/tls_conn.h"

/* Forward secret ones alone: there is no key here to decrypt with. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
#define SIGNATURES                                               \
	"ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:RSA-PSS+SHA256:" \
	"RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512"

static int
on_name(SSL *ssl, int *alert, void *arg)
{
	struct tls *t = arg;
	const struct tls_conn *c = SSL_get_app_data(ssl);
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	if (name == NULL || t->certs == NULL || c->is_api)
		return SSL_TLSEXT_ERR_NOACK;
	SSL_set_SSL_CTX(ssl, certs_find(t->certs, name));
	return SSL_TLSEXT_ERR_OK;
}

/* A raw port carries any protocol: what it is, is not ours to say. */
static int
on_alpn(SSL *ssl, const unsigned char **out, unsigned char *n,
    const unsigned char *in, unsigned len, void *arg)
{
	static const unsigned char http[] = "\x08http/1.1\x08http/1.0";
	const struct tls_conn *c = SSL_get_app_data(ssl);
	unsigned char *found;

	(void)arg;
	if (!msg_scheme_is_http(c->scheme))
		return SSL_TLSEXT_ERR_NOACK;
	if (SSL_select_next_proto(&found, n, http, sizeof(http) - 1, in, len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = found;
	return SSL_TLSEXT_ERR_OK;
}

static int
on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int issue)
{
	struct tls_conn *c = SSL_get_app_data(ssl);

	return tickets_use(&c->tls->tickets, name, iv, cipher, mac, issue);
}

SSL_CTX *
tls_ctx_new(void *arg)
{
	static const unsigned char context[] = "ptp";
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL)
		return NULL;
	SSL_CTX_set_options(ctx,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_read_ahead(ctx, 1);
	/* Tickets only: they resume with every worker. */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(ctx, TICKETS_LIFE);
	SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
	SSL_CTX_set_tlsext_servername_arg(ctx, arg);
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, arg);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
	if (SSL_CTX_set_cipher_list(ctx, CIPHERS) == 1 &&
	    SSL_CTX_set1_sigalgs_list(ctx, SIGNATURES) == 1 &&
	    SSL_CTX_set_session_id_context(ctx, context, sizeof(context) - 1) ==
		1)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}
