/*
 * Records: the sealed units of a tunnel's byte stream (PROTOCOL.md section
 * 2). The bulk AEAD is OpenSSL's; this is the only module that needs it.
 *
 *	u16 length, big endian: the bytes that follow; the associated data
 *	ciphertext
 *	16-byte tag
 *
 * With the cipher "none" a record is its length and the plain bytes. No
 * record is empty or has more than RECORD_PLAIN_MAX bytes of plaintext.
 *
 * The key of a direction is BLAKE2b(key: its split key, message: the cipher's
 * name). Record number i, from 0, has the nonce of 4 zero bytes and i as u64,
 * little endian for ChaCha20-Poly1305, big endian for AES-256-GCM (as in
 * Noise, section 12). Before record number i, if i is a multiple of
 * RECORD_REKEY other than 0, the key becomes BLAKE2b(key: itself, message:
 * "rekey"); the counter goes on, so that a nonce never comes again.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RECORD_MAX 16384 /* bytes after the length: ciphertext and tag */
#define RECORD_HEAD 2	 /* bytes of the length */
#define RECORD_TAG 16
#define RECORD_PLAIN_MAX (RECORD_MAX - RECORD_TAG)
#define RECORD_KEY 32
#define RECORD_REKEY (UINT64_C(1) << 20) /* records under one key */

enum record_cipher {
	RECORD_NONE = 0,
	RECORD_CHACHA20_POLY1305 = 1,
	RECORD_AES256_GCM = 2
};

/* One direction: cipher, key and counter, in guarded memory. */
struct record;

/*
 * Load the ciphers, without reading libcrypto's configuration file. Once per
 * process, after sodium_init() and before its sandbox closes: afterwards
 * nothing here opens a file (it calls mmap, munmap, mprotect, mlock, munlock
 * and madvise for guarded memory, and futex). Returns 0. -1 with EIO or ENOMEM.
 */
int record_init(void);

/* "none", "chacha20-poly1305", "aes256-gcm"; NULL if c is none of them. */
const char *record_cipher_name(enum record_cipher c);

/* The cipher of that name. Returns 0, or -1 if there is none. */
int record_cipher_parse(const char *name, enum record_cipher *c);

/* The faster cipher here: AES where the CPU has it, else ChaCha20. */
enum record_cipher record_cipher_best(void);

/*
 * One direction sealed, or opened, with `cipher` under the split key of that
 * direction; which of the two it does is fixed by its first use, and using it
 * for the other fails with EINVAL. The caller wipes its copy of the key and
 * frees the result with record_free. NULL with errno: EINVAL, ENOMEM.
 */
struct record *record_new(
    enum record_cipher cipher, const uint8_t split_key[RECORD_KEY]);

/* Wipe and free; NULL is allowed. */
void record_free(struct record *r);

/* Bytes that this direction adds to each piece of plaintext. */
size_t record_overhead(const struct record *r);

/*
 * Seal in place: at p are RECORD_HEAD bytes of room, n plaintext bytes (1 to
 * RECORD_PLAIN_MAX), RECORD_TAG bytes of room. Returns the length of the
 * whole record, n + record_overhead(r). -1 with errno: EMSGSIZE for n;
 * EOVERFLOW the counter is used up; EIO libcrypto failed. Then (but for
 * EMSGSIZE) the direction is dead and so is the tunnel.
 */
ssize_t record_seal(struct record *r, uint8_t *p, size_t n);

/*
 * The length of the record that begins at p, of which n bytes have arrived:
 * 0 while they are too few to tell, -1 if the length is invalid, else
 * RECORD_HEAD and all that follows, at most RECORD_HEAD + RECORD_MAX.
 */
ssize_t record_length(const uint8_t *p, size_t n);

/*
 * Open in place the whole record of n bytes at p (n from record_length).
 * Returns the length of the plaintext (1 to RECORD_PLAIN_MAX) at p +
 * RECORD_HEAD. -1 with errno: EBADMSG malformed or forged; EOVERFLOW, EIO as
 * above. After a failure the direction is dead: every later call fails. p is
 * then garbage.
 */
ssize_t record_open(struct record *r, uint8_t *p, size_t n);

#endif
