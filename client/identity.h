/*
 * As whom a client logs in: the payload of MSG_IDENTITY, and what the parent
 * adds to MSG_HS_START.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/tunnel/login.h"

struct buf;

#define IDENTITY_MAX 32 /* identities that `proof` keeps: one per server */
#define IDENTITY_KEY 32

/* What tunnel.cipher asks for: the faster one of both, or just this. */
#define IDENTITY_CIPHER_AUTO 0xff

/* Holds secrets: guarded memory, wiped. */
struct identity {
	uint8_t number;
	uint8_t method; /* LOGIN_SECRET or LOGIN_KEY */
	uint8_t cipher; /* enum record_cipher, or IDENTITY_CIPHER_AUTO */
	uint8_t instance[LOGIN_INSTANCE];
	char id[TEXT_LABEL_MAX + 1];
	char secret[LOGIN_SECRET_MAX + 1]; /* LOGIN_SECRET */
	uint8_t key[IDENTITY_KEY];	   /* LOGIN_KEY: the private half */
};

/* MSG_HS_START as `proof` gets it. */
struct identity_start {
	uint8_t transport;		   /* enum transport */
	const uint8_t *exporter, *preface; /* views */
	size_t exporter_len, preface_len;
	uint8_t identity;   /* its number */
	bool plain;	    /* the secret itself is to be sent, ... */
	struct names asked; /* ... with these names */
};

/* 0, or -1 if it does not fit. */
int identity_put(struct buf *b, const struct identity *i);
int identity_start_put(struct buf *b, const struct identity_start *s);

/* Decode a whole buffer; -1 if malformed. */
int identity_get(struct buf *b, struct identity *i);
int identity_start_get(struct buf *b, struct identity_start *s);

#endif
