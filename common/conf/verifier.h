/*
 * A verifier: what proves that a client is the one of an id. The parser of
 * the configuration sends it straight to `auth`, which alone keeps it.
 */
#ifndef VERIFIER_H
#define VERIFIER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/text.h"

struct buf;

#define VERIFIER_SECRET_MAX 255 /* bytes of a secret: LOGIN_SECRET_MAX */
#define VERIFIER_KEY 32		/* bytes of a public key */
#define VERIFIER_HASH_MAX 127	/* bytes of an encoded argon2 hash */
#define VERIFIER_MAX 65536	/* users of one server */

enum verifier_method {
	VERIFIER_SECRET = 1, /* CPace with the secret */
	VERIFIER_PUBKEY = 2, /* the client's Noise static key */
	VERIFIER_HASH = 3    /* argon2id of a secret that is sent */
};

/* Holds a secret: wipe it after use (explicit_bzero). */
struct verifier {
	char id[TEXT_LABEL_MAX + 1];
	uint8_t method; /* enum verifier_method: which of the next counts */
	union {
		char secret[VERIFIER_SECRET_MAX + 1]; /* terminated */
		uint8_t key[VERIFIER_KEY];
		char hash[VERIFIER_HASH_MAX + 1]; /* "$argon2id$v=19$m=..." */
	} u;
};

/*
 * Encode: method u8, id str8, then secret str8, key 32 bytes or hash str8.
 * Returns 0, or -1 if it does not fit.
 */
int verifier_put(struct buf *b, const struct verifier *v);

/*
 * Decode one, hostile input allowed: id a lower-case label, known method,
 * secret not empty, hash well formed. -1: b has failed, *v is wiped.
 */
int verifier_get(struct buf *b, struct verifier *v);

/*
 * Frames of verifiers, as server_conf_encode_verifiers() emits them, each of
 * at most PACK_FRAME_MAX bytes: number in all u32 (of the whole series), then
 * verifiers up to the end of the frame. The series ends when that many have
 * come; a series of none is one frame. To read one:
 *
 *	buf_read(&b, frame, n);
 *	if (buf_get_u32(&b, &total) == -1) ...
 *	while (buf_left(&b) > 0)
 *		if (verifier_get(&b, &v) == -1) ...
 */

/* Whether s is an argon2id hash as `argon2 -id -e` prints it, within bounds
 * (at most 1 GiB of memory, 64 passes, 16 lanes). 0 or -1. */
int verifier_check_hash(const char *s);

#endif
