/*
 * Names of header fields: their characters, and the ones that we know.
 */
#ifndef NAME_H
#define NAME_H

#include <stddef.h>
#include <stdint.h>

#include "common/http/head.h"

#define NAME_KNOWN_MAX 24 /* bytes of a name that suffice for name_known() */

/* What a Connection field must not name, nor a trailer hold. */
#define NAME_PROTECTED_BITS                             \
	(HEAD_FORWARDED_BITS | HEAD_BIT(HEAD_ID_HOST) | \
	    HEAD_BIT(HEAD_ID_CONTENT_LENGTH) |          \
	    HEAD_BIT(HEAD_ID_TRANSFER_ENCODING))

/*
 * Lower case, and "-" for "_", of each character of a token (RFC 9110,
 * 5.6.2); 0 for every other byte. CGI and its like cannot tell the two
 * characters apart, so neither do we when it is about what is refused.
 */
extern const char name_folded[256];

/*
 * The id of a name of n bytes, folded; only the first NAME_KNOWN_MAX bytes
 * need be there.
 */
enum head_id name_known(const char *folded, size_t n);

/*
 * What a field is that is spelt with "_" where the known one of this id has
 * "-": HEAD_ID_FORWARDED_TWIN, HEAD_ID_OTHER, or -1 for the twins of framing
 * fields, which nobody sends in good faith.
 */
int name_twin(enum head_id id);

/*
 * The id by which a token of a list or a trailer's name is judged: twins
 * count as the field that they imitate. -1 if it is no token.
 */
int name_judge(const char *p, size_t n);

#endif
