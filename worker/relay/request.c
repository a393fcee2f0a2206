/*
 * From the user to the service: every request head is checked, routed
 * (route.c), and written anew; bodies pass.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/http/host.h"
#include "common/http/page.h"
#include "common/http/rewrite.h"
#include "worker/relay/journal.h"
#include "worker/relay/request_impl.h"
#include "worker/relay/session.h"
#include "worker/relay/upstream.h"

enum outcome
request_stop(struct user *u, enum user_wait why)
{
	u->wait = (uint8_t)why;
	return STOPPED;
}

enum outcome
request_refuse(struct user *u, int status)
{
	if (u->nasked > 0) {
		u->bad = (uint16_t)status;
		return request_stop(u, WAIT_ANSWERS);
	}
	user_refuse(u, status, NULL);
	return ENDED;
}

/* Our own fields, and whose of the user's to believe. */
static void
rules(const struct user *u, const struct head *h, uint32_t drop,
    struct rewrite *rw, char ip[ADDR_TEXT], char host[HOST_NAME_SIZE + 8])
{
	const struct msg_relay_conf *c = &u->relay->conf;

	memset(rw, 0, sizeof(*rw));
	rw->drop = drop;
	if (!c->forwarded)
		return;
	rw->strip_forwarded =
	    !addr_blocks_have(c->trusted, c->ntrusted, &u->peer);
	rw->xff = addr_format_ip(ip, &u->peer);
	rw->xfp = u->scheme == SCHEME_HTTPS ? "https" : "http";
	if (h->host.n > 0 && h->host.n < HOST_NAME_SIZE + 8) {
		memcpy(host, h->host.p, h->host.n);
		host[h->host.n] = '\0';
		rw->xfh = host;
	}
}

/* Keep what the upstream did not take of a head. */
static enum outcome
keep_rest(struct user *u, const char *p, size_t n)
{
	if (n == 0)
		return PASSED;
	u->rest = malloc(offsetof(struct user_rest, bytes) + n);
	if (u->rest == NULL) {
		user_abort(u, END_LIMIT);
		return ENDED;
	}
	memcpy(u->rest->bytes, p, n);
	u->rest->at = 0;
	u->rest->len = (uint32_t)n;
	return PASSED;
}

/* Write what was kept of a head; nothing may overtake it. */
static enum outcome
write_rest(struct user *u)
{
	struct user_rest *rest = u->rest;

	if (rest == NULL)
		return PASSED;
	if (u->current == NULL)
		return ENDED;
	rest->at += (uint32_t)upstream_write(
	    u->current, rest->bytes + rest->at, rest->len - rest->at);
	if (rest->at < rest->len)
		return request_stop(u, WAIT_ROOM);
	free(rest);
	u->rest = NULL;
	return PASSED;
}

/*
 * Write the head as its service gets it: nothing of it, or as much as there
 * is credit for, which may be less than a long head, and keep the rest.
 */
static enum outcome
write_head(struct user *u, const uint8_t *p, size_t n, const struct head *h,
    uint32_t drop)
{
	char ip[ADDR_TEXT], host[HOST_NAME_SIZE + 8];
	char out[HEAD_MAX + USER_HEAD_GROW];
	const char *from = (const char *)p;
	struct rewrite rw;
	ssize_t len = (ssize_t)n;
	size_t done;

	/* In front of a pair: another relay checks and writes it. */
	if (u->current->pair == NULL) {
		rules(u, h, drop, &rw, ip, host);
		len = rewrite_request(h, &rw, out, sizeof(out));
		from = out;
	}
	if (len == -1)
		return request_refuse(u, 431);
	if ((done = upstream_write(u->current, from, (size_t)len)) == 0)
		return request_stop(u, WAIT_ROOM);
	return keep_rest(u, from + done, (size_t)len - done);
}

/* What its answer, or our refusal, depends on. */
static void
describe(struct user_asked *a, const struct head *h)
{
	a->method = h->kind & 0xf;
	a->upgrade = h->upgrade;
	a->json = page_wants_json(h);
	a->last = !h->keepalive;
}

