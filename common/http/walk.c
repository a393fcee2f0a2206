/* Where HTTP/1 messages begin and end in one direction of a connection. */
#include "common/http/walk.h"

#include <string.h>

#include "common/http/name.h"

#define CHUNK_DIGITS 15 /* of a chunk's size, leading zeros too: 2^60 */

/* What no trailer may hold: it would change what was decided by the head. */
#define TRAILER_REFUSED_BITS                                               \
	(NAME_PROTECTED_BITS | HEAD_BIT(HEAD_ID_CONNECTION) |              \
	    HEAD_BIT(HEAD_ID_UPGRADE) | HEAD_BIT(HEAD_ID_EXPECT) |         \
	    HEAD_BIT(HEAD_ID_AUTHORIZATION) |                              \
	    HEAD_BIT(HEAD_ID_PROXY_AUTHORIZATION) |                        \
	    HEAD_BIT(HEAD_ID_X_PTP_TOKEN) | HEAD_BIT(HEAD_ID_KEEP_ALIVE) | \
	    HEAD_BIT(HEAD_ID_TE) | HEAD_BIT(HEAD_ID_TRAILER))

enum state {
	STATE_HEAD,
	STATE_LENGTH,
	STATE_CHUNK_SIZE,
	STATE_CHUNK_EXTENSION,
	STATE_CHUNK_LF,
	STATE_CHUNK_DATA,
	STATE_DATA_CR,
	STATE_DATA_LF,
	STATE_TRAILER_START, /* of a line: of a trailer, or the empty one */
	STATE_TRAILER_NAME,
	STATE_TRAILER_VALUE,
	STATE_TRAILER_LF,
	STATE_FINAL_LF,
	STATE_UNTIL_CLOSE,
	STATE_END, /* complete, but not yet said */
	STATE_HOLD,
	STATE_OPAQUE,
	STATE_BAD
};

static void
init(struct walk *w, size_t max_head, bool response)
{
	memset(w, 0, sizeof(*w));
	w->state = STATE_HEAD;
	w->max_head = max_head < HEAD_MAX ? (uint32_t)max_head : HEAD_MAX;
	w->response = response;
}

void
walk_init_request(struct walk *w, size_t max_head)
{
	init(w, max_head, false);
}

void
walk_init_response(struct walk *w, size_t max_head)
{
	init(w, max_head, true);
}

void
walk_expect(struct walk *w, enum head_method method, bool upgrade)
{
	w->asked = true;
	w->asked_method = (uint8_t)method;
	w->asked_upgrade = upgrade;
}

static enum walk_event
bad(struct walk *w, int status)
{
	w->state = STATE_BAD;
	w->status = (int16_t)(w->response ? 502 : status);
	return WALK_BAD;
}

static void
begin_chunk(struct walk *w)
{
	w->state = STATE_CHUNK_SIZE;
	w->left = 0;
	w->digits = 0;
}

static void
begin_body(struct walk *w, const struct head *head)
{
	switch (head->body) {
	case HEAD_BODY_NONE:
		w->state = STATE_END;
		break;
	case HEAD_BODY_LENGTH:
		w->state = STATE_LENGTH;
		w->left = head->length;
		break;
	case HEAD_BODY_CHUNKED:
		begin_chunk(w);
		break;
	case HEAD_BODY_UNTIL_CLOSE:
		w->state = STATE_UNTIL_CLOSE;
		break;
	case HEAD_BODY_OPAQUE:
		w->state = STATE_OPAQUE;
		break;
	}
}

/*
 * An unfinished head is parsed again from its start with every arrival: that
 * costs less than the arrival itself, and max_head bounds it.
 */
static enum walk_event
step_head(
    struct walk *w, const char *p, size_t n, size_t *len, struct head *head)
{
	int size;

