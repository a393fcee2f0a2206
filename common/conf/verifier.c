/* A verifier on its way to `auth`. */
#include "common/conf/verifier.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/buf.h"

#define HASH_MEMORY_MAX (1024 * 1024) /* KiB */
#define HASH_PASSES_MAX 64
#define HASH_LANES_MAX 16
#define HASH_SALT_MIN 11 /* characters of 8 bytes */
#define HASH_SUM_MIN 22	 /* and of 16 */

/* Step over a prefix. */
static bool
skip(const char **s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (strncmp(*s, prefix, n) != 0)
		return false;
	*s += n;
	return true;
}

/* Step over a decimal number of 1 to max, without leading zero. */
static bool
skip_number(const char **s, uint32_t max)
{
	uint32_t v = 0;

	if (**s == '0')
		return false;
	for (; **s >= '0' && **s <= '9'; (*s)++) {
		v = v * 10 + (uint32_t)(**s - '0');
		if (v > max)
			return false;
	}
	return v > 0;
}

/* Step over at least min characters of unpadded base64. */
static bool
skip_base64(const char **s, size_t min)
{
	size_t n = strspn(*s,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789+/");

	*s += n;
	return n >= min;
}

int
verifier_check_hash(const char *s)
{
	bool ok = strlen(s) <= VERIFIER_HASH_MAX &&
	    skip(&s, "$argon2id$v=19$m=") && skip_number(&s, HASH_MEMORY_MAX) &&
	    skip(&s, ",t=") && skip_number(&s, HASH_PASSES_MAX) &&
	    skip(&s, ",p=") && skip_number(&s, HASH_LANES_MAX) &&
	    skip(&s, "$") && skip_base64(&s, HASH_SALT_MIN) && skip(&s, "$") &&
	    skip_base64(&s, HASH_SUM_MIN) && *s == '\0';

	return ok ? 0 : -1;
}

int
verifier_put(struct buf *b, const struct verifier *v)
{
	buf_put_u8(b, v->method);
	buf_put_cstr8(b, v->id);
	switch (v->method) {
	case VERIFIER_SECRET:
		return buf_put_cstr8(b, v->u.secret);
	case VERIFIER_PUBKEY:
		return buf_put(b, v->u.key, sizeof(v->u.key));
	case VERIFIER_HASH:
		return buf_put_cstr8(b, v->u.hash);
	}
	b->failed = true;
	return -1;
}

/* Whether the id is as the configuration made it. */
static bool
canonical_id(const char *id)
{
	char lower[TEXT_LABEL_MAX + 1];

	return text_label(lower, id, strlen(id)) == 0 && strcmp(lower, id) == 0;
}

/* Get what the method says, into a wiped *v. */
static bool
get_proof(struct buf *b, struct verifier *v)
{
	switch (v->method) {
	case VERIFIER_SECRET:
		return buf_get_cstr8(b, v->u.secret, sizeof(v->u.secret)) ==
		    0 &&
		    v->u.secret[0] != '\0';
	case VERIFIER_PUBKEY:
		return buf_get(b, v->u.key, sizeof(v->u.key)) == 0;
	case VERIFIER_HASH:
		return buf_get_cstr8(b, v->u.hash, sizeof(v->u.hash)) == 0 &&
		    verifier_check_hash(v->u.hash) == 0;
	}
	return false;
}

int
verifier_get(struct buf *b, struct verifier *v)
{
	memset(v, 0, sizeof(*v));
	if (buf_get_u8(b, &v->method) == 0 &&
	    buf_get_cstr8(b, v->id, sizeof(v->id)) == 0 &&
	    canonical_id(v->id) && get_proof(b, v))
		return 0;
	b->failed = true;
	explicit_bzero(v, sizeof(*v));
	return -1;
}
