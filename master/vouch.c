/* The external check of logins. */
#include "master/vouch.h"

#include <fcntl.h>
#include <string.h>

#include "common/base/log.h"
#include "common/fetch/setup.h"
#include "master/feed.h"
#include "master/handshake_impl.h"
#include "master/workers.h"

bool
vouch_configured(const struct master *m)
{
	return m->conf.auth_url != NULL;
}

bool
vouch_is_open(const struct master *m)
{
	static const char *const local[] = { "http://127.", "http://localhost",
		"http://[::1]" };
	const char *url = m->conf.auth_url;

	if (url == NULL || strncmp(url, "http://", 7) != 0)
		return false;
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		if (strncmp(url, local[i], strlen(local[i])) == 0)
			return false;
	return true;
}

static void
tell_lost(struct master *m, uint32_t id)
{
	struct worker *auth = feed_auth(m);

	if (auth != NULL)
		worker_send(auth, MSG_VOUCH_LOST, id, NULL, 0);
}

int
vouch_on_ask(void *arg, const struct msg *msg)
{
	struct worker *w = arg, *fetch;
	struct master *m = w->master;
	struct conn *c = conns_find(m->conns, msg->id);

	if (c == NULL || c->handshake == NULL) /* it crossed the news */
		return 0;
	if ((c->handshake->progress & HANDSHAKE_JUDGED) == 0 ||
	    (c->handshake->progress & HANDSHAKE_ASKED) != 0)
		return -1;
	if ((fetch = workers_only(m->workers, ROLE_FETCH)) == NULL) {
		tell_lost(m, msg->id);
		return 0;
	}
	c->handshake->progress |= HANDSHAKE_ASKED;
	worker_send(fetch, msg->type, msg->id, msg->p, msg->n);
	return 0;
}

int
vouch_on_answer(void *arg, const struct msg *msg)
{
	struct worker *w = arg, *auth = feed_auth(w->master);
	struct conn *c = conns_find(w->master->conns, msg->id);

	/* The login may have ended since, and its number be another's. */
	if (c == NULL || c->handshake == NULL || auth == NULL ||
	    (c->handshake->progress & HANDSHAKE_ASKED) == 0)
		return 0;
	c->handshake->progress &= ~HANDSHAKE_ASKED;
	worker_send(auth, msg->type, msg->id, msg->p, msg->n);
	return 0;
}

void
vouch_lost(struct master *m)
{
	tell_lost(m, 0);
}

void
vouch_send_ca(struct master *m, struct worker *w)
{
	const char *own = m->conf.auth_ca;
	int fd;

	/* Without any, no https server is believed. */
	if ((fd = setup_open_ca()) != -1)
		worker_send_fd(w, MSG_FETCH_CA, FETCH_CA_SYSTEM, NULL, 0, fd);
	if (own == NULL)
		return;
	if ((fd = open(own, O_RDONLY | O_CLOEXEC)) != -1)
		worker_send_fd(w, MSG_FETCH_CA, FETCH_CA_AUTH, NULL, 0, fd);
	else
		log_warn("auth.ca: %s", own);
}
