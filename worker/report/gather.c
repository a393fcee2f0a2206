/* Questions to the master. */
#include "worker/report/gather.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <unistd.h>

static void ask(struct gather *g);

static void
stop_reading(struct gather *g)
{
	if (g->fd == -1)
		return;
	event_del(&g->readable);
	close(g->fd);
	g->fd = -1;
}

/* The answer to one is whole, or will not come. */
static void
next(struct gather *g, bool whole)
{
	stop_reading(g);
	if (!whole)
		g->answers.of[g->asks[g->at]].failed = true;
	g->at++;
	if (g->asks[g->at] != 0)
		ask(g);
	else
		g->done(g->arg);
}

/* Take one packet. 0: more to come; 1: the end; -1: failed. */
static int
take(struct gather *g, const uint8_t *p, size_t n)
{
	struct rows *rows = &g->answers.of[g->asks[g->at]];

	switch (p[0]) {
	case CTL_SHAPE:
		return 0;
	case CTL_ROW:
		rows_add(rows, p + 1, n - 1);
		return rows->failed ? -1 : 0;
	case CTL_DONE:
		return 1;
	default:
		return -1;
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	uint8_t packet[CTL_PACKET_MAX];
	struct gather *g = arg;
	ssize_t n;
	int end;

	(void)what;
	do {
		n = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		end = n <= 0 ? -1 : take(g, packet, (size_t)n);
	} while (end == 0);
	next(g, end == 1);
}

static void
ask(struct gather *g)
{
	serve_send(g->serve, MSG_QUERY, g->id, &g->asks[g->at], 1);
}

void
gather_begin(struct gather *g, struct gather_list *list, struct serve *serve,
    uint32_t id, const uint8_t *asks, void (*done)(void *arg), void *arg)
{
	g->serve = serve;
	g->id = id;
	g->asks = asks;
	g->fd = -1;
	g->done = done;
	g->arg = arg;
	LIST_INSERT_HEAD(list, g, link);
	ask(g);
}

void
gather_end(struct gather *g)
{
	if (g->serve == NULL)
		return;
	stop_reading(g);
	LIST_REMOVE(g, link);
	answers_free(&g->answers);
	memset(g, 0, sizeof(*g));
}

void
gather_answer(struct gather_list *list, uint32_t id, int fd)
{
	struct gather *g;

	LIST_FOREACH(g, list, link)
	{
		if (g->id != id || g->fd != -1)
			continue;
		if (fd == -1) {
			next(g, false);
			return;
		}
		g->fd = fd;
		event_assign(&g->readable, g->serve->base, fd,
		    EV_READ | EV_PERSIST, on_readable, g);
		event_add(&g->readable, NULL);
		return;
	}
	if (fd != -1)
		close(fd);
}