/* It was sent on. */
static void
remember(struct user *u, const struct head *h)
{
	struct upstream *up = u->current;
	struct counters *c = u->relay->counters;

	describe(&u->asked[u->nasked++], h);
	journal_asked(u);
	u->sending = true;
	if (u->nasked == 1)
		walk_expect(&u->resp, h->kind, h->upgrade);
	if (up->session == NULL) /* the other relay counts it */
		return;
	counter_add(&c->all[COUNTER_REQUESTS], 1);
	counter_add(&c->clients[up->session->client][COUNTER_REQUESTS], 1);
}

/* A whole head of n bytes at p. */
static enum outcome
take_head(struct user *u, const uint8_t *p, size_t n, const struct head *h)
{
	enum outcome o;
	uint32_t drop;

	if (u->nasked == 0)
		describe(&u->asked[0], h);
	else if (u->nasked == USER_PIPELINE || u->asked[u->nasked - 1].last)
		return request_stop(u, WAIT_ANSWERS);
	if (u->bad != 0)
		return request_refuse(u, u->bad);
	if ((o = request_route(u, h, &drop)) != PASSED)
		return o == DENIED ? PASSED : o;
	/* A CONNECT to a service of ours is the stream that it has now. */
	if ((h->kind != HEAD_METHOD_CONNECT || u->current->pair != NULL) &&
	    (o = write_head(u, p, n, h, drop)) != PASSED)
		return o;
	remember(u, h);
	return PASSED;
}

/*
 * Body bytes: as many as there is room for. *n becomes how many were taken;
 * less than all is STOPPED.
 */
static enum outcome
take_body(struct user *u, const uint8_t *p, size_t *n)
{
	size_t want = *n;

	if (u->current == NULL) { /* and its user is ending */
		user_abort(u, END_LOST);
		return ENDED;
	}
	*n = upstream_write(u->current, p, want);
	return *n == want ? PASSED : request_stop(u, WAIT_ROOM);
}

/* Nobody can tell where the request ends. */
static enum outcome
bad_request(struct user *u)
{
	int status = walk_status(&u->req);

	if (!u->sending)
		return request_refuse(u, status);
	/* Its service waits for the rest of it for ever. */
	if (u->nasked == 0)
		user_finish(u);
	else if (u->nasked == 1)
		user_refuse(u, status, NULL);
	else
		user_abort(u, END_GARBAGE);
	return ENDED;
}

/* The walker holds after a request to upgrade until that is answered. */
static enum outcome
hold(struct user *u)
{
	if (u->nasked > 0)
		return request_stop(u, WAIT_HOLD);
	/* The answer came before the request was whole. */
	walk_resume(&u->req);
	return PASSED;
}

/* One step of the walker; *used bytes were dealt with. */
static enum outcome
step(struct user *u, const uint8_t *p, size_t n, size_t *used, bool *more)
{
	struct walk before = u->req;
	enum outcome o;
	struct head h;
	size_t len;

	*used = 0;
	*more = true;
	switch (walk_step(&u->req, p, n, &len, &h)) {
	case WALK_HEAD:
		if ((o = take_head(u, p, len, &h)) == PASSED)
			*used = len;
		else
			u->req = before; /* see it again */
		return o;
	case WALK_BODY:
	case WALK_OPAQUE:
		*used = len;
		if ((o = take_body(u, p, used)) == STOPPED) {
			u->req = before;
			if (*used > 0)
				walk_step(&u->req, p, *used, &len, &h);
		}
		return o;
	case WALK_END:
		u->sending = false;
		user_rested(u);
		return PASSED;
	case WALK_HOLD:
		return hold(u);
	case WALK_BAD:
		return bad_request(u);
	case WALK_MORE:
	default:
		*more = false;
		return PASSED;
	}
}

size_t
request_feed(struct user *u, const uint8_t *p, size_t n)
{
	size_t at = 0, used;
	bool more = true;

	while (more) {
		enum outcome o = write_rest(u);

		used = 0;
		if (o == PASSED)
			o = step(u, p + at, n - at, &used, &more);
		at += used;
		if (o != PASSED)
			break;
	}
	return at;
}
