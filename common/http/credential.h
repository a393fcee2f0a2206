/*
 * Credentials as they come in Authorization and Proxy-Authorization (RFC
 * 9110, 11.4): a token alone, "Bearer TOKEN" (RFC 6750), "Basic BASE64" (RFC
 * 7617).
 */
#ifndef CREDENTIAL_H
#define CREDENTIAL_H

#include <stddef.h>

#include "common/http/head.h"

#define CREDENTIAL_MAX 511 /* bytes of a token, or of "user:password" */

enum credential_kind { CREDENTIAL_BARE, CREDENTIAL_BEARER, CREDENTIAL_BASIC };

/* Holds a secret: credential_wipe() it after use. */
struct credential {
	enum credential_kind kind;
	char text[CREDENTIAL_MAX + 1]; /* terminated; BASIC: decoded */
	size_t n;
	size_t password; /* BASIC: its offset, behind the first colon; else 0 */
};

/*
 * Take the value of such a field apart. 0, or -1: empty, too long, another
 * scheme, no base64 (strictly, with its padding), no colon, or a control
 * character in it. *c is wiped then.
 */
int credential_parse(struct credential *c, struct head_view value);

/* What may be a token in it: all of it, or the password of Basic. */
struct head_view credential_token(const struct credential *c);

void credential_wipe(struct credential *c);

#endif
