/*
 * Tickets of further connections (PROTOCOL.md section 2): the one-time keys
 * that both ends of a session derive without sending them, the proofs of a
 * connection's first flights, and its record keys. All BLAKE2b, keyed
 * (RFC 7693, over libsodium's crypto_generichash).
 *
 *	root_0     = BLAKE2b(key: c2s || s2c, "ptp1 ticket root"), c2s and s2c
 *	             the split keys of the session's first tunnel, client to
 *	             server and back, as the relay got them
 *	key_i      = BLAKE2b(key: root_i, "ticket")
 *	root_(i+1) = BLAKE2b(key: root_i, "next")
 *
 *	transcript = lv(preface) lv(transport) lv(exporter), client's nonce,
 *	             where lv(x) is the length as u64, big endian, then x
 *	client MAC = BLAKE2b(key: key_i, "ptp1 ticket client" transcript)
 *	server MAC = BLAKE2b(key: key_i, "ptp1 ticket server" transcript,
 *	             server's nonce)
 *	c2s || s2c = BLAKE2b-512(key: key_i, "ptp1 ticket split", client's
 *	             nonce, server's nonce)
 *
 * A key is used once and for one connection only; then it is wiped.
 */
#ifndef TICKET_H
#define TICKET_H

#include <stddef.h>
#include <stdint.h>

#define TICKET_KEY 32
#define TICKET_NONCE 32
#define TICKET_MAC 32

/* What the first flights are about; a pair of NULL and 0 is empty. */
struct ticket_flight {
	const void *preface; /* whole, the ticket's id included */
	size_t preface_len;
	const void *transport; /* as in Noise's prologue */
	size_t transport_len;
	const void *exporter; /* empty on an unbound connection */
	size_t exporter_len;
	const uint8_t *client_nonce; /* TICKET_NONCE bytes */
	const uint8_t *server_nonce; /* the same; not for the client's MAC */
};

/*
 * The session's first root, from the split keys of its first tunnel: client
 * to server, server to client (both ends pass them in this order).
 */
void ticket_root(uint8_t root[TICKET_KEY], const uint8_t c2s[TICKET_KEY],
    const uint8_t s2c[TICKET_KEY]);

/* The next one-time key; the root moves on, and cannot be moved back. */
void ticket_next(uint8_t root[TICKET_KEY], uint8_t key[TICKET_KEY]);

/* Fill a nonce. */
void ticket_nonce(uint8_t nonce[TICKET_NONCE]);

/* The client's proof, over all of *f but the server's nonce. */
void ticket_client_mac(uint8_t mac[TICKET_MAC], const uint8_t key[TICKET_KEY],
    const struct ticket_flight *f);

/* The server's proof, over all of *f. */
void ticket_server_mac(uint8_t mac[TICKET_MAC], const uint8_t key[TICKET_KEY],
    const struct ticket_flight *f);

/* Are they equal? In constant time. Returns 0, or -1. */
int ticket_mac_verify(
    const uint8_t mac[TICKET_MAC], const uint8_t expected[TICKET_MAC]);

/* The connection's split keys, for record_new, from both nonces of *f. */
void ticket_split(const uint8_t key[TICKET_KEY], const struct ticket_flight *f,
    uint8_t c2s[TICKET_KEY], uint8_t s2c[TICKET_KEY]);

#endif
