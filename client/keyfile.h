/* An identity: a file with the private half of an X25519 key, as text. */
#ifndef KEYFILE_H
#define KEYFILE_H

#include <stdint.h>

#include "common/crypto/keytext.h"

#define KEYFILE_WHY 512 /* bytes of a reason */

/*
 * Read the private half; the caller wipes it. The file must be a regular one
 * of ours or root's that nobody else may read. 0, or -1 and why.
 */
int keyfile_read(
    const char *path, uint8_t secret[KEYTEXT_KEY], char why[KEYFILE_WHY]);

/*
 * Make a new identity in a file (mode 0600) that does not exist yet; with
 * path NULL it goes to the standard output. Its public half is written to
 * `public`. 0, or -1 and why.
 */
int keyfile_make(
    const char *path, uint8_t public[KEYTEXT_KEY], char why[KEYFILE_WHY]);

#endif
