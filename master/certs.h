/*
 * Certificates and their keys, while a configuration is parsed: another
 * program reads and checks them (worker/sign), and writes what is needed of
 * them into two memory files.
 */
#ifndef CERTS_H
#define CERTS_H

#include "common/conf/schema.h"
#include "master/conf.h"

/* Memory files (crypto/bundle.h): for `tls`, and for `sign` alone. */
struct certs_files {
	int certs, keys; /* -1: none */
};

/* Make both, empty. 0, or -1 with errno. */
int certs_open(struct certs_files *f);

/* No file. */
void certs_none(struct certs_files *f);
void certs_close(struct certs_files *f);

/*
 * Fill the files of *to with what c names. A fault for each file that is not
 * as it should be.
 */
void certs_load(const struct server_conf *c, const struct certs_files *to,
    struct faults *f);

/*
 * In the parent, once they are filled: nobody can change them any more. Empty
 * ones are closed. 0, or -1 with errno.
 */
int certs_seal(struct certs_files *f);

/* Bytes of one. */
uint32_t certs_size(int fd);

#endif
