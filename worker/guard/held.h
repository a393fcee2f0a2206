/*
 * Ids without verifier, where any client may come: the first secret of an id
 * holds it until the master releases it (PROTOCOL.md section 4). Not the
 * secrets are kept but their hashes under a key of this process.
 */
#ifndef HELD_H
#define HELD_H

#include <stddef.h>

#include "common/tunnel/login.h"

#define HELD_IDS_MAX 10000 /* at a time, in all */

struct held;

/* NULL: no memory. */
struct held *held_new(void);
void held_free(struct held *h);

/*
 * Whether the secret (terminated) may have the id: LOGIN_OK, also if nobody
 * held it (now this secret does); LOGIN_WRONG_SECRET; LOGIN_LIMIT: too many
 * are held, or no memory.
 */
enum login_code held_check(struct held *h, const char *id, const char *secret);

/* Nobody holds the n bytes at id any more. */
void held_release(struct held *h, const char *id, size_t n);

size_t held_count(const struct held *h);

#endif
