/*
 * Keys of session tickets, the same in every tls worker, so that a session
 * begun with one resumes with any. The parent makes them and changes them.
 */
#ifndef TICKETS_H
#define TICKETS_H

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ipc/msg.h"

#define TICKETS_LIFE 7200 /* seconds that a session may be resumed */
#define TICKETS_NAME 16
#define TICKETS_SECRET 32

struct tickets_key {
	uint8_t name[TICKETS_NAME];
	uint8_t cipher[TICKETS_SECRET]; /* AES-256-CBC */
	uint8_t mac[TICKETS_SECRET];	/* HMAC-SHA-256 */
};

struct tickets {
	EVP_CIPHER *cipher;
	struct tickets_key keys[MSG_TICKET_KEYS_MAX]; /* first: to issue */
	size_t n;
};

/* 0, or -1. Before the sandbox. */
int tickets_init(struct tickets *t);

/* Use these, of n bytes. 0, or -1: that is not a number of keys. */
int tickets_set(struct tickets *t, const uint8_t *p, size_t n);

/*
 * The body of a callback of SSL_CTX_set_tlsext_ticket_key_evp_cb(3): the same
 * arguments, the same results.
 */
int tickets_use(struct tickets *t, uint8_t name[TICKETS_NAME], uint8_t *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int issue);

#endif
