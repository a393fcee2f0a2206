/* ptp-tls: TLS to local https:// services, in a process that has no file. */
#include <errno.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/tls/converter.h"
#include "client/tls_conf.h"
#include "common/base/buf.h"
#include "common/base/idmap.h"
#include "common/base/log.h"
#include "common/ipc/serve.h"

#define CA_MAX (8u << 20) /* bytes of certificates to trust */
#define READ_PIECE 16384

/* What is known of a service. */
struct service {
	char name[TEXT_NAME_MAX + 1];
	SSL_CTX *ctx;
};

/* A connection to a service that waits for its plain end. */
struct waiting {
	uint16_t service;
	int net;
};

struct tls {
	struct serve serve;    /* first: the common handlers' arg */
	struct idmap services; /* by index + 1 */
	struct idmap waiting;  /* by the parent's number */
};

/* Everything behind fd, which is closed. NULL: too much, or no memory. */
static char *
read_all(int fd, size_t *n)
{
	char *text = NULL, *more;
	ssize_t got = 1;

	for (*n = 0; got > 0; *n += (size_t)got) {
		if (*n > CA_MAX ||
		    (more = realloc(text, *n + READ_PIECE)) == NULL)
			goto err0;
		text = more;
		if ((got = read(fd, text + *n, READ_PIECE)) == -1)
			goto err0;
	}
	close(fd);
	return text;

err0:
	close(fd);
	free(text);
	return NULL;
}

/* Trust every certificate that can be read from fd. */
static int
trust(SSL_CTX *ctx, int fd)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	X509 *cert;
	char *text;
	BIO *bio;
	size_t n;
	int count = 0;

	if ((text = read_all(fd, &n)) == NULL)
		return 0;
	if ((bio = BIO_new_mem_buf(text, (int)n)) != NULL) {
		while (
		    (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
			count += X509_STORE_add_cert(store, cert);
			X509_free(cert);
		}
		BIO_free(bio);
	}
	ERR_clear_error();
	free(text);
	return count;
}

static SSL_CTX *
new_ctx(bool verify)
{
	static const unsigned char http[] = "\x08http/1.1";
	SSL_CTX *ctx;

	if ((ctx = SSL_CTX_new(TLS_client_method())) == NULL)
		return NULL;
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(
	    ctx, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_alpn_protos(ctx, http, sizeof(http) - 1);
	return ctx;
}

static void
forget(struct service *s)
{
	if (s == NULL)
		return;
	SSL_CTX_free(s->ctx); /* connections hold it as long as they need */
	free(s);
}

static int
on_conf(void *arg, const struct msg *m)
{
	struct tls *t = arg;
	struct tls_conf conf;
	struct service *s;
	struct buf b;

	buf_read(&b, m->p, m->n);
	if (tls_conf_get(&b, &conf) == -1)
		return -1;
	forget(idmap_take(&t->services, conf.service + 1u));
	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->ctx = new_ctx(conf.verify)) == NULL) {
		free(s);
		return -1;
	}
	strcpy(s->name, conf.name);
	if (m->fd != -1 && trust(s->ctx, m->fd) == 0)
		log_warnx("%s: no certificate to trust was found", s->name);
	if (idmap_put(&t->services, conf.service + 1u, s) == 0)
		return 0;
	forget(s);
	return -1;
}

static int
on_conn(void *arg, const struct msg *m)
{
	struct tls *t = arg;
	struct waiting *w;
	struct buf b;

	if (m->fd == -1) /* what comes next finds nothing, and is closed */
		return 0;
	if ((w = calloc(1, sizeof(*w))) == NULL) {
		close(m->fd);
		return 0;
	}
	buf_read(&b, m->p, m->n);
	buf_get_u16(&b, &w->service);
	w->net = m->fd;
	if (idmap_put(&t->waiting, m->id, w) == 0)
		return 0;
	close(w->net);
	free(w);
	return 0;
}

static int
on_plain(void *arg, const struct msg *m)
{
	struct tls *t = arg;
	struct waiting *w = idmap_take(&t->waiting, m->id);
	const struct service *s;

	if (w == NULL) {
		if (m->fd != -1)
			close(m->fd);
		return 0;
	}
	s = idmap_get(&t->services, w->service + 1u);
	if (m->fd == -1 || s == NULL) {
		close(w->net);
		if (m->fd != -1)
			close(m->fd);
	} else if (converter_start(
		       t->serve.base, s->ctx, s->name, w->net, m->fd) == -1) {
		log_warnx("%s: no memory for a connection", s->name);
	}
	free(w);
	return 0;
}

static const chan_handler handlers[MSG_TYPES] = {
	[MSG_TLS_CONF] = on_conf,
	[MSG_TLS_CONN] = on_conn,
	[MSG_TLS_PLAIN] = on_plain,
	[MSG_LEVEL] = serve_level,
	[MSG_PING] = serve_ping,
	[MSG_EXIT] = serve_exit,
	[MSG_DRAIN] = serve_exit,
};

/* What OpenSSL loads at its first use cannot be loaded in the sandbox. */
static int
prime(void)
{
	SSL_CTX *ctx;
	SSL *ssl;

	if (!OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) ||
	    (ctx = new_ctx(false)) == NULL)
		return -1;
	ssl = SSL_new(ctx);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return ssl != NULL ? 0 : -1;
}

int
main(void)
{
	struct msg_boot boot;
	struct tls t = { 0 };

	if (boot_receive(&boot) == -1 || boot.role != ROLE_LOCAL_TLS ||
	    prime() == -1 || serve_init(&t.serve) == -1)
		return 2;
	return serve_run(&t.serve, &boot, handlers);
}
