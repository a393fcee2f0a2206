/* Requests rewritten on their way to a service. */
#include "client/engine/edit.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/engine/rules.h"
#include "common/http/rewrite.h"
#include "common/http/walk.h"

/* A request whose answer has not come: what decides about its body. */
struct asked {
	uint8_t method; /* enum head_method */
	bool upgrade;
};

/* Bytes that wait for more behind them. */
struct held {
	uint8_t *p;
	size_t n;
};

struct edit {
	struct rewrite rewrite;
	struct walk requests, responses;
	struct held in, out; /* of either direction */
	struct asked asked[EDIT_PIPELINE];
	size_t first, count; /* a ring */
	bool expecting;	     /* an answer is being walked */
	bool holding;	     /* `in` waits for an answer */
	bool lost;	     /* answers cannot be followed any more */
};

struct edit *
edit_new(const struct rules *rules)
{
	struct edit *e;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		return NULL;
	if (rules->conf.host[0] != '\0')
		e->rewrite.host = rules->conf.host;
	e->rewrite.remove = (const char *const *)rules->conf.remove;
	e->rewrite.nremove = rules->conf.nremove;
	walk_init_request(&e->requests, HEAD_MAX);
	walk_init_response(&e->responses, HEAD_MAX);
	return e;
}

void
edit_free(struct edit *e)
{
	if (e == NULL)
		return;
	free(e->in.p);
	free(e->out.p);
	free(e);
}

/* Put bytes behind those that are held. */
static int
hold(struct held *h, const void *p, size_t n)
{
	uint8_t *more;

	if (n == 0)
		return 0;
	if (n > EDIT_HELD_MAX - h->n ||
	    (more = realloc(h->p, h->n + n)) == NULL)
		return -1;
	memcpy(more + h->n, p, n);
	h->p = more;
	h->n += n;
	return 0;
}

/* The first n of them have gone on. */
static void
release(struct held *h, size_t n)
{
	h->n -= n;
	if (h->n > 0) {
		memmove(h->p, h->p + n, h->n);
		return;
	}
	free(h->p);
	h->p = NULL;
}

static int
pass(struct outq *out, const void *p, size_t n)
{
	struct iovec iov = { (void *)(uintptr_t)p, n };

	return outq_add(out, &iov, 1);
}

/* A whole head: written anew, and its answer expected. */
static int
take_request(struct edit *e, const struct head *h, struct outq *out)
{
	size_t cap = h->size + rewrite_room(&e->rewrite);
	struct asked *a;
	ssize_t n;
	char *p;
	int ret;

	if (e->count == EDIT_PIPELINE || (p = malloc(cap)) == NULL)
		return -1;
	a = &e->asked[(e->first + e->count++) % EDIT_PIPELINE];
	a->method = (uint8_t)h->kind;
	a->upgrade = h->upgrade;
	n = rewrite_request(h, &e->rewrite, p, cap);
	ret = n == -1 ? -1 : pass(out, p, (size_t)n);
	free(p);
	return ret;
}

/* Walk n bytes of requests; returns how many have gone on, or -1. */
static ssize_t
walk_requests(struct edit *e, const uint8_t *p, size_t n, struct outq *out)
{
	struct head head;
	size_t at = 0, len;

	while (!e->holding) {
		switch (walk_step(&e->requests, p + at, n - at, &len, &head)) {
		case WALK_MORE:
			return (ssize_t)at;
		case WALK_HEAD:
			if (take_request(e, &head, out) == -1)
				return -1;
			break;
		case WALK_BODY:
		case WALK_OPAQUE:
			if (pass(out, p + at, len) == -1)
				return -1;
			break;
		case WALK_END:
			break;
		case WALK_HOLD:
			if (e->lost)
				return -1;
			e->holding = true;
			break;
		case WALK_BAD:
			return -1;
		}
		at += len;
	}
	return (ssize_t)at;
}

int
edit_request(struct edit *e, const void *p, size_t n, struct outq *out)
{
	ssize_t done;

	if (e->in.n == 0 && n > 0) {
		done = walk_requests(e, p, n, out);
		if (done == -1)
			return -1;
		return hold(
		    &e->in, (const uint8_t *)p + done, n - (size_t)done);
	}
	if (hold(&e->in, p, n) == -1)
		return -1;
	if (e->in.n == 0)
		return 0;
	done = walk_requests(e, e->in.p, e->in.n, out);
	if (done == -1)
		return -1;
	if (done > 0)
		release(&e->in, (size_t)done);
	return 0;
}

/* A whole head of an answer. */
static void
take_response(struct edit *e, const struct head *h, bool *go_on)
{
	const struct asked *a = &e->asked[e->first];
	bool switched = h->status == 101 ||
	    (a->method == HEAD_METHOD_CONNECT && h->status / 100 == 2);

	if (h->status < 200 && !switched)
		return; /* the answer is still to come */
	e->first = (e->first + 1) % EDIT_PIPELINE;
	e->count--;
	e->expecting = false;
	/* What is held waits for the answer to the last request. */
	if (!e->holding || e->count > 0)
		return;
	e->holding = false;
	*go_on = true;
	if (switched)
		walk_opaque(&e->requests);
	else
		walk_resume(&e->requests);
}

/* Walk n bytes of answers; returns how many need no second look, or -1. */
static ssize_t
walk_responses(struct edit *e, const uint8_t *p, size_t n, bool *go_on)
{
	struct head head;
	size_t at = 0, len;

	for (;;) {
		if (!e->expecting && e->count > 0 && walk_idle(&e->responses)) {
			walk_expect(&e->responses,
			    (enum head_method)e->asked[e->first].method,
			    e->asked[e->first].upgrade);
			e->expecting = true;
		}
		switch (walk_step(&e->responses, p + at, n - at, &len, &head)) {
		case WALK_MORE:
			return (ssize_t)at;
		case WALK_HEAD:
			take_response(e, &head, go_on);
			break;
		case WALK_BAD:
			/* As a 408 that nobody has asked for. */
			if (e->holding)
				return -1;
			e->lost = true;
			return (ssize_t)n;
		default:
			break;
		}
		at += len;
	}
}

int
edit_response(struct edit *e, const void *p, size_t n, bool *go_on)
{
	ssize_t done;

	if (e->lost)
		return 0;
	if (e->out.n == 0) {
		done = walk_responses(e, p, n, go_on);
		if (done == -1)
			return -1;
		return hold(
		    &e->out, (const uint8_t *)p + done, n - (size_t)done);
	}
	if (hold(&e->out, p, n) == -1)
		return -1;
	done = walk_responses(e, e->out.p, e->out.n, go_on);
	if (done == -1)
		return -1;
	if (done > 0)
		release(&e->out, (size_t)done);
	return 0;
}
