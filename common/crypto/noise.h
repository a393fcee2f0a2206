/*
 * Noise_XX_25519_ChaChaPoly_BLAKE2b (the Noise Protocol Framework, revision
 * 34), over libsodium; sodium_init() must have been called.
 *
 *	-> e
 *	<- e, ee, s, es
 *	-> s, se
 *
 * The structs are complete so that they can be embedded; they hold secrets:
 * keep them in guarded memory, wipe them, look inside only from noise.c.
 */
#ifndef NOISE_H
#define NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOISE_KEY 32  /* bytes of a secret, public or symmetric key */
#define NOISE_HASH 64 /* bytes of the handshake hash */
#define NOISE_TAG 16  /* bytes that sealing adds */
#define NOISE_MSG_MAX                                          \
	1024 /* bytes of a handshake message, payload included \
	      */

/* Bytes that the three handshake messages add to their payloads. */
#define NOISE_OVERHEAD_1 NOISE_KEY
#define NOISE_OVERHEAD_2 (NOISE_KEY + NOISE_KEY + NOISE_TAG + NOISE_TAG)
#define NOISE_OVERHEAD_3 (NOISE_KEY + NOISE_TAG + NOISE_TAG)

/* An X25519 key pair (RFC 7748). */
struct noise_key {
	uint8_t secret[NOISE_KEY];
	uint8_t public[NOISE_KEY];
};

/* One direction after the handshake: a CipherState (section 5.1). */
struct noise_cipher {
	uint8_t key[NOISE_KEY];
	uint64_t n; /* number of the next message; UINT64_MAX: unusable */
};

/* A HandshakeState (section 5.3). */
struct noise {
	uint8_t ck[NOISE_HASH]; /* chaining key */
	uint8_t h[NOISE_HASH];
	struct noise_cipher cipher; /* unused until keyed */
	struct noise_key s;	    /* ours, static */
	struct noise_key e;	    /* ours, ephemeral */
	uint8_t rs[NOISE_KEY];	    /* the peer's, static */
	uint8_t re[NOISE_KEY];	    /* the peer's, ephemeral */
	int step;		    /* messages done; -1: dead */
	bool initiator;
	bool keyed;
	bool have_e;  /* e was given */
	bool have_rs; /* rs arrived and was authenticated */
};

/* Make a fresh key pair. */
void noise_key_make(struct noise_key *k);

/* The key pair of this secret: any 32 bytes are one (they are clamped). */
void noise_key_from_secret(
    struct noise_key *k, const uint8_t secret[NOISE_KEY]);

/*
 * Begin a handshake as initiator (who writes first) or responder, with our
 * static key s, which is copied. Both sides must give the same n prologue
 * bytes. e is our ephemeral key if a test prescribes it; NULL makes a fresh
 * one, and nothing but a test may pass anything else.
 */
void noise_init(struct noise *ns, bool initiator, const void *prologue,
    size_t n, const struct noise_key *s, const struct noise_key *e);

/*
 * Write the next handshake message with the n bytes of payload (which may be
 * 0) into out[cap] and its length into *outlen. The payload of message 1 is
 * readable by anyone, that of message 2 by an active attacker in the
 * initiator's place (section 7.7). out must not overlap payload.
 *
 * Returns 0. -1 with errno: EINVAL not our turn or dead; EMSGSIZE the message
 * would exceed cap or NOISE_MSG_MAX; EBADMSG a key exchange gave zero. After
 * a failure the state is dead (and wiped): every later call fails.
 */
int noise_write(struct noise *ns, const void *payload, size_t n, uint8_t *out,
    size_t cap, size_t *outlen);

/*
 * Take the peer's next message, n bytes at msg, and write its payload into
 * payload[cap], its length into *plen. payload must not overlap msg, and
 * means nothing if this fails.
 *
 * Returns 0. -1 with errno: EINVAL not the peer's turn or dead; EMSGSIZE
 * longer than NOISE_MSG_MAX or its payload than cap; EBADMSG too short,
 * forged, or a key exchange gave zero. After a failure the state is dead.
 */
int noise_read(struct noise *ns, const uint8_t *msg, size_t n, uint8_t *payload,
    size_t cap, size_t *plen);

/* All three messages are through: noise_split may be called. */
bool noise_done(const struct noise *ns);

/*
 * The peer's static public key (NOISE_KEY bytes, inside *ns): the initiator
 * has it after message 2, the responder after message 3; NULL before.
 */
const uint8_t *noise_remote(const struct noise *ns);

/*
 * h as it is now (NOISE_HASH bytes, inside *ns, overwritten by the next
 * message): after message 2 the session id of CPace, after message 3 the
 * handshake hash (section 11.2).
 */
const uint8_t *noise_hash(const struct noise *ns);

/*
 * Derive the keys of both directions: tx seals what we send, rx opens what
 * the peer sends. *ns keeps noise_hash and noise_remote; the caller wipes it.
 * Returns 0. -1 with EINVAL if !noise_done(): tx and rx are then unusable.
 */
int noise_split(
    struct noise *ns, struct noise_cipher *tx, struct noise_cipher *rx);

void noise_wipe(struct noise *ns);

/*
 * Seal the n bytes at plain with adn bytes of associated data (NULL, 0: none)
 * into out, which has room for n + NOISE_TAG bytes and may be plain itself.
 * Returns 0. -1 with EOVERFLOW when the nonces are used up.
 */
int noise_cipher_seal(struct noise_cipher *c, const void *ad, size_t adn,
    const void *plain, size_t n, uint8_t *out);

/*
 * Open the n bytes at in into out, which has room for n - NOISE_TAG bytes and
 * may be `in` itself. Returns 0. -1 with EBADMSG: too short or forged (the
 * nonce does not move); EOVERFLOW: the nonces are used up.
 */
int noise_cipher_open(struct noise_cipher *c, const void *ad, size_t adn,
    const uint8_t *in, size_t n, uint8_t *out);

/* Replace the key by a one-way function of it; n goes on (section 11.3). */
void noise_cipher_rekey(struct noise_cipher *c);

#endif
