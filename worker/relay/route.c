/*
 * Where a request goes, and whether it may: by its host, to a service of this
 * relay, whose gates are checked for every request, or to another relay, which
 * checks them there.
 */
#include <errno.h>
#include <string.h>

#include "common/base/text.h"
#include "common/http/host.h"
#include "worker/relay/gate.h"
#include "worker/relay/request_impl.h"
#include "worker/relay/session.h"
#include "worker/relay/upstream.h"

/*
 * The name that a request is routed by, as names are compared. 0, or the
 * status to refuse it with.
 */
static int
route_name(const struct user *u, const struct head *h, char *dst)
{
	const char *mux = u->relay->conf.mux_header;
	uint16_t port = msg_scheme_port(u->scheme);
	struct head_view v;

	if (strcasecmp(mux, "host") == 0 || h->kind == HEAD_METHOD_CONNECT)
		return host_called(dst, port, h->host.p, h->host.n) == 0 ? 0
									 : 400;
	if (head_find(h, mux, &v) != 1 || v.n == 0)
		return 400;
	/* The whole value is the id: it is a label, or nobody's. */
	return text_label(dst, v.p, v.n) == 0 ? 0 : 404;
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

static struct upstream *
upstream_for(struct user *u, struct session *s, uint16_t service, int fd)
{
	struct upstream *up;

	if (s == NULL)
		return upstream_to_pair(u, fd, u->asking->name);
	if (session_is_full(s, service, &u->peer))
		return NULL;
	if ((up = upstream_to_service(u, s, service, u->asking->name)) != NULL)
		up->confirmed = true;
	return up;
}

void
request_routed(struct user *u, struct session *s, uint16_t service, int fd)
{
	struct upstream *up;

	/* It replaces one that has lost its session. */
	if ((up = upstream_find(u, u->asking->name)) != NULL)
		upstream_end(up);
	evict(u);
	if (upstream_for(u, s, service, fd) == NULL)
		u->bad = 503;
}

/* The answer to a request that its service does not let in. */
static enum outcome
deny(struct user *u, const struct gate_verdict *v, const struct head *h)
{
	/* Behind these may come bytes that are no request of this user's. */
	bool stay = h->keepalive && h->body == HEAD_BODY_NONE && !h->upgrade &&
	    h->kind != HEAD_METHOD_CONNECT && !u->relay->draining;

	user_deny(u, v->status, v->text, v->fields, stay);
	return stay && u->state == USER_OPEN ? DENIED : ENDED;
}

/* Whether the upstream's service lets this request in. */
static enum outcome
admit(struct user *u, struct upstream *up, const struct service *sv,
    const struct head *h, uint32_t *drop)
{
	struct addr from = gate_user(&u->relay->conf, &u->peer, h);
	struct gate_verdict v = gate_request(sv, up->session->id, &from, h);

	*drop = v.drop;
	if (v.status == 0)
		return PASSED;
	if (u->nasked > 0)
		return request_stop(u, WAIT_ANSWERS);
	u->current = up;
	return deny(u, &v, h);
}

/* Nobody is known for that host, or he is gone: ask. */
static enum outcome
ask(struct user *u, const char *name)
{
	if (u->nasked > 0)
		return request_stop(u, WAIT_ANSWERS);
	user_ask(u, name);
	return u->bad != 0 ? request_refuse(u, u->bad) : STOPPED;
}

/* Use this upstream of the user's, if it may be. */
static enum outcome
use(struct user *u, struct upstream *up, const struct head *h, uint32_t *drop)
{
	const struct service *sv = NULL;
	enum outcome o;

	*drop = 0;
	if (up->session != NULL)
		sv = session_service(up->session, up->service);
	if (up->pair == NULL && sv == NULL)
		/* Given up meanwhile. Once the master has named it as well,
		   there is nobody left to ask. */
		return up->session != NULL && up->confirmed
		    ? request_refuse(u, 503)
		    : ask(u, up->name);
	if (sv != NULL && (o = admit(u, up, sv, h, drop)) != PASSED)
		return o;
	if (sv != NULL && h->kind == HEAD_METHOD_CONNECT)
		upstream_renew(up);
	if (upstream_open(up) == 0) {
		u->current = up;
		return PASSED;
	}
	return errno == EAGAIN ? request_stop(u, WAIT_ROOM) : ask(u, up->name);
}

/*
 * Another host's turn comes when all answers before it are complete and have
 * left: what waits to be sent to a user is always of one upstream, whose
 * window bounds it. So does that of a CONNECT, which is answered by us.
 */
enum outcome
request_route(struct user *u, const struct head *h, uint32_t *drop)
{
	bool connect = h->kind == HEAD_METHOD_CONNECT;
	struct upstream *up = u->current;
	char name[HOST_NAME_SIZE];
	bool other;
	int status;

	if ((status = route_name(u, h, name)) != 0)
		return request_refuse(u, status);
	other = up == NULL || strcmp(up->name, name) != 0;
	if ((other || connect) && (u->nasked > 0 || outq_left(&u->out) > 0))
		return request_stop(u, WAIT_ANSWERS);
	if (other && u->rerouted && up != NULL)
		return request_refuse(u, 421);
	if (other)
		up = upstream_find(u, name);
	return up == NULL ? ask(u, name) : use(u, up, h, drop);
}
