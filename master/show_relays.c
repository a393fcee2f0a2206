/* The figures that only relays know. */
#include "master/show_relays.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "master/clients.h"
#include "master/conns.h"
#include "master/sessions.h"
#include "master/workers.h"

/* One question to all relays. */
struct asking {
	struct master *master;
	uint32_t number;
	enum msg_show what;
	struct ctl_call *call;
	unsigned waiting; /* relays that have not ended their answer */
	struct event *timer;
	LIST_ENTRY(asking) link;
};

LIST_HEAD(asking_list, asking);

struct askings {
	struct asking_list all;
	unsigned count;
	uint32_t number; /* of the last */
};

static void
drop(struct asking *a)
{
	LIST_REMOVE(a, link);
	a->master->askings->count--;
	event_free(a->timer);
	free(a);
}

static void
finish(struct asking *a)
{
	ctl_ok(a->call);
	drop(a);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish(arg);
}

static void
ask(void *arg, struct worker *w)
{
	struct asking *a = arg;
	uint8_t what = (uint8_t)a->what;

	if (w->role != ROLE_RELAY || w->inherited || w->state == WORKER_BOOTING)
		return;
	w->shows++;
	a->waiting++;
	worker_send(w, MSG_SHOW, a->number, &what, 1);
}

void
show_relays(struct master *m, struct ctl_call *call, enum msg_show what)
{
	struct timeval tv = { SHOW_RELAYS_MS / 1000, 0 };
	struct asking *a;

	if (m->askings == NULL &&
	    (m->askings = calloc(1, sizeof(*m->askings))) == NULL) {
		ctl_fail(call, "no memory");
		return;
	}
	if (m->askings->count >= SHOW_RELAYS_MAX ||
	    (a = calloc(1, sizeof(*a))) == NULL) {
		ctl_fail(call, "too many ask at a time");
		return;
	}
	if ((a->timer = evtimer_new(m->base, on_late, a)) == NULL) {
		free(a);
		ctl_fail(call, "no memory");
		return;
	}
	a->master = m;
	a->number = ++m->askings->number;
	a->what = what;
	a->call = call;
	LIST_INSERT_HEAD(&m->askings->all, a, link);
	m->askings->count++;
	workers_each(m->workers, ask, a);
	evtimer_add(a->timer, &tv);
	if (a->waiting == 0)
		finish(a);
}

void
show_relays_free(struct master *m)
{
	struct asking *a;

	if (m->askings == NULL)
		return;
	while ((a = LIST_FIRST(&m->askings->all)) != NULL)
		drop(a);
	free(m->askings);
	m->askings = NULL;
}

static struct asking *
find(struct master *m, uint32_t number)
{
	struct asking *a;

	if (m->askings == NULL)
		return NULL;
	LIST_FOREACH(a, &m->askings->all, link)
	{
		if (a->number == number)
			return a;
	}
	return NULL;
}

static bool
is_named(const struct ctl_field *f, const char *name)
{
	return f->namelen == strlen(name) &&
	    memcmp(f->name, name, f->namelen) == 0;
}

/* The connection that a row is about, if it is the relay's. */
static struct conn *
find_conn(struct worker *w, const struct msg *msg)
{
	struct conn *c = NULL;
	struct ctl_field f;
	char digits[24];
	struct buf b;

	buf_read(&b, msg->p, msg->n);
	while (ctl_row_next(&b, &f) == 1) {
		if (!is_named(&f, "conn") || f.len >= sizeof(digits))
			continue;
		memcpy(digits, f.value, f.len);
		digits[f.len] = '\0';
		c = conns_find(
		    w->master->conns, (uint32_t)strtoul(digits, NULL, 10));
	}
	return c != NULL && c->worker == w ? c : NULL;
}

