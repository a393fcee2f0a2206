/* Connections to local services. */
#include "client/locals.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "client/catalog.h"
#include "client/child.h"
#include "client/lookup.h"
#include "client/secure.h"
#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/net/datagram.h"
#include "common/net/dial.h"
#include "common/net/sockopt.h"

/* What the engine has asked for. */
struct request {
	uint32_t number;
	uint8_t attempt;
	uint16_t offset; /* into its range of ports */
	bool raw;	 /* no TLS of ours */
	struct secure_header header;
};

struct target {
	struct parent *parent;
	uint16_t number; /* of the service */
	bool secure;	 /* by TLS */
	bool datagrams;	 /* UDP */
	bool named;	 /* its addresses are to be looked up */
	char name[TEXT_NAME_MAX + 1];
	uint16_t port;
	struct sockaddr_un sun; /* AF_UNIX: that is where it is */
	struct addr addrs[LOCALS_ADDRESSES];
	size_t n; /* addresses; 1 for AF_UNIX */
	struct lookup *lookup;
	struct request *waiting; /* that came before the name was known */
	size_t nwaiting;
	struct secure_list pending;
};

static void
refuse(struct target *t, uint32_t number, int err)
{
	uint8_t payload[4];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	buf_put_u32(&b, (uint32_t)err);
	child_send(t->parent->engine, MSG_DIAL_NO, number, payload, 4);
}

static void on_found(
    void *arg, const struct addr *list, size_t n, const char *why);

/* Have the name looked up, for the first time or anew. */
static void
look_up(struct target *t)
{
	if (!t->named || t->lookup != NULL)
		return;
	t->lookup = lookup_start(t->parent, t->name, t->port, on_found, t);
}

/* Begin to connect to address i, `offset` ports further. */
static int
open_socket(const struct target *t, size_t i, uint16_t offset)
{
	struct sockaddr_storage ss;
	struct addr to = t->addrs[i];
	socklen_t len;

	if (t->sun.sun_family == AF_UNIX)
		return dial_start(
		    (const struct sockaddr *)&t->sun, sizeof(t->sun));
	to.port = (uint16_t)(to.port + offset);
	len = addr_to_sockaddr(&ss, &to);
	if (t->datagrams)
		return datagram_dial((const struct sockaddr *)&ss, len);
	return dial_start((const struct sockaddr *)&ss, len);
}

/* Open a socket to the address whose turn it is. */
static void
dial(struct target *t, const struct request *q)
{
	uint8_t attempt = q->attempt;
	int fd = -1, err = 0;

	if (attempt >= t->n) {
		/* All have failed: perhaps the name means others by now. */
		refuse(t, q->number, t->n > 0 ? 0 : EHOSTUNREACH);
		look_up(t);
		return;
	}
	if (t->secure && !q->raw) {
		secure_dial(t->parent, &t->pending, t->number, t->addrs, t->n,
		    q->number, &q->header);
		return;
	}
	/* If it is of this address alone, as ENETUNREACH: then the next. */
	for (; attempt < t->n && fd == -1 && err != EMFILE && err != ENFILE;
	    attempt++) {
		fd = open_socket(t, attempt, q->offset);
		err = errno;
	}
	if (fd == -1) {
		refuse(t, q->number, err);
		return;
	}
	/* If the engine dies, the service shall not see an orderly end. */
	if (!t->datagrams)
		sockopt_reset_on_close(fd, true);
	child_send_fd(t->parent->engine, MSG_DIALED, q->number, NULL, 0, fd);
}

static void
on_found(void *arg, const struct addr *list, size_t n, const char *why)
{
	struct target *t = arg;
	struct request *waiting = t->waiting;
	size_t nwaiting = t->nwaiting;

	t->lookup = NULL;
	if (n == 0)
		log_warnx("%s: %s", t->name, why);
	else
		t->n = 0;
	for (size_t i = 0; i < n && t->n < LOCALS_ADDRESSES; i++)
		t->addrs[t->n++] = list[i];
	t->waiting = NULL;
	t->nwaiting = 0;
	for (size_t i = 0; i < nwaiting; i++) {
		if (t->n == 0)
			refuse(t, waiting[i].number, EHOSTUNREACH);
		else
			dial(t, &waiting[i]);
	}
	free(waiting);
}

