/* TLS of users. */
#include "master/tls.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "master/hold.h"
#include "master/listeners.h"
#include "master/waits.h"
#include "master/workers.h"

struct tls {
	struct master *master;
	struct certs_files files;
	uint8_t *tickets; /* guarded; the newest first */
	size_t ntickets;
	struct event *renew;
	struct waits *waiting;	   /* for a worker */
	struct conn_list unplaced; /* the same */
	size_t nunplaced;
};

static void
drop_unplaced(struct tls *t, struct conn *c)
{
	waits_remove(&c->wait);
	TAILQ_REMOVE(&t->unplaced, c, of);
	t->nunplaced--;
}

static void
on_deadline(void *arg, void *owner)
{
	struct tls *t = arg;

	drop_unplaced(t, owner);
	hold_drop(t->master, owner);
}

static void
send_tickets(struct worker *w)
{
	const struct tls *t = w->master->tls;

	if (w->role == ROLE_TLS && t->ntickets > 0)
		worker_send(w, MSG_TLS_TICKETS, 0, t->tickets,
		    t->ntickets * MSG_TICKET_KEY);
}

static void
send_tickets_each(void *arg, struct worker *w)
{
	(void)arg;
	if (!w->inherited)
		send_tickets(w);
}

/* A new key in front of those that tickets out there still have. */
static void
renew_tickets(struct tls *t)
{
	struct timeval tv = { TLS_TICKET_SECONDS, 0 };

	memmove(t->tickets + MSG_TICKET_KEY, t->tickets,
	    (MSG_TICKET_KEYS_MAX - 1) * MSG_TICKET_KEY);
	randombytes_buf(t->tickets, MSG_TICKET_KEY);
	if (t->ntickets < MSG_TICKET_KEYS_MAX)
		t->ntickets++;
	evtimer_add(t->renew, &tv);
}

static void
on_renew(evutil_socket_t fd, short what, void *arg)
{
	struct tls *t = arg;

	(void)fd;
	(void)what;
	renew_tickets(t);
	workers_each(t->master->workers, send_tickets_each, NULL);
}

struct tls *
tls_new(struct master *m)
{
	struct tls *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->master = m;
	certs_none(&t->files);
	TAILQ_INIT(&t->unplaced);
	t->waiting = waits_new(m->base, on_deadline, t);
	t->renew = evtimer_new(m->base, on_renew, t);
	if (t->waiting != NULL && t->renew != NULL)
		return t;
	tls_free(t);
	return NULL;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	certs_close(&t->files);
	sodium_free(t->tickets);
	if (t->renew != NULL)
		event_free(t->renew);
	waits_free(t->waiting);
	free(t);
}

bool
tls_is_on(const struct master *m)
{
	return m->tls->files.certs != -1;
}

void
tls_files(const struct master *m, struct certs_files *f)
{
	*f = m->tls->files;
}

/* ---- what the workers have ---- */

static void
send_file(struct worker *w, uint8_t type, int fd)
{
	uint8_t payload[4];
	struct buf b;

	if (fd == -1)
		return;
	buf_write(&b, payload, sizeof(payload));
	buf_put_u32(&b, certs_size(fd));
	(void)worker_send_copy(w, type, 0, payload, buf_used(&b), fd);
}

void
tls_send_rules(struct worker *w)
{
	const struct master *m = w->master;
	size_t max = m->nofile / 2;
	uint8_t payload[16];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	buf_put_u32(&b, (uint32_t)(max < TLS_CONNS_MAX ? max : TLS_CONNS_MAX));
	buf_put_u32(&b, (uint32_t)m->conf.head_max);
	buf_put_u32(&b, (uint32_t)m->conf.timeouts.handshake);
	buf_put_u32(&b, (uint32_t)m->conf.timeouts.head);
	worker_send(w, MSG_TLS_RULES, 0, payload, buf_used(&b));
}

void
tls_boot(struct worker *w)
{
	const struct tls *t = w->master->tls;

	if (w->role == ROLE_SIGN) {
		send_file(w, MSG_TLS_KEYS, t->files.keys);
		return;
	}
	send_tickets(w);
	send_file(w, MSG_TLS_CERTS, t->files.certs);
}

