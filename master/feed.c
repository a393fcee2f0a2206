/* What `auth` knows. */
#include "master/feed.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "master/clients.h"
#include "master/parse.h"
#include "master/workers.h"

struct feed {
	int fd;		     /* verifiers for an auth that is to come; or -1 */
	uint32_t generation; /* of what was sent last */
	bool loading;	     /* USERS_OK is awaited */
	bool usable;	     /* auth has some and uses them */
	feed_fn fn;
	void *arg;
};

struct feed *
feed_new(struct master *m)
{
	struct feed *u;

	(void)m;
	if ((u = calloc(1, sizeof(*u))) != NULL)
		u->fd = -1;
	return u;
}

void
feed_free(struct feed *u)
{
	if (u == NULL)
		return;
	if (u->fd != -1)
		close(u->fd);
	free(u);
}

/* Tell who waits for it how it went. */
static void
report(struct feed *u, bool ok)
{
	feed_fn fn = u->fn;

	u->fn = NULL;
	if (fn != NULL)
		fn(u->arg, ok);
}

static void
give(struct feed *u, struct worker *w)
{
	int fd = u->fd;

	u->fd = -1;
	u->loading = true;
	worker_send_fd(w, MSG_USERS, ++u->generation, NULL, 0, fd);
}

void
feed_load(struct master *m, int fd, feed_fn fn, void *arg)
{
	struct feed *u = m->feed;
	struct worker *w = workers_only(m->workers, ROLE_AUTH);

	if (u->fd != -1)
		close(u->fd);
	u->fd = fd;
	u->fn = fn;
	u->arg = arg;
	if (w != NULL)
		give(u, w);
}

void
feed_forget(struct master *m)
{
	m->feed->fn = NULL;
}

void
feed_use(struct master *m)
{
	struct worker *w = workers_only(m->workers, ROLE_AUTH);

	if (w == NULL)
		return;
	worker_send(w, MSG_USERS_USE, m->feed->generation, NULL, 0);
	m->feed->usable = true;
}

/* The configuration was read again for an auth that had to be replaced. */
static void
on_parsed(void *arg, struct parse_result *r)
{
	struct master *m = arg;

	if (!r->ok) {
		/* The next auth, or a reload, tries again. */
		log_error(
		    "auth knows no users, nobody can log in: %s", r->text);
		return;
	}
	server_conf_free(&r->conf);
	certs_close(&r->files);
	feed_load(m, r->users_fd, NULL, NULL);
}

void
feed_ready(struct master *m, struct worker *w)
{
	struct feed *u = m->feed;

	clients_doubt(m->clients);
	if (u->fd != -1)
		give(u, w);
	else if (parse_start(m, true, on_parsed, m) == -1)
		log_warn("auth knows no users");
}

void
feed_gone(struct master *m)
{
	m->feed->usable = m->feed->loading = false;
	report(m->feed, false);
}

void
feed_get(const struct master *m, uint32_t *generation, bool *usable)
{
	*generation = m->feed->generation;
	*usable = m->feed->usable;
}

void
feed_set(struct master *m, uint32_t generation, bool usable)
{
	m->feed->generation = generation;
	m->feed->usable = usable;
}

struct worker *
feed_auth(const struct master *m)
{
	return m->feed->usable ? workers_only(m->workers, ROLE_AUTH) : NULL;
}

int
feed_on_ok(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct master *m = w->master;
	struct feed *u = m->feed;
	uint32_t number = 0;
	struct buf b;

	if (msg->id != u->generation)
		return 0; /* of a load that another overtook */
	if (!u->loading)
		return -1;
	u->loading = false;
	buf_read(&b, msg->p, msg->n);
	if (buf_get_u32(&b, &number) == -1)
		return -1;
	if (u->fn != NULL) {
		report(u, number != MSG_USERS_BROKEN);
		return 0;
	}
	if (number == MSG_USERS_BROKEN) {
		log_error("auth knows no users, nobody can log in");
		return 0;
	}
	feed_use(m);
	master_check_ready(m);
	return 0;
}
