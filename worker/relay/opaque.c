/* Users whose bytes are nobody's business. */
#include "worker/relay/opaque.h"

#include <errno.h>

#include "common/base/log.h"
#include "common/http/page.h"
#include "worker/relay/gate.h"
#include "worker/relay/session.h"
#include "worker/relay/upstream.h"

int
opaque_start(
    struct user *u, struct session *s, uint16_t service, const char *name)
{
	walk_opaque(&u->req);
	walk_opaque(&u->resp);
	u->wait = WAIT_ROOM; /* for a stream: input_pull() opens it */
	return upstream_to_service(u, s, service, name) == NULL ? -1 : 0;
}

/*
 * Whether its service lets it in, which is asked before there is a stream; if
 * not, u->bad says so. One that has been given up meanwhile is asked for anew,
 * once.
 */
static bool
is_let_in(struct user *u, struct upstream *up)
{
	const struct service *sv;

	if (u->bad != 0)
		return false;
	if (up->stream != NULL || up->session == NULL)
		return true;
	sv = session_service(up->session, up->service);
	if (sv != NULL && gate_stream(sv, &u->peer))
		return true;
	if (sv != NULL)
		u->bad = 403;
	else if (up->confirmed)
		u->bad = 503;
	errno = ENOTCONN;
	return false;
}

/*
 * Whether there is a stream, or the like. If not, u->wait says what is waited
 * for, or the user is dead.
 */
static bool
is_connected(struct user *u)
{
	struct upstream *up = u->ups; /* the only one */

	if (u->bad == 0 && up == NULL)
		u->bad = 503; /* there was no memory for it */
	if (is_let_in(u, up) && upstream_open(up) == 0) {
		u->current = up;
		return true;
	}
	if (u->bad == 0 && errno == EAGAIN) {
		u->wait = WAIT_ROOM;
		return false;
	}
	/* Its session has gone: has its client come back elsewhere? */
	if (u->bad == 0)
		user_ask(u, up->name);
	if (u->bad != 0)
		opaque_refuse(u, u->bad, NULL);
	return false;
}

size_t
opaque_feed(struct user *u, const uint8_t *p, size_t n)
{
	size_t used;

	if (!is_connected(u) || n == 0)
		return 0;
	used = upstream_write(u->current, p, n);
	if (used < n)
		u->wait = WAIT_ROOM;
	return used;
}

/* End it by a reset, and say so. */
static void
end(struct user *u, enum msg_end why, const char *text)
{
	const struct upstream *up = u->ups;
	char peer[ADDR_TEXT], local[ADDR_TEXT];

	addr_format(local, &u->local);
	log_info("%s: reset at %s: %s", addr_format(peer, &u->peer),
	    up != NULL && up->name[0] != '\0' ? up->name : local, text);
	user_abort(u, why);
}

void
opaque_lost(struct user *u, enum reset reason)
{
	struct upstream *up = u->current;
	bool opened = up != NULL && up->opened;

	if (u->state != USER_OPEN) {
		if (up != NULL)
			upstream_end(up);
	} else if (reason == RESET_GONE && !opened && u->up == u->in_len) {
		/* Nothing was said either way: others may serve it. */
		u->wait = WAIT_ROOM;
		user_resume(u);
	} else if (opened && reason == RESET_ABORT) {
		user_abort(u, END_LOST); /* by the service itself */
	} else {
		end(u, opened ? END_LOST : END_REFUSED, reset_text(reason));
	}
}

void
opaque_refuse(struct user *u, int status, const char *text)
{
	end(u, END_REFUSED, text != NULL ? text : page_reason(status));
}
