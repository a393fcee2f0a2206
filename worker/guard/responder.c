/* One handshake, the server's side. */
#include "worker/guard/responder.h"

#include <string.h>

#include "common/crypto/record.h"
#include "common/crypto/ticket.h"
#include "common/tunnel/prologue.h"

#define BIT(cipher) (1u << (cipher))
#define SEALED (BIT(RECORD_CHACHA20_POLY1305) | BIT(RECORD_AES256_GCM))

/* The ciphers that this connection may use, for HELLO. */
static unsigned
ciphers(const struct responder *r)
{
	/* Bare frames only where no stranger ends a layer below us. */
	return r->unbound ? SEALED : SEALED | BIT(RECORD_NONE);
}

int
responder_begin(struct responder *r, const struct noise_key *key,
    const uint8_t *preface, size_t n, uint8_t transport, const void *exporter,
    size_t exporter_len)
{
	uint8_t prologue[PROLOGUE_MAX];
	struct preface f;
	size_t len;

	len = prologue_make(
	    prologue, preface, n, transport, exporter, exporter_len);
	if (len == 0 || preface_parse(&f, preface, n) != (int)n ||
	    f.kind != PREFACE_SESSION)
		return -1;
	memset(r, 0, sizeof(*r));
	r->unbound = (f.flags & PREFACE_UNBOUND) != 0;
	noise_init(&r->noise, false, prologue, len, key, NULL);
	r->turn = RESPONDER_MESSAGE_1;
	return 0;
}

int
responder_answer(struct responder *r, const uint8_t *msg, size_t n,
    uint8_t *out, size_t *outlen)
{
	struct login_hello hello = { .version = PTP_VERSION };
	uint8_t payload[LOGIN_MAX];
	size_t len;

	if (r->turn != RESPONDER_MESSAGE_1)
		return -1;
	/* Nothing may come in message 1: it could be read by anyone. */
	if (noise_read(&r->noise, msg, n, payload, 0, &len) == -1)
		return -1;
	hello.ciphers = (uint8_t)ciphers(r);
	if ((len = login_hello_put(payload, &hello)) == 0 ||
	    noise_write(&r->noise, payload, len, out, NOISE_MSG_MAX, outlen) ==
		-1)
		return -1;
	memcpy(r->h, noise_hash(&r->noise), sizeof(r->h));
	r->turn = RESPONDER_MESSAGE_3;
	return 0;
}

int
responder_login(struct responder *r, const uint8_t *msg, size_t n,
    uint8_t *login, size_t *len)
{
	if (r->turn != RESPONDER_MESSAGE_3 ||
	    noise_read(&r->noise, msg, n, login, LOGIN_MAX, len) == -1 ||
	    noise_split(&r->noise, &r->tx, &r->rx) == -1)
		return -1;
	memcpy(r->remote, noise_remote(&r->noise), sizeof(r->remote));
	noise_wipe(&r->noise);
	r->turn = RESPONDER_SERVER;
	return 0;
}

enum login_code
responder_check(struct responder *r, const uint8_t *login, size_t n)
{
	enum login_code code = LOGIN_BAD;
	struct login l;

	if (login_get(&l, login, n) == 0) {
		code = LOGIN_CIPHER;
		if (l.cipher <= RECORD_AES256_GCM &&
		    (ciphers(r) & BIT(l.cipher)) != 0) {
			r->cipher = l.cipher;
			code = LOGIN_OK;
		}
	}
	explicit_bzero(&l, sizeof(l));
	return code;
}

int
responder_seal(struct responder *r, const uint8_t *p, size_t n, uint8_t *out,
    size_t *outlen)
{
	if (r->turn != RESPONDER_SERVER || n > LOGIN_MAX ||
	    noise_cipher_seal(&r->tx, NULL, 0, p, n, out) == -1)
		return -1;
	*outlen = n + NOISE_TAG;
	r->turn = RESPONDER_CLIENT;
	return 0;
}

int
responder_open(struct responder *r, const uint8_t *msg, size_t n, uint8_t *out,
    size_t *outlen)
{
	if (r->turn != RESPONDER_CLIENT || n > LOGIN_MAX + NOISE_TAG ||
	    noise_cipher_open(&r->rx, NULL, 0, msg, n, out) == -1)
		return -1;
	*outlen = n - NOISE_TAG;
	r->turn = RESPONDER_SERVER;
	return 0;
}

void
responder_keys(const struct responder *r, uint8_t keys[RESPONDER_KEYS])
{
	struct noise_cipher tx = r->tx, rx = r->rx;

	noise_cipher_rekey(&tx);
	noise_cipher_rekey(&rx);
	memcpy(keys, tx.key, NOISE_KEY);
	memcpy(keys + NOISE_KEY, rx.key, NOISE_KEY);
	/* The client's direction comes first. */
	ticket_root(keys + 2 * NOISE_KEY, rx.key, tx.key);
	explicit_bzero(&tx, sizeof(tx));
	explicit_bzero(&rx, sizeof(rx));
}
