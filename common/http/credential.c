/* Credentials as they come in Authorization and Proxy-Authorization. */
#include "common/http/credential.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Whether no byte is a control character, and none a blank but if allowed. */
static bool
is_text(const char *p, size_t n, bool blanks)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c < 0x20 || c == 0x7f || (c == ' ' && !blanks))
			return false;
	}
	return n > 0;
}

/* The rest of a value behind "scheme" and blanks: p is NULL if it is another.
 */
static struct head_view
behind(struct head_view v, const char *scheme)
{
	size_t n = strlen(scheme);

	if (v.n <= n || strncasecmp(v.p, scheme, n) != 0 || v.p[n] != ' ')
		return (struct head_view){ NULL, 0 };
	while (n < v.n && v.p[n] == ' ')
		n++;
	return (struct head_view){ v.p + n, v.n - n };
}

static int
take_token(struct credential *c, enum credential_kind kind, struct head_view v)
{
	if (v.n > CREDENTIAL_MAX || !is_text(v.p, v.n, false))
		return -1;
	memcpy(c->text, v.p, v.n);
	c->kind = kind;
	c->n = v.n;
	return 0;
}

static int
take_basic(struct credential *c, struct head_view v)
{
	const char *colon;

	if (sodium_base642bin((unsigned char *)c->text, CREDENTIAL_MAX, v.p,
		v.n, NULL, &c->n, NULL, sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    !is_text(c->text, c->n, true))
		return -1;
	if ((colon = memchr(c->text, ':', c->n)) == NULL)
		return -1;
	c->kind = CREDENTIAL_BASIC;
	c->password = (size_t)(colon - c->text) + 1;
	c->text[c->n] = '\0';
	return 0;
}

int
credential_parse(struct credential *c, struct head_view value)
{
	struct head_view rest;
	int rc;

	memset(c, 0, sizeof(*c));
	if ((rest = behind(value, "Basic")).p != NULL)
		rc = take_basic(c, rest);
	else if ((rest = behind(value, "Bearer")).p != NULL)
		rc = take_token(c, CREDENTIAL_BEARER, rest);
	else
		rc = take_token(c, CREDENTIAL_BARE, value);
	if (rc == -1)
		credential_wipe(c);
	return rc;
}

struct head_view
credential_token(const struct credential *c)
{
	return (struct head_view){ c->text + c->password, c->n - c->password };
}

void
credential_wipe(struct credential *c)
{
	sodium_memzero(c, sizeof(*c));
}
