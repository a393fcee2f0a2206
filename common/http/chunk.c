/* The chunked transfer coding: where a body in it ends. */
#include "common/http/chunk.h"

#include <stdbool.h>

#include "common/http/name.h"

#define SIZE_DIGITS 15 /* of a chunk's size, leading zeros too: 2^60 */

/* What no trailer may hold: it would change what was decided by the head. */
#define TRAILER_REFUSED_BITS                                               \
	(NAME_PROTECTED_BITS | HEAD_BIT(HEAD_ID_CONNECTION) |              \
	    HEAD_BIT(HEAD_ID_UPGRADE) | HEAD_BIT(HEAD_ID_EXPECT) |         \
	    HEAD_BIT(HEAD_ID_AUTHORIZATION) |                              \
	    HEAD_BIT(HEAD_ID_PROXY_AUTHORIZATION) |                        \
	    HEAD_BIT(HEAD_ID_X_PTP_TOKEN) | HEAD_BIT(HEAD_ID_KEEP_ALIVE) | \
	    HEAD_BIT(HEAD_ID_TE) | HEAD_BIT(HEAD_ID_TRAILER))

enum state {
	STATE_SIZE,
	STATE_BLANK, /* behind it; only an extension may follow */
	STATE_EXTENSION,
	STATE_SIZE_LF,
	STATE_DATA,
	STATE_DATA_CR,
	STATE_DATA_LF,
	STATE_TRAILER_START, /* of a line: of a trailer, or the empty one */
	STATE_TRAILER_NAME,
	STATE_TRAILER_VALUE,
	STATE_TRAILER_LF,
	STATE_FINAL_LF,
	STATE_END
};

static void
begin_size(struct chunk *c)
{
	c->state = STATE_SIZE;
	c->left = 0;
	c->digits = 0;
}

void
chunk_begin(struct chunk *c, uint32_t max_trailers)
{
	begin_size(c);
	c->max_trailers = max_trailers;
}

/* The value of a hexadecimal digit, -1 if it is none. */
static int
hex_value(unsigned char b)
{
	if (b >= '0' && b <= '9')
		return b - '0';
	b |= 0x20;
	return b >= 'a' && b <= 'f' ? b - 'a' + 10 : -1;
}

static bool
is_text(unsigned char b)
{
	return (b >= 0x20 && b != 0x7f) || b == '\t';
}

/* Exactly the byte wanted, then the next state. */
static int
want(struct chunk *c, unsigned char b, unsigned char wanted, enum state next)
{
	if (b != wanted)
		return -1;
	c->state = (uint8_t)next;
	return 0;
}

static int
blank(struct chunk *c, unsigned char b)
{
	if (b == ' ' || b == '\t')
		return ++c->count <= CHUNK_EXTENSION_MAX ? 0 : -1;
	return want(c, b, ';', STATE_EXTENSION);
}

static int
size(struct chunk *c, unsigned char b)
{
	int value = hex_value(b);

	if (value >= 0) {
		if (++c->digits > SIZE_DIGITS)
			return -1;
		c->left = c->left << 4 | (unsigned)value;
		return 0;
	}
	if (c->digits == 0)
		return -1;
	c->count = 0;
	if (b == '\r')
		return want(c, b, '\r', STATE_SIZE_LF);
	c->state = STATE_BLANK;
	return blank(c, b);
}

static int
extension(struct chunk *c, unsigned char b)
{
	if (b == '\r')
		return want(c, b, '\r', STATE_SIZE_LF);
	return is_text(b) && ++c->count <= CHUNK_EXTENSION_MAX ? 0 : -1;
}

static int
size_lf(struct chunk *c, unsigned char b)
{
	c->count = 0;
	return want(c, b, '\n', c->left > 0 ? STATE_DATA : STATE_TRAILER_START);
}

static int
data_lf(struct chunk *c, unsigned char b)
{
	begin_size(c);
	return b == '\n' ? 0 : -1;
}

static int
trailer_name(struct chunk *c, unsigned char b)
{
	char folded = name_folded[b];

	if (folded != '\0') {
		if (c->name_len < CHUNK_NAME)
			c->name[c->name_len] = folded;
		if (c->name_len <= CHUNK_NAME)
			c->name_len++;
		return 0;
	}
	if (HEAD_BIT(name_known(c->name, c->name_len)) & TRAILER_REFUSED_BITS)
		return -1;
	return want(c, b, ':', STATE_TRAILER_VALUE);
}

static int
trailer_start(struct chunk *c, unsigned char b)
{
	if (b == '\r')
		return want(c, b, '\r', STATE_FINAL_LF);
	if (name_folded[b] == '\0')
		return -1;
	c->state = STATE_TRAILER_NAME;
	c->name_len = 0;
	return trailer_name(c, b);
}

static int
trailer(struct chunk *c, unsigned char b)
{
	if (++c->count > c->max_trailers)
		return -1;
	switch (c->state) {
	case STATE_TRAILER_START:
		return trailer_start(c, b);
	case STATE_TRAILER_NAME:
		return trailer_name(c, b);
	case STATE_TRAILER_VALUE:
		if (b == '\r')
			return want(c, b, '\r', STATE_TRAILER_LF);
		return is_text(b) ? 0 : -1;
	case STATE_TRAILER_LF:
		return want(c, b, '\n', STATE_TRAILER_START);
	default:
		return want(c, b, '\n', STATE_END);
	}
}

/* One byte of what frames the data. Returns 0, or -1 if it is wrong. */
static int
framing(struct chunk *c, unsigned char b)
{
	switch (c->state) {
	case STATE_SIZE:
		return size(c, b);
	case STATE_BLANK:
		return blank(c, b);
	case STATE_EXTENSION:
		return extension(c, b);
	case STATE_SIZE_LF:
		return size_lf(c, b);
	case STATE_DATA_CR:
		return want(c, b, '\r', STATE_DATA_LF);
	case STATE_DATA_LF:
		return data_lf(c, b);
	default:
		return trailer(c, b);
	}
}

enum chunk_event
chunk_step(struct chunk *c, const void *p, size_t n, size_t *len)
{
	const unsigned char *b = p;
	size_t i = 0;

	while (i < n && c->state != STATE_END) {
		if (c->state == STATE_DATA) {
			size_t run = n - i < c->left ? n - i : (size_t)c->left;

			chunk_skip(c, run);
			i += run;
			continue;
		}
		if (framing(c, b[i]) == -1) {
			*len = i;
			return CHUNK_BAD;
		}
		i++;
	}
	*len = i;
	return c->state == STATE_END ? CHUNK_END : CHUNK_MORE;
}

uint64_t
chunk_left(const struct chunk *c)
{
	return c->state == STATE_DATA ? c->left : 0;
}

void
chunk_skip(struct chunk *c, uint64_t n)
{
	if (c->state != STATE_DATA)
		return;
	c->left -= n < c->left ? n : c->left;
	if (c->left == 0)
		c->state = STATE_DATA_CR;
}
