/* One end of a socketpair to another relay. */
#include "worker/relay/pair.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

#include "worker/relay/upstream.h"
#include "worker/relay/user.h"

/*
 * The pair has ended. Its end is clean if the other relay has only shut it
 * for writing, or if we have: nobody closes before both have.
 */
static void
ended(struct upstream *up)
{
	if (!up->pair->fin_sent && relay_hung_up(up->pair->fd))
		upstream_reset(up, RESET_ABORT);
	else
		upstream_fin(up);
}

static bool
may_read(const struct upstream *up)
{
	return up->user->state == USER_OPEN &&
	    outq_left(&up->user->out) < PAIR_QUEUE;
}

/*
 * Read from the pair while the user takes it; the kernel holds the rest. With
 * edges only, who stops before EAGAIN has to come back: upstream_sent() does,
 * or the next turn.
 */
void
pair_read(struct upstream *up)
{
	uint8_t space[16384];
	struct iovec iov = { space, 0 };
	size_t got = 0;
	ssize_t n;

	up->pair->paused = false;
	while (up->pair != NULL && !up->fin) {
		if (!may_read(up)) {
			up->pair->paused = true;
			return;
		}
		if (got >= TURN_READ) {
			turn_next(up->user->relay->turn, &up->pair->again);
			return;
		}
		n = read(up->pair->fd, space, sizeof(space));
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n == -1) {
			upstream_reset(up, RESET_ABORT);
			return;
		}
		if (n == 0) {
			ended(up);
			return;
		}
		got += (size_t)n;
		iov.iov_len = (size_t)n;
		upstream_data(up, &iov, 1, (size_t)n);
	}
}

static void
on_again(void *arg)
{
	pair_read(arg);
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct upstream *up = arg;
	struct pair *pe = up->pair;

	if (what & EV_WRITE) {
		bool waited = outq_left(&pe->out) > 0;

		if (outq_flush(&pe->out, fd) == -1) {
			upstream_reset(up, RESET_ABORT);
			return;
		}
		if (waited && outq_left(&pe->out) == 0) {
			if (pe->fin_sent)
				shutdown(fd, SHUT_WR);
			upstream_room_again(up);
		}
	}
	if ((what & (EV_READ | EV_CLOSED)) && up->pair != NULL)
		pair_read(up);
}

struct pair *
pair_new(struct upstream *up, int fd)
{
	struct pair *p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		goto err0;
	p->fd = fd;
	turn_item_init(&p->again, on_again, up);
	p->ev = event_new(up->user->relay->base, fd,
	    EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, on_event, up);
	if (p->ev == NULL || event_add(p->ev, NULL) == -1)
		goto err1;
	return p;

err1:
	if (p->ev != NULL)
		event_free(p->ev);
	free(p);
err0:
	close(fd);
	return NULL;
}

void
pair_free(struct pair *p)
{
	if (p == NULL)
		return;
	turn_cancel(&p->again);
	event_free(p->ev);
	close(p->fd);
	outq_free(&p->out);
	free(p);
}

size_t
pair_write(struct pair *p, const void *data, size_t n)
{
	struct iovec iov = { (void *)(uintptr_t)data, n };
	size_t waits = outq_left(&p->out);

	if (waits >= PAIR_QUEUE)
		return 0;
	if (n > PAIR_QUEUE - waits)
		iov.iov_len = PAIR_QUEUE - waits;
	/* A broken pair shows at its event too; bytes then go nowhere. */
	if (outq_send(&p->out, p->fd, &iov, 1) == -1)
		shutdown(p->fd, SHUT_RDWR);
	return iov.iov_len;
}

void
pair_shut(struct pair *p)
{
	if (p->fin_sent)
		return;
	p->fin_sent = true;
	if (outq_left(&p->out) == 0)
		shutdown(p->fd, SHUT_WR);
}