struct target *
locals_target(struct parent *p, const struct client_service *v)
{
	struct target *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->parent = p;
	t->secure = v->local.scheme == LOCAL_HTTPS;
	t->datagrams = v->local.scheme == LOCAL_UDP;
	if (v->local.scheme == LOCAL_UNIX) {
		t->sun.sun_family = AF_UNIX;
		strcpy(t->sun.sun_path, v->local.path); /* CONF_SOCKET_MAX */
		t->n = 1;
		return t;
	}
	t->port = v->local.port;
	strcpy(t->name, v->local.host);
	if (addr_parse_ip(&t->addrs[0], t->name) == 0) {
		t->addrs[0].port = t->port;
		t->n = 1;
		return t;
	}
	t->named = true;
	look_up(t);
	return t;
}

void
locals_number(struct target *t, uint16_t service)
{
	t->number = service;
}

void
locals_forget(struct target *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->nwaiting; i++)
		refuse(t, t->waiting[i].number, ECONNREFUSED);
	secure_forget(t->parent, &t->pending);
	lookup_cancel(t->lookup);
	free(t->waiting);
	free(t);
}

/* The name is not known yet: later. */
static void
wait(struct target *t, const struct request *q)
{
	struct request *more;

	look_up(t);
	if (t->lookup == NULL || t->nwaiting == LOCALS_WAITING ||
	    (more = realloc(t->waiting, (t->nwaiting + 1) * sizeof(*more))) ==
		NULL) {
		refuse(t, q->number, EHOSTUNREACH);
		return;
	}
	t->waiting = more;
	more[t->nwaiting++] = *q;
}

/*
 * The request, and in *index the service and in *port the public port that it
 * is for. -1: malformed.
 */
static int
get_request(
    struct request *q, uint16_t *index, uint16_t *port, const struct msg *m)
{
	const char *header;
	uint8_t raw = 0;
	struct buf b;
	size_t n = 0;

	memset(q, 0, sizeof(*q));
	q->number = m->id;
	buf_read(&b, m->p, m->n);
	buf_get_u16(&b, index);
	buf_get_u8(&b, &q->attempt);
	buf_get_u16(&b, port);
	buf_get_u8(&b, &raw);
	if (buf_get_str8(&b, &header, &n) == -1 || !buf_done(&b) ||
	    n > sizeof(q->header.p))
		return -1;
	q->raw = raw != 0;
	q->header.n = n;
	memcpy(q->header.p, header, n);
	return 0;
}

/* How far a public port lies in the range that the service asks for. */
static uint16_t
offset_of(const struct client_service *v, uint16_t port)
{
	if (v->port == 0 || port < v->port || port > v->port_last)
		return 0;
	return (uint16_t)(port - v->port);
}

int
locals_on_dial(void *child, const struct msg *m)
{
	struct parent *p = child_parent(child);
	struct entry *e;
	uint8_t payload[4];
	uint16_t index = 0, port = 0;
	struct request q;
	struct buf b;

	if (get_request(&q, &index, &port, m) == -1)
		return -1;
	if ((e = catalog_find(p->catalog, index)) == NULL) {
		/* It was removed while this was on its way. */
		buf_write(&b, payload, sizeof(payload));
		buf_put_u32(&b, ECONNREFUSED);
		child_send(p->engine, MSG_DIAL_NO, m->id, payload, 4);
		return 0;
	}
	q.offset = offset_of(e->conf, port);
	if (e->target->n == 0)
		wait(e->target, &q);
	else
		dial(e->target, &q);
	return 0;
}
