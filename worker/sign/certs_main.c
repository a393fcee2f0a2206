/*
 * ptpd-certs: reads and checks certificates and their keys for the child of
 * ptpd that parses the configuration, so that neither has libcrypto.
 *
 * stdin: terminated strings: floor ("0", or "1": TLS 1.3 alone), then for
 * each pair its name (empty: the default), the path of its certificates, the
 * path of its key. Descriptors 3 and 4: files that certificates and keys are
 * written to (crypto/bundle.h). stdout: a line for each fault:
 *
 *	NUMBER TAB cert|key|warning TAB TEXT
 *
 * Exit status 0: all is well; 1: there were faults.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker/sign/pem.h"

#define CERTS_FD 3
#define KEYS_FD 4
#define INPUT_MAX (BUNDLE_ENTRIES * 3 * 1280)

struct output {
	int fd;
	uint8_t *space;
	struct buf b;
};

static int
begin(struct output *o, int fd)
{
	o->fd = fd;
	if ((o->space = malloc(BUNDLE_MAX)) == NULL)
		return -1;
	buf_write(&o->b, o->space, BUNDLE_MAX);
	return 0;
}

/* All or nothing; then wiped. */
static int
end(struct output *o)
{
	size_t n = buf_used(&o->b);
	int ret = -1;

	if (buf_ok(&o->b) && write(o->fd, o->space, n) == (ssize_t)n)
		ret = 0;
	explicit_bzero(o->space, n);
	free(o->space);
	return ret;
}

static void
put_cert(struct output *o, const char *name, const struct pem_pair *p)
{
	bundle_put_name(&o->b, name, (uint8_t)p->depth);
	for (size_t i = 0; i < p->depth; i++) {
		unsigned char *der = NULL;
		int n = i2d_X509(p->chain[i], &der);

		bundle_put_der(&o->b, der, n > 0 ? (size_t)n : SIZE_MAX);
		OPENSSL_free(der);
	}
}

static void
put_key(struct output *o, const struct pem_pair *p)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(p->key);
	unsigned char *der = NULL;
	int n = info != NULL ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;

	bundle_put_der(&o->b, der, n > 0 ? (size_t)n : SIZE_MAX);
	OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
	PKCS8_PRIV_KEY_INFO_free(info);
}

/* One pair. Whether it is good. */
static bool
take(size_t number, char *const part[3], struct output *certs,
    struct output *keys)
{
	struct pem_fault f = { .key = false };
	struct pem_pair p;
	const char *text;
	bool good = pem_load(&p, part[1], part[2], &f) == 0;

	if (good) {
		put_cert(certs, part[0], &p);
		put_key(keys, &p);
		if ((text = pem_warning(&p)) != NULL)
			printf("%zu\twarning\t%s\n", number, text);
	} else {
		printf("%zu\t%s\t%s\n", number, f.key ? "key" : "cert", f.why);
	}
	pem_free(&p);
	return good;
}

/* All of stdin, terminated. */
static char *
read_input(size_t *n)
{
	char *text = malloc(INPUT_MAX + 1);
	ssize_t got = 1;

	for (*n = 0; text != NULL && got > 0; *n += (size_t)got) {
		got = read(STDIN_FILENO, text + *n, INPUT_MAX - *n);
		if (got == -1) {
			free(text);
			return NULL;
		}
	}
	return text;
}

/* The next terminated string; NULL: there is none. */
static char *
next(char **at, const char *end_of_text)
{
	char *s = *at, *zero;

	if (s >= end_of_text ||
	    (zero = memchr(s, '\0', (size_t)(end_of_text - s))) == NULL)
		return NULL;
	*at = zero + 1;
	return s;
}

static uint16_t
count(char *at, const char *end_of_text)
{
	size_t n = 0;

	while (next(&at, end_of_text) != NULL)
		n++;
	return (uint16_t)(n / 3);
}

static bool
run(char *text, size_t n)
{
	struct output certs, keys;
	char *at = text, *part[3];
	const char *floor = next(&at, text + n);
	bool good = true, low;
	size_t number = 0;

	if (floor == NULL || begin(&certs, CERTS_FD) == -1 ||
	    begin(&keys, KEYS_FD) == -1)
		return false;
	low = floor[0] == '1';
	bundle_put_head(&certs.b, BUNDLE_CERTS, low, count(at, text + n));
	bundle_put_head(&keys.b, BUNDLE_KEYS, low, count(at, text + n));
	while ((part[0] = next(&at, text + n)) != NULL &&
	    (part[1] = next(&at, text + n)) != NULL &&
	    (part[2] = next(&at, text + n)) != NULL)
		good &= take(number++, part, &certs, &keys);
	good &= end(&certs) == 0;
	good &= end(&keys) == 0;
	return good;
}

int
main(void)
{
	char *text;
	bool good;
	size_t n;

	if (!OPENSSL_init_crypto(
		OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
		NULL) ||
	    (text = read_input(&n)) == NULL)
		return 1;
	good = run(text, n);
	free(text);
	return fflush(stdout) == 0 && good ? 0 : 1;
}
