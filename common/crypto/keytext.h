/*
 * Keys as text: the unpadded base64url (RFC 4648, section 5) of 32 bytes. A
 * public key's fingerprint is the same text: the key is short enough.
 */
#ifndef KEYTEXT_H
#define KEYTEXT_H

#include <stddef.h>
#include <stdint.h>

#define KEYTEXT_KEY 32
#define KEYTEXT_LEN 43
#define KEYTEXT_SIZE (KEYTEXT_LEN + 1)

/* Write the text of the key, terminated. Returns text. */
char *keytext_encode(char text[KEYTEXT_SIZE], const uint8_t key[KEYTEXT_KEY]);

/*
 * The key of the n characters at text (need not be terminated): exactly
 * KEYTEXT_LEN of the alphabet, no space or padding, the two unused bits zero,
 * so that each key has one text. Returns 0, or -1 with EINVAL, key untouched.
 * Takes no time that depends on a valid key's value: secrets may pass.
 */
int keytext_decode(uint8_t key[KEYTEXT_KEY], const char *text, size_t n);

#endif
