/*
 * One handshake, the server's side: Noise (common/crypto/noise.h) and what
 * travels inside it (common/tunnel/login.h), no frames of ours, no tables.
 *
 * The struct holds secrets: guarded memory, wiped by who frees it. After a
 * call has failed, nothing but wiping it makes sense.
 */
#ifndef RESPONDER_H
#define RESPONDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/crypto/noise.h"
#include "common/tunnel/login.h"

#define RESPONDER_KEYS 96 /* to send, to receive, root of tickets */

enum responder_turn {
	RESPONDER_MESSAGE_1, /* the client's turn, three times */
	RESPONDER_MESSAGE_3,
	RESPONDER_CLIENT,
	RESPONDER_SERVER /* `auth` decides */
};

struct responder {
	enum responder_turn turn;
	bool unbound;	       /* the client says that nothing below is bound */
	uint8_t cipher;	       /* enum record_cipher: chosen in message 3 */
	uint8_t h[NOISE_HASH]; /* after message 2: CPace's session id */
	uint8_t remote[NOISE_KEY];
	struct noise noise;
	struct noise_cipher tx, rx;
};

/*
 * Begin with our static key, on a connection with this preface (n bytes),
 * transport and exporter. 0, or -1: it is no preface of a session.
 */
int responder_begin(struct responder *r, const struct noise_key *key,
    const uint8_t *preface, size_t n, uint8_t transport, const void *exporter,
    size_t exporter_len);

/* Answer message 1 with message 2 in out[NOISE_MSG_MAX]. 0, or -1. */
int responder_answer(struct responder *r, const uint8_t *msg, size_t n,
    uint8_t *out, size_t *outlen);

/*
 * Take message 3: LOGIN into login[LOGIN_MAX], its length into *len. 0, or
 * -1: forged. Whether LOGIN is any good, responder_check() says.
 */
int responder_login(struct responder *r, const uint8_t *msg, size_t n,
    uint8_t *login, size_t *len);

/* LOGIN_OK, LOGIN_BAD or LOGIN_CIPHER; remembers the cipher. */
enum login_code responder_check(
    struct responder *r, const uint8_t *login, size_t n);

/*
 * Seal n bytes (up to LOGIN_MAX) for the client into out[NOISE_MSG_MAX], or
 * open what it sent into out[LOGIN_MAX]. Each only in its turn. 0, or -1.
 */
int responder_seal(struct responder *r, const uint8_t *p, size_t n,
    uint8_t *out, size_t *outlen);
int responder_open(struct responder *r, const uint8_t *msg, size_t n,
    uint8_t *out, size_t *outlen);

/*
 * The session's keys, for the relay: those of the login after one Rekey()
 * each way, so that who gets them cannot open the login that it carried.
 */
void responder_keys(const struct responder *r, uint8_t keys[RESPONDER_KEYS]);

#endif
