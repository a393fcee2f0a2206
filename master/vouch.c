/* The external check of logins. */
#include "master/vouch.h"

#include <fcntl.h>
#include <string.h>

#include "common/base/log.h"
#include "master/feed.h"
#include "master/handshake_impl.h"
#include "master/workers.h"

/* Where systems keep the authorities that they trust; the first is used. */
static const char *const bundles[] = { "/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem" };

bool
vouch_configured(const struct master *m)
{
	return m->conf.auth_url != NULL;
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

/* Hand a file of certificates on. -1: it cannot be opened. */
static int
send_ca(struct worker *w, enum fetch_ca which, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return -1;
	worker_send_fd(w, MSG_FETCH_CA, which, NULL, 0, fd);
	return 0;
}

void
vouch_send_ca(struct master *m, struct worker *w)
{
	const char *own = m->conf.auth_ca;

	/* Without any, no https server is believed. */
	for (size_t i = 0; i < sizeof(bundles) / sizeof(bundles[0]); i++)
		if (send_ca(w, FETCH_CA_SYSTEM, bundles[i]) == 0)
			break;
	if (own != NULL && send_ca(w, FETCH_CA_AUTH, own) == -1)
		log_warn("auth.ca: %s", own);
}
