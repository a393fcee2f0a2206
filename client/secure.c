/* Connections to https:// services. */
#include "client/secure.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/attach.h"
#include "client/catalog.h"
#include "client/child.h"
#include "client/conf.h"
#include "client/parent.h"
#include "client/reach.h"
#include "client/tls_conf.h"
#include "common/base/buf.h"
#include "common/base/log.h"

struct secure {
	struct parent *parent;
	struct secure_list *list;
	struct secure *next, **prev;
	struct reach *reach;
	uint16_t service;
	uint32_t number;
	struct secure_header header;
};

/* Where systems keep the certificates that they trust. */
static const char *const bundles[] = { "/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
	"/etc/ssl/cert.pem" };

static void
boot(struct child *c)
{
	struct parent *p = child_parent(c);
	const struct entry *e;

	if (p->tls == NULL) /* the first: its service tells it by itself */
		return;
	TAILQ_FOREACH(e, &p->catalog->entries, link)
	{
		if (e->conf->local.scheme == LOCAL_HTTPS)
			secure_configure(p, e->index, e->conf);
	}
}

static void
ready(struct child *c)
{
	attach_start(child_parent(c)->attach);
}

/* Its connections end by themselves: the engine sees that they do. */
static void
gone(struct child *c)
{
	(void)c;
}

static const chan_handler handlers[MSG_TYPES] = { CHILD_HANDLERS };

static const struct child_ops ops = { handlers, boot, ready, gone };

/* The certificates to trust, or -1 after a log line. */
static int
open_ca(const struct client_service *v)
{
	int fd = -1;

	if (v->tls_ca != NULL) {
		fd = open(v->tls_ca, O_RDONLY | O_CLOEXEC);
		if (fd == -1)
			log_error("%s: tls_ca: %s: %s", v->local_text,
			    v->tls_ca, strerror(errno));
		return fd;
	}
	for (size_t i = 0; fd == -1 && i < sizeof(bundles) / sizeof(bundles[0]);
	    i++)
		fd = open(bundles[i], O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		log_error("%s: this system has no list of certificates to "
			  "trust; give tls_ca",
		    v->local_text);
	return fd;
}

/* Nobody can come between us and loopback who is not here already. */
static bool
is_loopback(const char *host)
{
	struct addr a;

	return addr_parse_ip(&a, host) == 0 ? addr_is_loopback(&a)
					    : strcmp(host, "localhost") == 0;
}

void
secure_configure(
    struct parent *p, uint16_t service, const struct client_service *v)
{
	struct tls_conf conf = { .service = service,
		.verify = !v->tls_insecure &&
		    (v->tls_ca != NULL || !is_loopback(v->local.host)) };
	uint8_t payload[512];
	struct buf b;

	if (p->tls == NULL)
		p->tls = child_new(p, ROLE_LOCAL_TLS, "ptp-tls", &ops);
	if (p->tls == NULL) {
		parent_exit(p, 2);
		return;
	}
	snprintf(conf.name, sizeof(conf.name), "%s",
	    v->tls_name != NULL ? v->tls_name : v->local.host);
	buf_write(&b, payload, sizeof(payload));
	tls_conf_put(&b, &conf);
	child_send_fd(p->tls, MSG_TLS_CONF, 0, payload, buf_used(&b),
	    conf.verify ? open_ca(v) : -1);
}

static void
refuse(struct parent *p, uint32_t number, int err)
{
	uint8_t payload[4];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	buf_put_u32(&b, (uint32_t)err);
	child_send(p->engine, MSG_DIAL_NO, number, payload, sizeof(payload));
}

static void
unlink_secure(struct secure *s)
{
	s->list->count--;
	*s->prev = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	free(s);
}

/* Connected: one end of a new pair to `tls`, the other to the engine. */
static void
pass(struct parent *p, uint16_t service, uint32_t number, int fd)
{
	uint8_t payload[2];
	struct buf b;
	int pair[2];

	if (!child_is_ready(p->tls) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		pair) == -1) {
		refuse(p, number, child_is_ready(p->tls) ? errno : EAGAIN);
		close(fd);
		return;
	}
	buf_write(&b, payload, sizeof(payload));
	buf_put_u16(&b, service);
	child_send_fd(
	    p->tls, MSG_TLS_CONN, number, payload, sizeof(payload), fd);
	child_send_fd(p->tls, MSG_TLS_PLAIN, number, NULL, 0, pair[0]);
	child_send_fd(p->engine, MSG_DIALED, number, NULL, 0, pair[1]);
}

/* A fresh socket takes that much. */
static int
greet(int fd, const struct secure_header *h)
{
	ssize_t n = 0;

	if (h->n > 0)
		n = send(fd, h->p, h->n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n == (ssize_t)h->n ? 0 : -1;
}

static void
on_reached(void *arg, int fd, const struct addr *to, const char *why)
{
	struct secure *s = arg;
	struct secure_header header = s->header;
	struct parent *p = s->parent;
	uint16_t service = s->service;
	uint32_t number = s->number;
	int err = errno;

	(void)to;
	(void)why;
	unlink_secure(s);
	if (fd == -1) {
		refuse(p, number, err);
	} else if (greet(fd, &header) == -1) {
		refuse(p, number, errno);
		close(fd);
	} else {
		pass(p, service, number, fd);
	}
}

void
secure_dial(struct parent *p, struct secure_list *list, uint16_t service,
    const struct addr *addrs, size_t n, uint32_t number,
    const struct secure_header *header)
{
	struct secure *s;

	if (list->count >= SECURE_PENDING ||
	    (s = calloc(1, sizeof(*s))) == NULL) {
		refuse(p, number, ENOBUFS);
		return;
	}
	s->reach =
	    reach_start_list(p, addrs, n, SECURE_TIMEOUT_MS, on_reached, s);
	if (s->reach == NULL) {
		free(s);
		refuse(p, number, ENOMEM);
		return;
	}
	s->parent = p;
	s->list = list;
	list->count++;
	s->service = service;
	s->number = number;
	s->header = *header;
	s->next = list->first;
	s->prev = &list->first;
	if (s->next != NULL)
		s->next->prev = &s->next;
	list->first = s;
}

void
secure_forget(struct parent *p, struct secure_list *list)
{
	while (list->first != NULL) {
		reach_cancel(list->first->reach);
		refuse(p, list->first->number, ECONNREFUSED);
		unlink_secure(list->first);
	}
}
