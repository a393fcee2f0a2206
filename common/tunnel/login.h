/*
 * Login messages: what travels inside the Noise handshake and, until the
 * session begins, under its keys. Each is one Noise payload.
 *
 *   message 2   server  HELLO     version str8, ciphers u8 (bit per cipher)
 *   message 3   client  LOGIN     method u8, cipher u8, instance 16 bytes,
 *                                 id str8, client version str8, then by
 *                                 method: Ya 32 (secret), nothing (key),
 *                                 secret str8, names asked for: count u8,
 *                                 str8 each (plain; tunnel/names.h)
 *   then        server  CHALLENGE Yb 32, Tb 64              (secret only)
 *               client  CONFIRM   Ta 64
 *   or          client  ABORT     the server's Tb was wrong
 *   last        server  ACCEPTED  domain str8, tunnels u8
 *               or      REFUSED   code u8, retry u32 seconds
 *
 * All but HELLO and LOGIN begin with their type, one byte. Every login
 * message is at most LOGIN_MAX bytes.
 */
#ifndef LOGIN_H
#define LOGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/text.h"
#include "common/tunnel/names.h"

#define LOGIN_MAX 900	     /* bytes of one message */
#define LOGIN_SECRET_MAX 255 /* bytes of a secret */
#define LOGIN_VERSION_MAX 31
#define LOGIN_INSTANCE 16
#define LOGIN_POINT 32 /* Ya, Yb: encoded group elements */
#define LOGIN_TAG 64   /* Ta, Tb: SHA-512 confirmations */

enum login_method { LOGIN_SECRET = 1, LOGIN_KEY, LOGIN_PLAIN };

enum login_type {
	LOGIN_CHALLENGE = 1,
	LOGIN_CONFIRM,
	LOGIN_ABORT,
	LOGIN_ACCEPTED,
	LOGIN_REFUSED
};

/* Refusals. The reader makes the text; login_code_text() is ours. */
enum login_code {
	LOGIN_OK = 0,
	LOGIN_UNKNOWN_ID,
	LOGIN_WRONG_SECRET,
	LOGIN_WRONG_KEY,
	LOGIN_NEED_SECRET, /* this id logs in by secret (CPace) */
	LOGIN_NEED_KEY,
	LOGIN_NEED_PLAIN, /* ... by a secret sent to a verified server */
	LOGIN_BUSY,	  /* try again in `retry` seconds */
	LOGIN_LIMIT,	  /* a limit of this id, or of the server */
	LOGIN_CIPHER,	  /* no cipher in common, or none where one is due */
	LOGIN_BAD,	  /* malformed or out of order */
	LOGIN_LOCKED,	  /* too many failures from this address */
	LOGIN_CODES
};

struct login {
	uint8_t method; /* enum login_method */
	uint8_t cipher; /* enum record_cipher */
	uint8_t instance[LOGIN_INSTANCE];
	char id[TEXT_LABEL_MAX + 1];
	char version[LOGIN_VERSION_MAX + 1];
	uint8_t ya[LOGIN_POINT];
	char secret[LOGIN_SECRET_MAX + 1]; /* wipe after use */
	struct names asked;		   /* plain: for an external check */
};

struct login_hello {
	char version[LOGIN_VERSION_MAX + 1];
	uint8_t ciphers;
};

/* Any of the typed messages; which fields count, `type` says. */
struct login_msg {
	uint8_t type; /* enum login_type */
	uint8_t yb[LOGIN_POINT];
	uint8_t tag[LOGIN_TAG]; /* Tb or Ta */
	char domain[TEXT_NAME_MAX + 1];
	uint8_t tunnels; /* how many this client may hold */
	uint8_t code;	 /* enum login_code */
	uint32_t retry;
};

/* Encode to out[LOGIN_MAX]; returns the length, 0 if something is too long. */
size_t login_hello_put(uint8_t *out, const struct login_hello *h);
size_t login_put(uint8_t *out, const struct login *l);
size_t login_msg_put(uint8_t *out, const struct login_msg *m);

/* Decode exactly n bytes; -1 if malformed. Ids must be labels already. */
int login_hello_get(struct login_hello *h, const uint8_t *p, size_t n);
int login_get(struct login *l, const uint8_t *p, size_t n);
int login_msg_get(struct login_msg *m, const uint8_t *p, size_t n);

/* A sentence for a person, e.g. "wrong secret, or not your server". */
const char *login_code_text(enum login_code code);

/* Refused for good: trying again changes nothing. */
bool login_code_final(enum login_code code);

/*
 * MSG_HS_LOGIN: what `keys` tells `auth` about a handshake after message 3:
 * its source (addr_source() of the peer that the master named, or all zero),
 * the handshake hash after message 2 (CPace's session id), both static keys,
 * and LOGIN as it came.
 */
struct login_case {
	struct addr source;
	uint8_t h[64];
	uint8_t client_static[32], server_static[32];
	const uint8_t *login; /* a view */
	size_t n;
};

int login_case_put(
    uint8_t *out, size_t cap, size_t *n, const struct login_case *c);
int login_case_get(struct login_case *c, const uint8_t *p, size_t n);

#endif
