/* One handshake and login, the client's side of it. */
#include "client/initiator.h"

#include <sodium.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/crypto/cpace.h"
#include "common/crypto/record.h"
#include "common/crypto/ticket.h"
#include "common/tunnel/prologue.h"

enum step {
	WAIT_HELLO,  /* message 1 is out */
	WAIT_TRUST,  /* message 2 is in; is that key to be believed? */
	WAIT_ANSWER, /* message 3 is out: LOGIN */
	ENDED
};

/* Lies in guarded memory. */
struct initiator {
	uint32_t conn;
	enum step step;
	initiator_say say;
	void *arg;
	struct identity id;
	uint8_t method;
	struct names asked;
	uint8_t cipher;	 /* chosen from the server's */
	bool challenged; /* the server has proven that it knows the secret */
	struct noise noise;
	struct noise_cipher tx, rx;
	struct noise_key key;	 /* our static one */
	uint8_t sid[NOISE_HASH]; /* the hash after message 2 */
	struct cpace cpace;
};

struct initiator *
initiator_new(uint32_t conn, const struct identity *id,
    const struct noise_key *fresh, const struct identity_start *s,
    initiator_say say, void *arg)
{
	uint8_t prologue[PROLOGUE_MAX], out[NOISE_MSG_MAX];
	struct initiator *h;
	size_t n;

	n = prologue_make(prologue, s->preface, s->preface_len, s->transport,
	    s->exporter, s->exporter_len);
	if (n == 0 || (h = sodium_malloc(sizeof(*h))) == NULL)
		return NULL;
	memset(h, 0, sizeof(*h));
	h->conn = conn;
	h->say = say;
	h->arg = arg;
	h->id = *id;
	h->method = s->plain ? LOGIN_PLAIN : id->method;
	h->asked = s->asked;
	if (id->method == LOGIN_KEY) {
		h->method = LOGIN_KEY;
		noise_key_from_secret(&h->key, id->key);
	} else {
		h->key = *fresh;
	}
	noise_init(&h->noise, true, prologue, n, &h->key, NULL);
	if (noise_write(&h->noise, NULL, 0, out, sizeof(out), &n) == -1) {
		initiator_free(h);
		return NULL;
	}
	say(arg, MSG_HS_OUT, conn, out, n);
	return h;
}

void
initiator_free(struct initiator *h)
{
	sodium_free(h); /* which wipes */
}

bool
initiator_ended(const struct initiator *h)
{
	return h->step == ENDED;
}

uint32_t
initiator_conn(const struct initiator *h)
{
	return h->conn;
}

static void
fail(struct initiator *h, enum login_code code)
{
	uint8_t byte = (uint8_t)code;

	h->step = ENDED;
	h->say(h->arg, MSG_HS_FAIL, h->conn, &byte, 1);
}

/* The cipher to ask for, of those in the server's mask. 0, or -1. */
static int
choose_cipher(struct initiator *h, uint8_t offered)
{
	uint8_t first, second;

	if (h->id.cipher != IDENTITY_CIPHER_AUTO) {
		h->cipher = h->id.cipher;
		return (offered & 1u << h->cipher) != 0 ? 0 : -1;
	}
	/* As record_cipher_best(), which would bring libcrypto along. */
	first = crypto_aead_aes256gcm_is_available() ? RECORD_AES256_GCM
						     : RECORD_CHACHA20_POLY1305;
	second = first == RECORD_AES256_GCM ? RECORD_CHACHA20_POLY1305
					    : RECORD_AES256_GCM;
	h->cipher = (offered & 1u << first) != 0 ? first : second;
	return (offered & 1u << h->cipher) != 0 ? 0 : -1;
}

/* Message 2: the server's static key, and HELLO. */
static void
take_hello(struct initiator *h, const uint8_t *p, size_t n)
{
	uint8_t payload[NOISE_MSG_MAX];
	struct login_hello hello;
	size_t len;

	if (noise_read(&h->noise, p, n, payload, sizeof(payload), &len) == -1 ||
	    login_hello_get(&hello, payload, len) == -1) {
		fail(h, LOGIN_BAD);
		return;
	}
	if (choose_cipher(h, hello.ciphers) == -1) {
		fail(h, LOGIN_CIPHER);
		return;
	}
	memcpy(h->sid, noise_hash(&h->noise), sizeof(h->sid));
	h->step = WAIT_TRUST;
	h->say(h->arg, MSG_SERVER_KEY, h->conn, noise_remote(&h->noise),
	    NOISE_KEY);
}

/* Begin the proof of the secret: our point goes into LOGIN. */
static int
begin_cpace(struct initiator *h, uint8_t ya[LOGIN_POINT])
{
	uint8_t ci[CPACE_CI_MAX];
	struct cpace_input in = {
		.secret = h->id.secret,
		.secret_len = strlen(h->id.secret),
		.ci = ci,
		.sid = h->sid,
		.sid_len = sizeof(h->sid),
	};

	in.ci_len =
	    cpace_ci(ci, h->id.id, h->key.public, noise_remote(&h->noise));
	return in.ci_len == 0 ? -1 : cpace_start(&h->cpace, &in, NULL, ya);
}

