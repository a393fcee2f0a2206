/* Who holds a connection, and who it belongs to. */
#include "master/hold.h"

#include "master/limits.h"

void
hold_by(struct conn *c, struct worker *w)
{
	if (c->worker != NULL)
		c->worker->conns--;
	c->worker = w;
	if (w != NULL)
		w->conns++;
}

void
hold_session(struct conn *c, struct session *s)
{
	struct session *old = c->session;

	if (s != NULL)
		sessions_ref(s);
	c->session = s;
	if (old != NULL)
		sessions_unref(old);
}

void
hold_drop(struct master *m, struct conn *c)
{
	hold_by(c, NULL);
	hold_session(c, NULL);
	limits_leave(m, c);
	conns_remove(m->conns, c);
}
