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
	/* A method, empty lines before it, or how a bad request may begin. */
	if (name_folded[b[0]] != '\0' || memchr("\r\n\t ", b[0], 4) != NULL)
		return PEEK_HTTP;
	return PEEK_BAD;
}

/* An empty line, be it the one behind a head or one of those before it. */
static bool
has_empty_line(const uint8_t *p, size_t n, size_t from)
{
	for (size_t i = from; i + 1 < n; i++) {
		if (p[i] == '\n' &&
		    (p[i + 1] == '\n' ||
			(p[i + 1] == '\r' && i + 2 < n && p[i + 2] == '\n')))
			return true;
	}
	return false;
}

bool
peek_is_whole(const void *p, size_t n, size_t seen, size_t head_max)
{
	switch (peek_kind(p, n)) {
	case PEEK_MORE:
		return false;
	case PEEK_TUNNEL:
		return n >= PEEK_PREFACE;
	case PEEK_HTTP:
		return n > head_max ||
		    has_empty_line(p, n, seen < 2 ? 0 : seen - 2);
	default:
		return true;
	}
}
