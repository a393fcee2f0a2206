/*
 * The preface: a client's first bytes, which can be neither HTTP nor TLS.
 *
 *   magic 8e 'p' 't' 'p'   lowest version u8   highest version u8
 *   kind u8   flags u8   [ticket id, 16 bytes, if kind is PREFACE_TICKET]
 *
 * It is part of the Noise prologue or of the ticket's MAC, so nobody on the
 * way can change it. A server that speaks none of the versions answers
 * PREFACE_RANGE bytes {magic, its lowest, its highest} and closes.
 */
#ifndef PREFACE_H
#define PREFACE_H

#include <stddef.h>
#include <stdint.h>

#define PREFACE_VERSION 1
#define PREFACE_BASE 8	/* bytes without a ticket id */
#define PREFACE_MAX 24	/* bytes with one */
#define PREFACE_RANGE 6 /* bytes of the refusal of a version */
#define TICKET_ID 16

enum preface_kind {
	PREFACE_SESSION = 1, /* Noise and login follow: a new session */
	PREFACE_TICKET	     /* a further tunnel of a session */
};

/* The channel below binds nothing (a proxy ends its TLS). */
#define PREFACE_UNBOUND 0x01

struct preface {
	uint8_t min, max;
	uint8_t kind; /* enum preface_kind */
	uint8_t flags;
	uint8_t ticket[TICKET_ID];
};

/*
 * Take a preface from the n bytes at p. Returns its length; 0 if more bytes
 * are needed; -1 with errno EPROTO if these can never be one, EPROTONOSUPPORT
 * if it is one of versions that we do not speak.
 */
int preface_parse(struct preface *f, const uint8_t *p, size_t n);

/* Write one to p[PREFACE_MAX]; returns its length. */
size_t preface_make(uint8_t *p, const struct preface *f);

/* Write the answer to an unknown version to p[PREFACE_RANGE]. */
void preface_range(uint8_t *p);

#endif
