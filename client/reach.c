/* A connection to a host. */
#include "client/reach.h"

#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/lookup.h"
#include "client/parent.h"
#include "common/base/clock.h"
#include "common/net/dial.h"

struct reach {
	struct parent *parent;
	struct lookup *lookup;
	struct addr list[LOOKUP_MAX];
	size_t n, i; /* addresses, and which is being tried */
	int fd;
	struct event *ev; /* of fd; else the timer alone */
	uint64_t until;
	reach_fn fn;
	void *arg;
	int err; /* how the last of them failed */
	char why[192];
};

static void try_next(struct reach *r);

void
reach_cancel(struct reach *r)
{
	if (r == NULL)
		return;
	lookup_cancel(r->lookup);
	if (r->ev != NULL)
		event_free(r->ev);
	if (r->fd != -1)
		close(r->fd);
	free(r);
}

/* The end of it. */
static void
conclude(struct reach *r, int fd)
{
	reach_fn fn = r->fn;
	void *arg = r->arg;
	struct addr to = r->i < r->n ? r->list[r->i] : (struct addr){ 0 };
	char why[sizeof(r->why)];
	int err = r->err;

	memcpy(why, r->why, sizeof(why));
	r->fd = -1; /* fn's now */
	reach_cancel(r);
	errno = err;
	fn(arg, fd, &to, why);
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct reach *r = arg;

	if ((what & EV_TIMEOUT) == 0 && dial_result(fd) == 0) {
		conclude(r, fd);
		return;
	}
	r->err = what & EV_TIMEOUT ? ETIMEDOUT : errno;
	snprintf(r->why, sizeof(r->why), "%s", strerror(r->err));
	event_free(r->ev);
	r->ev = NULL;
	close(fd);
	r->fd = -1;
	r->i++;
	try_next(r);
}

/* Begin to connect to the address whose turn it is. */
static int
try_address(struct reach *r)
{
	uint64_t now = clock_ms(), ms = r->until > now ? r->until - now : 0;
	struct sockaddr_storage ss;
	struct timeval tv;
	socklen_t len;

	if (r->i + 1 < r->n && ms > REACH_NEXT_MS)
		ms = REACH_NEXT_MS;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	len = addr_to_sockaddr(&ss, &r->list[r->i]);
	if ((r->fd = dial_start((struct sockaddr *)&ss, len)) == -1)
		return -1;
	r->ev = event_new(r->parent->base, r->fd, EV_WRITE, on_event, r);
	if (r->ev != NULL && event_add(r->ev, &tv) == 0)
		return 0;
	close(r->fd);
	r->fd = -1;
	return -1;
}

static void
try_next(struct reach *r)
{
	for (; r->i < r->n; r->i++) {
		if (try_address(r) == 0)
			return;
		r->err = errno;
		snprintf(r->why, sizeof(r->why), "%s", strerror(r->err));
	}
	conclude(r, -1);
}

static void
on_found(void *arg, const struct addr *list, size_t n, const char *why)
{
	struct reach *r = arg;

	r->lookup = NULL;
	event_free(r->ev);
	r->ev = NULL;
	memcpy(r->list, list, n * sizeof(*list));
	r->n = n;
	r->err = EHOSTUNREACH;
	if (n == 0)
		snprintf(r->why, sizeof(r->why), "%s", why);
	try_next(r);
}

/* The name took too long; or, with an address, the first turn has come. */
static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct reach *r = arg;

	(void)fd;
	(void)what;
	event_free(r->ev);
	r->ev = NULL;
	if (r->n == 0)
		snprintf(r->why, sizeof(r->why),
		    "looking up its name took too long");
	try_next(r);
}

static struct reach *
make(struct parent *p, uint64_t timeout, uint64_t wait, reach_fn fn, void *arg)
{
	struct timeval tv = { (time_t)(wait / 1000),
		(suseconds_t)(wait % 1000 * 1000) };
	struct reach *r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return NULL;
	r->parent = p;
	r->fd = -1;
	r->until = clock_ms() + timeout;
	r->fn = fn;
	r->arg = arg;
	r->ev = evtimer_new(p->base, on_timer, r);
	if (r->ev != NULL && evtimer_add(r->ev, &tv) == 0)
		return r;
	reach_cancel(r);
	return NULL;
}

struct reach *
reach_start_list(struct parent *p, const struct addr *list, size_t n,
    uint64_t timeout, reach_fn fn, void *arg)
{
	struct reach *r;

	if (n > LOOKUP_MAX || (r = make(p, timeout, 0, fn, arg)) == NULL)
		return NULL;
	memcpy(r->list, list, n * sizeof(*list));
	r->n = n;
	return r;
}

struct reach *
reach_start(struct parent *p, const char *host, uint16_t port, uint64_t timeout,
    reach_fn fn, void *arg)
{
	struct reach *r;
	struct addr a;

	if (addr_parse_ip(&a, host) == 0) {
		a.port = port;
		return reach_start_list(p, &a, 1, timeout, fn, arg);
	}
	if ((r = make(p, timeout, timeout, fn, arg)) == NULL)
		return NULL;
	r->lookup = lookup_start(p, host, port, on_found, r);
	if (r->lookup != NULL)
		return r;
	reach_cancel(r);
	return NULL;
}
