/* A relay's question where another host belongs. */
#include <sys/socket.h>

#include <unistd.h>

#include "common/base/buf.h"
#include "master/hold.h"
#include "master/visit_impl.h"

static void
answer_no(struct worker *w, uint32_t id, uint16_t status)
{
	uint8_t payload[2] = { (uint8_t)(status >> 8), (uint8_t)status };

	worker_send(w, MSG_ASK_NO, id, payload, sizeof(payload));
}

static void
answer_same(struct worker *w, uint32_t id, const struct visit_finding *f)
{
	uint8_t payload[10];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	buf_put_u64(&b, f->session->generation);
	buf_put_u16(&b, f->service);
	worker_send(w, MSG_ASK_SAME, id, payload, sizeof(payload));
}

/* A new user, whose other end the relay that asked gets. */
static void
reroute(struct master *m, struct worker *w, struct conn *asker,
    const struct visit_finding *f, const char *name)
{
	struct conn *c;
	int fds[2];

	/* Who asks gets a descriptor too. */
	if (w->full || asker->reroutes >= VISIT_REROUTES ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		fds) == -1) {
		answer_no(w, asker->id, 503);
		return;
	}
	if ((c = conns_add(m->conns, fds[1], &asker->who)) == NULL ||
	    conn_set_name(c, name) == -1) {
		if (c != NULL)
			hold_drop(m, c);
		close(fds[0]);
		answer_no(w, asker->id, 503);
		return;
	}
	c->rerouted = true;
	c->parent = asker->id;
	asker->reroutes++;
	worker_send_fd(w, MSG_ASK_FD, asker->id, NULL, 0, fds[0]);
	visit_act(m, c, f);
}

/* Where it belongs: by the name asked for, or by its port, without a name. */
static int
find(struct master *m, struct visit_finding *f, const struct conn *c,
    char canonical[TEXT_NAME_MAX + 1], const char *name, size_t n)
{
	canonical[0] = '\0';
	if (visit_at_port(c)) {
		visit_find_for(m, f, c);
		return 0;
	}
	if (visit_name(canonical, c, name, n) == -1)
		return -1;
	visit_find(m, f, visit_table(c), canonical);
	return 0;
}

int
visit_on_ask(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct master *m = w->master;
	struct conn *c = conns_find(m->conns, msg->id);
	char canonical[TEXT_NAME_MAX + 1];
	struct visit_finding f;
	const char *name;
	struct buf b;
	size_t n;

	buf_read(&b, msg->p, msg->n);
	if (c == NULL || c->worker != w || c->state != CONN_USER ||
	    buf_get_str8(&b, &name, &n) == -1 || !buf_done(&b))
		return -1;
	if (find(m, &f, c, canonical, name, n) == -1)
		answer_no(w, c->id, 404);
	else if (f.status != 0)
		answer_no(w, c->id, f.status);
	else if (f.session != NULL && f.session->relay == w)
		answer_same(w, c->id, &f);
	else if (c->rerouted)
		answer_no(w, c->id, 421);
	else
		reroute(m, w, c, &f, canonical);
	return 0;
}
