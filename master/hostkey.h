/*
 * The server's identity: a file with the private half of an X25519 key, from
 * which `keys` gets it. The master only ever passes it on; it keeps the
 * public half, to show it.
 */
#ifndef HOSTKEY_H
#define HOSTKEY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/crypto/keytext.h"

/*
 * Read the private half from `path` into secret[KEYTEXT_KEY], and derive the
 * public one. A file that is not there is made (mode 0600, parent directory
 * 0700 if need be) when `make`. It must belong to us and be nobody else's to
 * read. 0, or -1 after an error line. The caller wipes `secret`.
 */
int hostkey_load(const char *path, bool make, uint8_t secret[KEYTEXT_KEY],
    uint8_t public[KEYTEXT_KEY]);

#endif