/*
 * Connect the two of one number. What is sent through it is read behind what
 * was sent to either before, so that `sign` has the keys of certificates that
 * `tls` gets later.
 */
static void
wire(struct worker *tls, struct worker *sign)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, fds) == -1) {
		log_warn("cannot connect tls %u with sign", tls->index);
		return;
	}
	worker_send_fd(sign, MSG_TLS_SIGNER, 0, NULL, 0, fds[1]);
	worker_send_fd(tls, MSG_TLS_SIGNER, 0, NULL, 0, fds[0]);
}

void
tls_use(struct master *m, struct certs_files *f)
{
	struct tls *t = m->tls;
	struct worker *tls, *sign;

	certs_close(&t->files);
	t->files = *f;
	certs_none(f);
	if (t->files.certs == -1 ||
	    (t->tickets == NULL &&
		(t->tickets = sodium_malloc(
		     MSG_TICKET_KEYS_MAX * MSG_TICKET_KEY)) == NULL))
		return;
	if (t->ntickets == 0)
		renew_tickets(t);
	for (unsigned i = 0; m->workers != NULL && i < WORKERS_RELAY_MAX; i++) {
		tls = workers_at(m->workers, ROLE_TLS, i);
		sign = workers_at(m->workers, ROLE_SIGN, i);
		if (sign != NULL)
			send_file(sign, MSG_TLS_KEYS, t->files.keys);
		if (sign != NULL && tls != NULL)
			wire(tls, sign);
		if (tls != NULL)
			send_file(tls, MSG_TLS_CERTS, t->files.certs);
	}
}

/* ---- connections ---- */

static int
place(struct conn *c, struct worker *w)
{
	uint8_t payload[64];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	msg_put_conn(&b, &c->who);
	if (buf_put_u8(&b,
		(c->proxied ? EDGE_PROXIED : 0) |
		    (c->kind == LISTENER_API ? EDGE_API : 0)) == -1)
		return -1;
	hold_by(c, w);
	/* It reads at once: nobody else could go on with it. */
	worker_send_fd(
	    w, MSG_CONN, c->id, payload, buf_used(&b), conn_take_fd(c));
	return 0;
}

void
tls_restore(struct master *m, struct conn *c)
{
	struct tls *t = m->tls;

	hold_by(c, NULL);
	c->state = CONN_TLS;
	if (t->nunplaced >= TLS_WAITING_MAX) {
		hold_drop(m, c);
		return;
	}
	TAILQ_INSERT_TAIL(&t->unplaced, c, of);
	t->nunplaced++;
	waits_add(t->waiting, &c->wait, c, TLS_WAIT_MS);
}

void
tls_place(struct master *m, struct conn *c)
{
	struct worker *w = workers_least(m->workers, ROLE_TLS);

	c->state = CONN_TLS;
	if (w == NULL)
		tls_restore(m, c);
	else if (place(c, w) == -1)
		hold_drop(m, c);
}

void
tls_takes(struct master *m)
{
	struct worker *w;
	struct conn *c;

	while ((c = TAILQ_FIRST(&m->tls->unplaced)) != NULL &&
	    (w = workers_least(m->workers, ROLE_TLS)) != NULL) {
		drop_unplaced(m->tls, c);
		if (place(c, w) == -1)
			hold_drop(m, c);
	}
}

void
tls_ready(struct worker *w)
{
	struct master *m = w->master;
	struct worker *tls = workers_at(m->workers, ROLE_TLS, w->index);
	struct worker *sign = workers_at(m->workers, ROLE_SIGN, w->index);

	if (tls != NULL && sign != NULL)
		wire(tls, sign);
	tls_takes(m);
	listeners_resume(m->listeners);
}

void
tls_lost(struct master *m, struct conn *c)
{
	hold_drop(m, c);
}

int
tls_on_closed(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct master *m = w->master;
	struct conn *c = conns_find(m->conns, msg->id);

	if (c == NULL || c->worker != w ||
	    (c->state != CONN_TLS && c->state != CONN_CONVERTED) ||
	    msg->p[0] >= END_COUNT)
		return -1;
	if (msg->p[0] == END_NOFILE)
		worker_exhausted(w);
	hold_drop(m, c);
	return 0;
}
