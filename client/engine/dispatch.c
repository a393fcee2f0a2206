/* What the parent may send an engine. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/engine/engine.h"
#include "client/engine/line.h"
#include "client/engine/local.h"
#include "client/engine/pool.h"
#include "client/engine/rules.h"
#include "client/engine/report.h"
#include "common/base/buf.h"
#include "common/ipc/serve.h"

static int
on_ping(void *arg, const struct msg *m)
{
	struct engine *e = arg;

	(void)m;
	chan_send(e->chan, MSG_PONG, 0, NULL, 0, -1);
	return 0;
}

static int
on_conf(void *arg, const struct msg *m)
{
	struct engine *e = arg;
	uint8_t kind = 0;
	struct buf b;

	buf_read(&b, m->p, m->n);
	buf_get_u8(&b, &kind);
	switch (kind) {
	case ENGINE_CONF_POOL:
		return engine_conf_get_pool(&b, &e->conf);
	case ENGINE_CONF_SERVICE:
		return rules_set(e, &b);
	case ENGINE_CONF_GONE:
		return rules_drop(e, &b);
	default:
		return -1;
	}
}

static int
on_offer(void *arg, const struct msg *m)
{
	struct engine *e = arg;
	uint8_t *copy;

	if ((copy = malloc(m->n)) == NULL)
		return 0; /* the old one stands; the parent repeats it */
	memcpy(copy, m->p, m->n);
	free(e->offer);
	e->offer = copy;
	e->offer_n = m->n;
	pool_offer(e);
	return 0;
}

static int
on_link(void *arg, const struct msg *m)
{
	static const uint8_t lost[] = { END_NOFILE, 0 };
	struct engine *e = arg;

	if (m->p[0] != PREFACE_SESSION && m->p[0] != PREFACE_TICKET)
		return -1;
	if (m->fd == -1)
		chan_send(e->chan, MSG_LINK_END, m->id, lost, sizeof(lost), -1);
	else if (m->p[0] == PREFACE_SESSION)
		line_new(e, m->id, m->fd);
	else
		line_new_ticket(e, m->id, m->fd);
	return 0;
}

static int
on_hs_out(void *arg, const struct msg *m)
{
	struct engine *e = arg;
	struct line *l = idmap_get(&e->lines, m->id);

	if (l != NULL)
		line_blob(l, m->p, m->n);
	return 0;
}

static int
on_hs_keys(void *arg, const struct msg *m)
{
	struct engine *e = arg;
	struct line *l = idmap_get(&e->lines, m->id);

	if (l != NULL)
		line_keys(l, m->p[0], m->p + 1, m->p + 33, m->p + 65);
	return 0;
}

static int
on_hs_fail(void *arg, const struct msg *m)
{
	struct engine *e = arg;
	struct line *l = idmap_get(&e->lines, m->id);

	if (l != NULL)
		line_drop(l);
	return 0;
}

static int
on_dialed(void *arg, const struct msg *m)
{
	local_dialed(arg, m->id, m->fd);
	return 0;
}

static int
on_dial_no(void *arg, const struct msg *m)
{
	uint32_t err = 0;
	struct buf b;

	buf_read(&b, m->p, m->n);
	buf_get_u32(&b, &err);
	local_refused(arg, m->id, (int)err);
	return 0;
}

static int
on_drain(void *arg, const struct msg *m)
{
	struct engine *e = arg;
	struct line *l;
	size_t at = 0;

	(void)m;
	if (e->stopping)
		return 0;
	e->stopping = true;
	for (struct pool *p = e->pools, *next; p != NULL; p = next) {
		next = p->next;
		pool_goaway(p, GOAWAY_STOP);
	}
	/* Handshakes that are under way come to nothing. */
	while ((l = idmap_next(&e->lines, &at)) != NULL) {
		if (l->state != LINE_UP)
			line_drop(l);
	}
	engine_settle(e);
	return 0;
}

static int
on_leave(void *arg, const struct msg *m)
{
	(void)arg;
	(void)m;
	_exit(0); /* what is open is reset */
}

static int
on_show(void *arg, const struct msg *m)
{
	report_rows(arg, m->id, m->p[0]);
	return 0;
}

const chan_handler engine_handlers[MSG_TYPES] = {
	[MSG_LEVEL] = serve_level,
	[MSG_PING] = on_ping,
	[MSG_DRAIN] = on_drain,
	[MSG_EXIT] = on_leave,
	[MSG_ENGINE_CONF] = on_conf,
	[MSG_OFFER] = on_offer,
	[MSG_LINK] = on_link,
	[MSG_HS_OUT] = on_hs_out,
	[MSG_HS_KEYS] = on_hs_keys,
	[MSG_HS_FAIL] = on_hs_fail,
	[MSG_DIALED] = on_dialed,
	[MSG_DIAL_NO] = on_dial_no,
	[MSG_SHOW] = on_show,
};
