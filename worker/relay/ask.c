/* Where does a host belong? Users ask the master, so many at a time. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "worker/relay/session.h"
#include "worker/relay/upstream.h"
#include "worker/relay/user.h"

/* Not asked after all: refuse what it was asked for. */
static void
unasked(struct user *u)
{
	u->wait = WAIT_ROOM;
	u->bad = 503;
	user_resume(u);
}

/* Send the question, or queue for it: at most RELAY_ASKS_MAX at a time. */
static void
send_question(struct user *u)
{
	struct relay *r = u->relay;
	uint8_t payload[256];
	struct buf b;

	if (r->asks >= RELAY_ASKS_MAX) {
		u->wait = WAIT_QUEUE;
		u->asking->next = NULL;
		*r->ask_tail = u;
		r->ask_tail = &u->asking->next;
		return;
	}
	buf_write(&b, payload, sizeof(payload));
	if (buf_put_cstr8(&b, u->asking->name) == -1 ||
	    chan_send(r->chan, MSG_ASK, u->conn.id, payload, buf_used(&b),
		-1) == -1) {
		unasked(u);
		return;
	}
	u->wait = WAIT_ASK;
	r->asks++;
}

/* There is one question less: let whoever waits to ask do so. */
static void
next_question(struct relay *r)
{
	struct user *next;

	r->asks--;
	while (r->asks < RELAY_ASKS_MAX && (next = r->ask_queue) != NULL) {
		r->ask_queue = next->asking->next;
		if (r->ask_queue == NULL)
			r->ask_tail = &r->ask_queue;
		send_question(next);
	}
}

void
user_ask(struct user *u, const char *name)
{
	size_t size = strlen(name) + 1;

	free(u->asking);
	u->asking = malloc(offsetof(struct user_question, name) + size);
	if (u->asking == NULL) {
		u->bad = 503;
		return;
	}
	memcpy(u->asking->name, name, size);
	send_question(u);
}

static void
leave_queue(struct user *u)
{
	struct relay *r = u->relay;
	struct user **at = &r->ask_queue;

	while (*at != u)
		at = &(*at)->asking->next;
	*at = u->asking->next;
	if (*at == NULL)
		r->ask_tail = at;
}

void
user_ask_stop(struct user *u)
{
	uint8_t wait = u->wait;

	if (wait == WAIT_QUEUE)
		leave_queue(u);
	free(u->asking);
	u->asking = NULL;
	if (wait != WAIT_ASK && wait != WAIT_QUEUE)
		return;
	u->wait = WAIT_ROOM;
	if (wait == WAIT_ASK)
		next_question(u->relay);
}

void
user_ask_same(struct user *u, uint64_t generation, uint16_t service)
{
	struct session *s = session_find(u->relay, generation);

	if (u->wait != WAIT_ASK)
		return;
	/* A session that has gone meanwhile: the master is asked again. */
	if (s != NULL)
		request_routed(u, s, service, -1);
	user_ask_stop(u);
	user_resume(u);
}

void
user_ask_fd(struct user *u, int fd)
{
	if (u->wait != WAIT_ASK) {
		close(fd);
		return;
	}
	request_routed(u, NULL, 0, fd);
	user_ask_stop(u);
	user_resume(u);
}

void
user_ask_no(struct user *u, uint16_t status)
{
	if (u->wait != WAIT_ASK)
		return;
	u->bad = status >= 400 && status < 600 ? status : 503;
	user_ask_stop(u);
	user_resume(u);
}

void
user_bar(struct user *u, bool barred)
{
	if (barred && u->bad == 0)
		u->bad = 403;
	else if (!barred && u->bad == 403)
		u->bad = 0;
}
