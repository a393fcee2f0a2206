/* Where HTTP/1 messages begin and end in one direction of a connection. */
#include "common/http/walk.h"

#include <string.h>

enum state {
	STATE_HEAD,
	STATE_LENGTH,
	STATE_CHUNKED,
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
		w->state = STATE_CHUNKED;
		chunk_begin(&w->chunk, w->max_head);
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

static enum walk_event
step_chunked(struct walk *w, const void *p, size_t n, size_t *len)
{
	enum chunk_event event = chunk_step(&w->chunk, p, n, len);

	if (event == CHUNK_END)
		w->state = STATE_END;
	else if (event == CHUNK_BAD)
		bad(w, 400);
	if (*len > 0)
		return WALK_BODY;
	return event == CHUNK_BAD ? WALK_BAD : WALK_MORE;
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
	case STATE_CHUNKED:
		return step_chunked(w, p, n, len);
	default:
		return WALK_BAD;
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
		return w->left;
	case STATE_CHUNKED:
		return chunk_left(&w->chunk);
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
	if (w->state == STATE_CHUNKED)
		chunk_skip(&w->chunk, n);
	if (w->state != STATE_LENGTH)
		return;
	w->left -= n < w->left ? n : w->left;
	if (w->left == 0)
		w->state = STATE_END;
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
