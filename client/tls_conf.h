/*
 * MSG_TLS_CONF: how the role `tls` meets a service. With it comes, if it is to
 * verify, a descriptor to read certificates from (PEM); without one it trusts
 * nobody.
 *
 *   service u16, verify u8, name cstr8 (the certificate's, or an address)
 */
#ifndef TLS_CONF_H
#define TLS_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/text.h"

struct buf;

struct tls_conf {
	uint16_t service;
	bool verify;
	char name[TEXT_NAME_MAX + 1];
};

/* 0, or -1 if it does not fit. */
int tls_conf_put(struct buf *b, const struct tls_conf *c);

/* Decode a whole buffer; -1 if malformed. */
int tls_conf_get(struct buf *b, struct tls_conf *c);

#endif
