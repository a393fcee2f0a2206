/* What a new connection speaks, by its first bytes. */
#include "common/http/peek.h"

#include <string.h>

#include "common/http/name.h"

#define TLS_HANDSHAKE 0x16 /* record type (RFC 8446, 5.1) */
#define TLS_MAJOR 0x03

enum peek
peek_kind(const void *p, size_t n)
{
	const uint8_t *b = p;

	if (n == 0)
		return PEEK_MORE;
	if (b[0] == (uint8_t)PEEK_TUNNEL_MAGIC[0]) {
		size_t have = n < PEEK_BYTES ? n : PEEK_BYTES;

		if (memcmp(b, PEEK_TUNNEL_MAGIC, have) != 0)
			return PEEK_BAD;
		return have < PEEK_BYTES ? PEEK_MORE : PEEK_TUNNEL;
	}
	if (b[0] == TLS_HANDSHAKE) {
		if (n < 2)
			return PEEK_MORE;
		return b[1] == TLS_MAJOR ? PEEK_TLS : PEEK_BAD;
	}
	/* A method, or the empty lines that may come before it. */
	if (name_folded[b[0]] != '\0' || b[0] == '\r')
		return PEEK_HTTP;
	return PEEK_BAD;
}
