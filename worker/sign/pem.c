/* Certificates and their keys as an operator has them. */
#include "worker/sign/pem.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RSA_LEAST 2048 /* bits */
#define RSA_MOST 8192  /* SIGNING_SIGNATURE_MAX */

static int fault(struct pem_fault *f, bool key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int
fault(struct pem_fault *f, bool key, const char *fmt, ...)
{
	va_list ap;

	f->key = key;
	va_start(ap, fmt);
	vsnprintf(f->why, sizeof(f->why), fmt, ap);
	va_end(ap);
	ERR_clear_error();
	return -1;
}

/* Who may have written it, and for the key: read it. */
static int
check_file(const struct stat *st, bool key, struct pem_fault *f)
{
	if (!S_ISREG(st->st_mode))
		return fault(f, key, "expected a file");
	if (st->st_size > (off_t)PEM_FILE_MAX)
		return fault(f, key, "expected at most 1 MiB");
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return fault(f, key, "expected a file of root, or ours");
	if (key && (st->st_mode & 077) != 0)
		return fault(f, key,
		    "expected a file that its owner alone can read (chmod "
		    "600)");
	if ((st->st_mode & 022) != 0)
		return fault(f, key, "expected that others cannot write to it");
	return 0;
}

/* The whole file, in memory that is wiped when it is freed. */
static BIO *
open_file(const char *path, bool key, struct pem_fault *f)
{
	char *space = NULL;
	struct stat st;
	BIO *bio = NULL;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1 || fstat(fd, &st) == -1) {
		fault(f, key, "%s", strerror(errno));
		goto out;
	}
	if (check_file(&st, key, f) == -1)
		goto out;
	if ((space = malloc((size_t)st.st_size + 1)) == NULL ||
	    (bio = BIO_new(BIO_s_secmem())) == NULL ||
	    (n = read(fd, space, (size_t)st.st_size)) != st.st_size ||
	    (n > 0 && BIO_write(bio, space, (int)n) != n)) {
		fault(f, key, "it cannot be read");
		BIO_free(bio);
		bio = NULL;
	}
out:
	if (space != NULL)
		explicit_bzero(space, (size_t)st.st_size);
	free(space);
	if (fd != -1)
		close(fd);
	return bio;
}

static int
load_chain(struct pem_pair *p, const char *path, struct pem_fault *f)
{
	BIO *bio = open_file(path, false, f);
	X509 *x;

	if (bio == NULL)
		return -1;
	while ((x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		if (p->depth == BUNDLE_DEPTH) {
			X509_free(x);
			BIO_free(bio);
			return fault(f, false,
			    "expected at most %d certificates", BUNDLE_DEPTH);
		}
		p->chain[p->depth++] = x;
	}
	BIO_free(bio);
	/* The end of the file shows as no further beginning. */
	if (p->depth == 0 ||
	    ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return fault(f, false, "expected certificates in PEM form");
	ERR_clear_error();
	return 0;
}

/* Nobody is there to be asked for a passphrase. */
static int
no_passphrase(char *buf, int size, int writing, void *asked)
{
	(void)buf;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

static int
check_kind(const EVP_PKEY *key, struct pem_fault *f)
{
	static const char *const curves[] = { "prime256v1", "secp384r1",
		"secp521r1" };
	char name[32] = "";
	int bits = EVP_PKEY_get_bits(key);

	if (EVP_PKEY_is_a(key, "RSA") && bits >= RSA_LEAST && bits <= RSA_MOST)
		return 0;
	if (EVP_PKEY_is_a(key, "EC") &&
	    EVP_PKEY_get_group_name(key, name, sizeof(name), NULL) == 1) {
		for (size_t i = 0; i < 3; i++) {
			if (strcmp(name, curves[i]) == 0)
				return 0;
		}
	}
	return fault(f, true,
	    "expected an RSA key of %d to %d bits, or an EC key on P-256, "
	    "P-384 or P-521",
	    RSA_LEAST, RSA_MOST);
}

static int
load_key(struct pem_pair *p, const char *path, struct pem_fault *f)
{
	BIO *bio = open_file(path, true, f);
	bool asked = false;

	if (bio == NULL)
		return -1;
	p->key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked);
	BIO_free(bio);
	if (p->key == NULL)
		return fault(f, true,
		    asked ? "expected a key that is not encrypted"
			  : "expected a private key in PEM form");
	return check_kind(p->key, f);
}

int
pem_load(
    struct pem_pair *p, const char *cert, const char *key, struct pem_fault *f)
{
	memset(p, 0, sizeof(*p));
	if (load_chain(p, cert, f) == -1 || load_key(p, key, f) == -1)
		return -1;
	if (X509_check_private_key(p->chain[0], p->key) != 1)
		return fault(f, true, "expected the key of %s", cert);
	return 0;
}

void
pem_free(struct pem_pair *p)
{
	for (size_t i = 0; i < p->depth; i++)
		X509_free(p->chain[i]);
	EVP_PKEY_free(p->key);
	memset(p, 0, sizeof(*p));
}

const char *
pem_warning(const struct pem_pair *p)
{
	const X509 *x = p->chain[0];

	if (X509_cmp_current_time(X509_get0_notAfter(x)) < 0)
		return "the certificate has expired";
	if (X509_cmp_current_time(X509_get0_notBefore(x)) > 0)
		return "the certificate is not valid yet";
	return NULL;
}