	if (n == 0)
		return WALK_MORE;
	if (w->response && !w->asked)
		return bad(w, 502);
	size = w->response ? head_parse_response(head, p, n, w->max_head,
				 (enum head_method)w->asked_method)
			   : head_parse_request(head, p, n, w->max_head);
	if (size < 0)
		return bad(w, -size);
	w->count = size == 0 ? (uint32_t)n : 0;
	if (size == 0)
		return WALK_MORE;
	if (head->status == 101 && !w->asked_upgrade)
		return bad(w, 502);
	if (!w->response)
		w->hold = head->upgrade || head->kind == HEAD_METHOD_CONNECT;
	if (!w->response || head->status >= 200 || head->status == 101)
		begin_body(w, head);
	*len = (size_t)size;
	return WALK_HEAD;
}

/* The value of a hexadecimal digit, -1 if it is none. */
static int
hex_value(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
is_text(unsigned char c)
{
	return (c >= 0x20 && c != 0x7f) || c == '\t';
}

static int
chunk_size(struct walk *w, unsigned char c)
{
	int value = hex_value(c);

	if (value >= 0) {
		if (++w->digits > CHUNK_DIGITS)
			return -1;
		w->left = w->left << 4 | (unsigned)value;
		return 0;
	}
	if (w->digits == 0 || (c != ';' && c != '\r'))
		return -1;
	w->state = c == ';' ? STATE_CHUNK_EXTENSION : STATE_CHUNK_LF;
	w->count = 0;
	return 0;
}

static int
chunk_extension(struct walk *w, unsigned char c)
{
	if (c == '\r') {
		w->state = STATE_CHUNK_LF;
		return 0;
	}
	return is_text(c) && ++w->count <= WALK_EXTENSION_MAX ? 0 : -1;
}

/* Exactly c, then the next state. */
static int
expect(struct walk *w, unsigned char c, unsigned char wanted, enum state next)
{
	if (c != wanted)
		return -1;
	w->state = (uint8_t)next;
	return 0;
}

static int
chunk_lf(struct walk *w, unsigned char c)
{
	w->count = 0;
	return expect(
	    w, c, '\n', w->left > 0 ? STATE_CHUNK_DATA : STATE_TRAILER_START);
}

static int
trailer_name(struct walk *w, unsigned char c)
{
	char folded = name_folded[c];

	if (folded != '\0') {
		if (w->name_len < WALK_NAME)
			w->name[w->name_len] = folded;
		if (w->name_len <= WALK_NAME)
			w->name_len++;
		return 0;
	}
	if (c != ':' ||
	    (HEAD_BIT(name_known(w->name, w->name_len)) & TRAILER_REFUSED_BITS))
		return -1;
	w->state = STATE_TRAILER_VALUE;
	return 0;
}

static int
trailer(struct walk *w, unsigned char c)
{
	if (++w->count > w->max_head)
		return -1;
	switch (w->state) {
	case STATE_TRAILER_START:
		if (c == '\r')
			return expect(w, c, '\r', STATE_FINAL_LF);
		if (name_folded[c] == '\0')
			return -1;
		w->state = STATE_TRAILER_NAME;
		w->name_len = 0;
		return trailer_name(w, c);
	case STATE_TRAILER_NAME:
		return trailer_name(w, c);
	case STATE_TRAILER_VALUE:
		if (c == '\r')
			w->state = STATE_TRAILER_LF;
		return c == '\r' || is_text(c) ? 0 : -1;
	default:
		return expect(w, c, '\n', STATE_TRAILER_START);
	}
}

/* One byte of a chunked body's framing. Returns 0, or -1 if it is wrong. */
static int
chunk_byte(struct walk *w, unsigned char c)
{
	switch (w->state) {
	case STATE_CHUNK_SIZE:
		return chunk_size(w, c);
	case STATE_CHUNK_EXTENSION:
		return chunk_extension(w, c);
	case STATE_CHUNK_LF:
		return chunk_lf(w, c);
	case STATE_DATA_CR:
		return expect(w, c, '\r', STATE_DATA_LF);
	case STATE_DATA_LF:
		begin_chunk(w);
		return c == '\n' ? 0 : -1;
	case STATE_FINAL_LF:
		return expect(w, c, '\n', STATE_END);
	default:
		return trailer(w, c);
	}
}

/*
 * As much of a chunked body as there is, data and framing together; what is
 * right before a wrong byte still counts, as it would had it come alone.
 */
static enum walk_event
step_chunked(struct walk *w, const unsigned char *p, size_t n, size_t *len)
{
	size_t i = 0;

	while (i < n && w->state != STATE_END) {
		if (w->state == STATE_CHUNK_DATA) {
			size_t run = n - i < w->left ? n - i : (size_t)w->left;

			walk_skip(w, run);
			i += run;
			continue;
		}
		if (chunk_byte(w, p[i]) == -1) {
			bad(w, 400);
			break;
		}
		i++;
	}
	*len = i;
	if (i > 0)
		return WALK_BODY;
	return w->state == STATE_BAD ? WALK_BAD : WALK_MORE;
}

static enum walk_event
step_length(struct walk *w, size_t n, size_t *len)
{
	*len = n < w->left ? n : (size_t)w->left;
	walk_skip(w, *len);
	return *len > 0 ? WALK_BODY : WALK_MORE;
}

static enum walk_event
step_end(struct walk *w)
{
	w->state = w->hold ? STATE_HOLD : STATE_HEAD;
	w->asked = false;
	w->count = 0;
	return WALK_END;
}

enum walk_event
walk_step(
    struct walk *w, const void *p, size_t n, size_t *len, struct head *head)
{
	*len = 0;
	switch (w->state) {
	case STATE_HEAD:
		return step_head(w, p, n, len, head);
	case STATE_LENGTH:
		return step_length(w, n, len);
	case STATE_UNTIL_CLOSE:
		*len = n;
		return n > 0 ? WALK_BODY : WALK_MORE;
	case STATE_OPAQUE:
		*len = n;
		return n > 0 ? WALK_OPAQUE : WALK_MORE;
	case STATE_END:
		return step_end(w);
	case STATE_HOLD:
		return WALK_HOLD;
	case STATE_BAD:
		return WALK_BAD;
	default:
		return step_chunked(w, p, n, len);
	}
}

void
walk_opaque(struct walk *w)
{
	w->state = STATE_OPAQUE;
	w->hold = false;
}

void
walk_resume(struct walk *w)
{
	w->state = STATE_HEAD;
	w->hold = false;
}

enum walk_eof
walk_eof(const struct walk *w)
{
	switch (w->state) {
	case STATE_HEAD:
		return w->count > 0 || w->asked ? WALK_EOF_CUT : WALK_EOF_IDLE;
	case STATE_END:
	case STATE_HOLD:
		return WALK_EOF_IDLE;
	case STATE_UNTIL_CLOSE:
	case STATE_OPAQUE:
		return WALK_EOF_END;
	default:
		return WALK_EOF_CUT;
	}
}

uint64_t
walk_left(const struct walk *w)
{
	switch (w->state) {
	case STATE_LENGTH:
	case STATE_CHUNK_DATA:
		return w->left;
	case STATE_UNTIL_CLOSE:
	case STATE_OPAQUE:
		return UINT64_MAX;
	default:
		return 0;
	}
}

void
walk_skip(struct walk *w, uint64_t n)
{
	if (w->state != STATE_LENGTH && w->state != STATE_CHUNK_DATA)
		return;
	w->left -= n < w->left ? n : w->left;
	if (w->left == 0)
		w->state = w->state == STATE_LENGTH ? STATE_END : STATE_DATA_CR;
}

bool
walk_idle(const struct walk *w)
{
	return w->state == STATE_HEAD && w->count == 0 && !w->asked;
}

bool
walk_is_opaque(const struct walk *w)
{
	return w->state == STATE_OPAQUE;
}

int
walk_status(const struct walk *w)
{
	return w->status;
}
