/*
 * Where HTTP/1 messages begin and end in one direction of a connection.
 *
 * Push-style, without copies or allocation: the owner shows the bytes that it
 * has, the walker says what the first of them are, the owner passes them on
 * and shows the rest. The outcome does not depend on how the bytes were cut.
 *
 *	while ((ev = walk_step(&w, p, n, &len, &head)) != WALK_MORE) {
 *		... look at ev, pass p[0..len) on ...
 *		p += len;
 *		n -= len;
 *	}
 */
#ifndef WALK_H
#define WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/http/chunk.h"
#include "common/http/head.h"

enum walk_event {
	WALK_MORE,   /* show these bytes again with more behind them; if n was
			0, there is just nothing to do */
	WALK_HEAD,   /* len bytes are a whole head, described by *head */
	WALK_BODY,   /* len bytes are body or its framing: pass them on */
	WALK_END,    /* the message is complete; len is 0 */
	WALK_HOLD,   /* requests: after CONNECT or Upgrade nobody knows what
			follows until the answer: walk_opaque or walk_resume.
			len is 0, and it comes even if n is 0 */
	WALK_OPAQUE, /* len bytes (all) are of another protocol: pass on */
	WALK_BAD     /* refused for good; walk_status() says with what */
};

enum walk_eof {
	WALK_EOF_IDLE, /* between two messages */
	WALK_EOF_END,  /* it ended the message (or the opaque bytes) */
	WALK_EOF_CUT   /* in the middle of a message, or before an answer */
};

/* Embed it; look at it through the functions only. */
struct walk {
	struct chunk chunk;
	uint64_t left; /* bytes of a body of known length still to come */
	uint32_t max_head;
	uint32_t count; /* bytes seen of an unfinished head */
	int16_t status;
	uint8_t state;
	uint8_t asked_method;
	bool response;
	bool hold;  /* request: hold after this message */
	bool asked; /* response: one is expected */
	bool asked_upgrade;
};

/* Walk requests whose heads are at most max_head (<= HEAD_MAX) bytes. */
void walk_init_request(struct walk *w, size_t max_head);

/*
 * Walk responses. Bytes that come while no answer is expected are WALK_BAD,
 * so call walk_expect() before the first, and again at each WALK_END when the
 * next request has been sent.
 */
void walk_init_response(struct walk *w, size_t max_head);

/*
 * The next answer is to a request of this method, which asked to upgrade
 * (head.kind, head.upgrade) or not. Interim answers are WALK_HEAD with a
 * status below 200, without WALK_END: the expectation stays.
 */
void walk_expect(struct walk *w, enum head_method method, bool upgrade);

/*
 * Say what the n bytes at p begin with; *len is how many belong to it (0 for
 * WALK_MORE, WALK_END, WALK_HOLD, WALK_BAD). *head is written, and valid
 * while the bytes stay at p, only with WALK_HEAD. After WALK_MORE show the
 * same bytes and more.
 */
enum walk_event walk_step(
    struct walk *w, const void *p, size_t n, size_t *len, struct head *head);

/* Requests, at WALK_HOLD: the answer was 101, or 2xx to CONNECT. */
void walk_opaque(struct walk *w);

/* Requests, at WALK_HOLD: the answer was another; requests go on. */
void walk_resume(struct walk *w);

/* The sender will send no more. Says in what state that leaves things. */
enum walk_eof walk_eof(const struct walk *w);

/*
 * How many of the next bytes are surely WALK_BODY or WALK_OPAQUE, whatever
 * they are: they may be moved unseen and counted by walk_skip(). UINT64_MAX
 * when it ends with the connection only.
 */
uint64_t walk_left(const struct walk *w);

/* n bytes (at most walk_left()) were moved without walk_step(). */
void walk_skip(struct walk *w, uint64_t n);

/* Between two messages, with no byte of the next seen. */
bool walk_idle(const struct walk *w);

/* The bytes are of another protocol from here on. */
bool walk_is_opaque(const struct walk *w);

/* After WALK_BAD: the HTTP status to answer, 400 ... 505; 502 of responses. */
int walk_status(const struct walk *w);

#endif
