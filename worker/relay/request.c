/*
 * From the user to the service: every request head is checked, routed, and
 * written anew; bodies pass.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/http/host.h"
#include "common/http/page.h"
#include "common/http/rewrite.h"
#include "worker/relay/session.h"
#include "worker/relay/upstream.h"
#include "worker/relay/user.h"

/* What became of a piece of the request. */
enum outcome {
	PASSED,	 /* all of it was dealt with */
	STOPPED, /* u->wait says why; nothing of it was dealt with */
	ENDED	 /* the user has been answered, or is dead */
};

static enum outcome
stop(struct user *u, enum user_wait why)
{
	u->wait = (uint8_t)why;
	return STOPPED;
}

/* Refuse the request; not before those ahead of it have their answers. */
static enum outcome
refuse(struct user *u, int status)
{
	if (u->nasked > 0) {
		u->bad = (uint16_t)status;
		return stop(u, WAIT_ANSWERS);
	}
	user_refuse(u, status, NULL);
	return ENDED;
}

/* The name that a request is routed by, as names are compared. */
static int
route_name(const struct user *u, const struct head *h, char *dst)
{
	const char *mux = u->relay->conf.mux_header;
	struct head_view v;

	if (strcasecmp(mux, "host") == 0)
		return host_name(dst, NULL, h->host.p, h->host.n);
	if (head_find(h, mux, &v) != 1 || v.n == 0 || v.n >= HOST_NAME_SIZE)
		return -1;
	for (size_t i = 0; i < v.n; i++)
		dst[i] = v.p[i] >= 'A' && v.p[i] <= 'Z'
		    ? (char)(v.p[i] + ('a' - 'A'))
		    : v.p[i];
	dst[v.n] = '\0';
	return 0;
}

/* Make room for one more upstream: the oldest that does not answer goes. */
static void
evict(struct user *u)
{
	struct upstream *oldest = NULL;
	size_t n = 0;

	for (struct upstream *up = u->ups; up != NULL; up = up->next, n++) {
		if (up != u->current)
			oldest = up;
	}
	if (n >= UPSTREAM_MAX && oldest != NULL)
		upstream_leave(oldest);
}

void
request_routed(struct user *u, struct session *s, uint16_t service, int fd)
{
	struct upstream *up;

	/* It replaces one that has lost its session. */
	if ((up = upstream_find(u, u->asking)) != NULL)
		upstream_end(up);
	evict(u);
	up = s != NULL ? upstream_to_service(u, s, service, u->asking)
		       : upstream_to_pipe(u, fd, u->asking);
	if (up == NULL)
		u->bad = 503;
}

/*
 * Make the upstream of that host the one that answers. Another host's turn
 * comes when all answers before it are complete.
 */
static enum outcome
route(struct user *u, const char *name)
{
	struct upstream *up = u->current;

	if (up == NULL || strcmp(up->name, name) != 0) {
		if (u->nasked > 0)
			return stop(u, WAIT_ANSWERS);
		if (u->rerouted && up != NULL)
			return refuse(u, 421);
		up = upstream_find(u, name);
	}
	if (up != NULL && upstream_open(up) == 0) {
		u->current = up;
		return PASSED;
	}
	if (up != NULL && errno == EAGAIN)
		return stop(u, WAIT_ROOM);
	/* Unknown, or its session has gone and may come back. */
	if (u->nasked > 0)
		return stop(u, WAIT_ANSWERS);
	user_ask(u, name);
	return u->bad != 0 ? refuse(u, u->bad) : STOPPED;
}

/* Our own fields, and whose of the user's to believe. */
static void
rules(const struct user *u, const struct head *h, struct rewrite *rw,
    char ip[ADDR_TEXT], char host[HOST_NAME_SIZE + 8])
{
	const struct msg_relay_conf *c = &u->relay->conf;

	memset(rw, 0, sizeof(*rw));
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

/* Write the head as its service gets it. All or nothing. */
static enum outcome
write_head(struct user *u, const uint8_t *p, size_t n, const struct head *h)
{
	struct upstream *up = u->current;
	char ip[ADDR_TEXT], host[HOST_NAME_SIZE + 8];
	char out[HEAD_MAX + USER_HEAD_GROW];
	struct rewrite rw;
	ssize_t len;

	if (up->pipe != NULL) {
		/* Another relay checks and writes it. */
		if (upstream_room(up) < n)
			return stop(u, WAIT_ROOM);
		upstream_write(up, p, n);
		return PASSED;
	}
	rules(u, h, &rw, ip, host);
	len = rewrite_request(h, &rw, out, sizeof(out));
	if (len == -1)
		return refuse(u, 431);
	if (upstream_room(up) < (size_t)len)
		return stop(u, WAIT_ROOM);
	upstream_write(up, out, (size_t)len);
	return u->state == USER_OPEN ? PASSED : ENDED;
}

static void
remember(struct user *u, const struct head *h)
{
	struct user_asked *a = &u->asked[u->nasked++];

	a->method = (uint8_t)h->kind;
	a->upgrade = h->upgrade;
	a->json = page_wants_json(h);
	if (u->nasked == 1)
		walk_expect(&u->resp, h->kind, h->upgrade);
}

/* A whole head of n bytes at p. */
static enum outcome
take_head(struct user *u, const uint8_t *p, size_t n, const struct head *h)
{
	char name[HOST_NAME_SIZE];
	enum outcome o;

	if (u->nasked == USER_PIPELINE)
		return stop(u, WAIT_ANSWERS);
	if (u->bad != 0)
		return refuse(u, u->bad);
	if (h->kind == HEAD_METHOD_CONNECT)
		return refuse(u, 501);
	if (route_name(u, h, name) == -1)
		return refuse(u, 400);
	if ((o = route(u, name)) != PASSED)
		return o;
	if ((o = write_head(u, p, n, h)) != PASSED)
		return o;
	remember(u, h);
	counter_add(&u->relay->counters->all[COUNTER_REQUESTS], 1);
	if (u->current->session != NULL)
		counter_add(
		    &u->relay->counters->clients[u->current->session->client]
						[COUNTER_REQUESTS],
		    1);
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

	/* The upstream is gone, its user was answered: nothing to do. */
	if (u->current == NULL) {
		*n = 0;
		return ENDED;
	}
	*n = upstream_write(u->current, p, want);
	if (u->state != USER_OPEN)
		return ENDED;
	return *n == want ? PASSED : stop(u, WAIT_ROOM);
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
		return PASSED;
	case WALK_HOLD:
		return stop(u, WAIT_HOLD);
	case WALK_BAD:
		return refuse(u, walk_status(&u->req));
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
		enum outcome o = step(u, p + at, n - at, &used, &more);

		at += used;
		if (o != PASSED)
			break;
	}
	return at;
}
