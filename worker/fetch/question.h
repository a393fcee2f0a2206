/*
 * What the external check is asked, and what its answer means (ptpd.conf(5),
 * auth.url). Pure: bytes in, bytes out.
 */
#ifndef QUESTION_H
#define QUESTION_H

#include <stddef.h>
#include <stdint.h>

#include "common/ipc/msg.h"
#include "common/tunnel/login.h"
#include "common/tunnel/names.h"

#define QUESTION_BODY_MAX 8192 /* bytes of what is sent */

/* MSG_VOUCH. Holds a secret: wipe it after use. */
struct question {
	uint32_t number;
	char id[TEXT_LABEL_MAX + 1];
	char secret[LOGIN_SECRET_MAX + 1];
	struct names asked;
};

/* Decode MSG_VOUCH; -1: malformed. */
int question_get(struct question *q, const uint8_t *p, size_t n);

/*
 * The body of the request into dst[QUESTION_BODY_MAX], terminated; its length,
 * or 0 if no JSON text can say it (the secret is no UTF-8).
 */
size_t question_body(char *dst, const struct question *q);

/*
 * What an answer with this HTTP status and body means for q. 200 with "result":
 * true is VOUCH_YES, and *allowed are those of the asked names that
 * "appletTokens" has; 200 with "result": false, 401 and 403 are VOUCH_NO; all
 * else, however well it is meant, is VOUCH_DOWN and *why says what is wrong.
 */
enum vouch question_verdict(const struct question *q, long status,
    const char *body, size_t n, struct names *allowed, const char **why);

#endif