/* Message 3: LOGIN. */
static void
send_login(struct initiator *h)
{
	uint8_t payload[LOGIN_MAX], out[NOISE_MSG_MAX];
	struct login l = { .method = h->method, .cipher = h->cipher };
	size_t n = 0;

	memcpy(l.instance, h->id.instance, sizeof(l.instance));
	strcpy(l.id, h->id.id);
	strncpy(l.version, PTP_VERSION, sizeof(l.version) - 1);
	if (h->method == LOGIN_PLAIN) {
		strcpy(l.secret, h->id.secret);
		l.asked = h->asked;
	}
	if (h->method != LOGIN_SECRET || begin_cpace(h, l.ya) == 0)
		n = login_put(payload, &l);
	if (n == 0 ||
	    noise_write(&h->noise, payload, n, out, sizeof(out), &n) == -1 ||
	    noise_split(&h->noise, &h->tx, &h->rx) == -1) {
		fail(h, LOGIN_BAD);
	} else {
		h->step = WAIT_ANSWER;
		h->say(h->arg, MSG_HS_OUT, h->conn, out, n);
	}
	sodium_memzero(&l, sizeof(l));
	sodium_memzero(payload, sizeof(payload));
}

void
initiator_trust(struct initiator *h, enum trust trust)
{
	/*
	 * The parent ends the connection by itself when a key has changed. A
	 * secret goes to a server that is known to be the right one, or that
	 * sits on this machine, and to nobody else.
	 */
	if (h->step != WAIT_TRUST || trust == TRUST_CHANGED)
		h->step = ENDED;
	else if (h->method == LOGIN_PLAIN && trust == TRUST_FIRST)
		fail(h, LOGIN_NEED_PLAIN);
	else
		send_login(h);
}

static void
send_sealed(struct initiator *h, const struct login_msg *m)
{
	uint8_t plain[LOGIN_MAX], out[LOGIN_MAX + NOISE_TAG];
	size_t n = login_msg_put(plain, m);

	if (n == 0 || noise_cipher_seal(&h->tx, NULL, 0, plain, n, out) == -1) {
		fail(h, LOGIN_BAD);
		return;
	}
	h->say(h->arg, MSG_HS_OUT, h->conn, out, n + NOISE_TAG);
}

/* CHALLENGE: does the server know the secret? Then we say that we do. */
static void
take_challenge(struct initiator *h, const struct login_msg *m)
{
	struct cpace_input in = { .sid = h->sid, .sid_len = sizeof(h->sid) };
	struct login_msg answer = { .type = LOGIN_CONFIRM };

	if (h->method != LOGIN_SECRET || h->challenged) {
		fail(h, LOGIN_BAD);
		return;
	}
	h->challenged = true;
	if (cpace_finish(&h->cpace, &in, m->yb, m->tag, answer.tag, NULL) ==
	    0) {
		send_sealed(h, &answer);
		return;
	}
	answer.type = LOGIN_ABORT;
	send_sealed(h, &answer);
	if (h->step != ENDED)
		fail(h, LOGIN_WRONG_SECRET);
}

/* ACCEPTED: the keys of the session, one Rekey() away from the login's. */
static void
take_accepted(struct initiator *h)
{
	uint8_t payload[1 + 3 * NOISE_KEY], root[TICKET_KEY];
	struct buf b;

	if (h->method == LOGIN_SECRET && !h->challenged) {
		fail(h, LOGIN_BAD); /* it has proven nothing */
		return;
	}
	noise_cipher_rekey(&h->tx);
	noise_cipher_rekey(&h->rx);
	ticket_root(root, h->tx.key, h->rx.key);
	buf_write(&b, payload, sizeof(payload));
	buf_put_u8(&b, h->cipher);
	buf_put(&b, h->tx.key, NOISE_KEY);
	buf_put(&b, h->rx.key, NOISE_KEY);
	buf_put(&b, root, sizeof(root));
	h->step = ENDED;
	h->say(h->arg, MSG_HS_KEYS, h->conn, payload, sizeof(payload));
	sodium_memzero(payload, sizeof(payload));
	sodium_memzero(root, sizeof(root));
}

static void
take_answer(struct initiator *h, const uint8_t *p, size_t n)
{
	uint8_t plain[NOISE_MSG_MAX];
	struct login_msg m;

	if (n < NOISE_TAG || n > sizeof(plain) ||
	    noise_cipher_open(&h->rx, NULL, 0, p, n, plain) == -1 ||
	    login_msg_get(&m, plain, n - NOISE_TAG) == -1) {
		fail(h, LOGIN_BAD);
		return;
	}
	switch (m.type) {
	case LOGIN_CHALLENGE:
		take_challenge(h, &m);
		return;
	case LOGIN_ACCEPTED:
		take_accepted(h);
		return;
	case LOGIN_REFUSED:
		fail(h, (enum login_code)m.code);
		return;
	default:
		fail(h, LOGIN_BAD);
	}
}

void
initiator_blob(struct initiator *h, const uint8_t *p, size_t n)
{
	if (h->step == WAIT_HELLO)
		take_hello(h, p, n);
	else if (h->step == WAIT_ANSWER)
		take_answer(h, p, n);
	else
		fail(h, LOGIN_BAD);
}