/* What the relay alone knows: figures, the cipher, the host asked for last. */
static void
add_fields(struct ctl_row *row, const struct msg *msg)
{
	static const char *const figures[] = { "streams", "rtt_us", "up",
		"down", "requests", "dropped" };
	static const char *const words[] = { "cipher", "name" };
	char text[TEXT_ESCAPED];
	struct ctl_field f;
	struct buf b;

	buf_read(&b, msg->p, msg->n);
	while (ctl_row_next(&b, &f) == 1) {
		for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]);
		    i++) {
			if (f.kind == CTL_NUMBER && is_named(&f, figures[i]))
				ctl_row_num(row, figures[i],
				    strtoull(text_escape(text, f.value, f.len),
					NULL, 10));
		}
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			if (f.kind == CTL_STRING && is_named(&f, words[i]))
				ctl_row_str(row, words[i],
				    text_escape(text, f.value, f.len));
		}
	}
}

/* Who and where comes from our table, never from the relay. */
static void
answer(struct asking *a, struct worker *w, const struct conn *c,
    const struct msg *msg)
{
	const struct client *client = c->client;
	char peer[ADDR_TEXT];
	struct ctl_row row;

	if ((a->what == SHOW_TUNNELS) != (c->state == CONN_TUNNEL))
		return;
	if (client == NULL && c->session != NULL)
		client = c->session->client;
	ctl_row_begin(&row);
	ctl_row_num(&row, "conn", c->id);
	ctl_row_str(&row, "client", client != NULL ? client->id : NULL);
	ctl_row_str(&row, "peer", addr_format(peer, &c->who.peer));
	if (a->what == SHOW_TUNNELS)
		ctl_row_str(&row, "transport", "tcp");
	ctl_row_num(&row, "relay", (uint64_t)w->pid);
	ctl_row_num(&row, "seconds", (clock_ms() - c->since) / 1000);
	add_fields(&row, msg);
	ctl_row(a->call, &row);
}

/* The value of a field; -1: the row has none of that name. */
static int
find_field(const struct msg *msg, const char *name, struct ctl_field *f)
{
	struct buf b;

	buf_read(&b, msg->p, msg->n);
	while (ctl_row_next(&b, f) == 1) {
		if (is_named(f, name))
			return 0;
	}
	return -1;
}

/* Of a session that the relay has; NULL: it says something else. */
static struct session *
find_session(struct worker *w, const struct msg *msg)
{
	struct session *s;
	struct ctl_field f;
	char digits[24];

	if (find_field(msg, "session", &f) == -1 || f.len >= sizeof(digits))
		return NULL;
	memcpy(digits, f.value, f.len);
	digits[f.len] = '\0';
	s = sessions_find(w->master->sessions, strtoull(digits, NULL, 10));
	return s != NULL && s->relay == w ? s : NULL;
}

/*
 * A flow of datagrams, of which we have no record: where it comes from is the
 * relay's word.
 */
static void
answer_flow(struct asking *a, struct worker *w, const struct session *s,
    const struct msg *msg)
{
	char peer[TEXT_ESCAPED] = "", seconds[TEXT_ESCAPED] = "";
	struct ctl_field f;
	struct ctl_row row;

	if (find_field(msg, "peer", &f) == 0)
		text_escape(peer, f.value, f.len);
	if (find_field(msg, "seconds", &f) == 0)
		text_escape(seconds, f.value, f.len);
	ctl_row_begin(&row);
	ctl_row_num(&row, "conn", 0);
	ctl_row_str(&row, "client", s->client->id);
	ctl_row_str(&row, "peer", peer);
	ctl_row_num(&row, "relay", (uint64_t)w->pid);
	ctl_row_num(&row, "seconds", strtoull(seconds, NULL, 10));
	add_fields(&row, msg);
	ctl_row(a->call, &row);
}

int
show_on_row(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct asking *a = find(w->master, msg->id);
	struct session *s;
	struct conn *c;

	if (w->shows == 0 || !ctl_row_ok(msg->p, msg->n))
		return -1;
	if (msg->n == 0) {
		w->shows--;
		if (a != NULL && --a->waiting == 0)
			finish(a);
		return 0;
	}
	if (a != NULL && (c = find_conn(w, msg)) != NULL)
		answer(a, w, c, msg);
	else if (a != NULL && (s = find_session(w, msg)) != NULL &&
	    a->what == SHOW_STREAMS)
		answer_flow(a, w, s, msg);
	return 0;
}
