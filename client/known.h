/*
 * known_servers: the keys of servers that were met before, one a line,
 *
 *	host:port KEY
 *
 * Empty lines and those that begin with '#' say nothing. The file is read
 * each time, so that what a user changes there counts at once.
 */
#ifndef KNOWN_H
#define KNOWN_H

#include <stddef.h>
#include <stdint.h>

#include "common/crypto/keytext.h"

#define KNOWN_MAX (1u << 20) /* bytes of the file */
#define KNOWN_WHY 512	     /* bytes of a reason */

/*
 * Look a server up. Returns 1 and its key, 0 if it is not there (or there is
 * no file), -1 and why: the file cannot be read or is damaged.
 */
int known_find(const char *path, const char *server, uint8_t key[KEYTEXT_KEY],
    char why[KNOWN_WHY]);

/*
 * Add a server that is not there yet: the file is written anew beside its
 * place, mode 0600, and moved there as a whole. Directories are made. 0, or
 * -1 and why.
 */
int known_add(const char *path, const char *server,
    const uint8_t key[KEYTEXT_KEY], char why[KNOWN_WHY]);

/* The parser alone, for tests: of the n bytes at text. As known_find(). */
int known_parse(const char *text, size_t n, const char *server,
    uint8_t key[KEYTEXT_KEY], size_t *line);

#endif
