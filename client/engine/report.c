/* What an engine tells about its tunnels and streams. */
#include "client/engine/report.h"

#include "client/engine/flow.h"
#include "client/engine/local.h"
#include "client/engine/pool.h"
#include "common/crypto/record.h"
#include "common/ipc/ctl.h"

struct request {
	struct engine *engine;
	uint32_t number;
};

static void
send_row(const struct request *r, struct ctl_row *row)
{
	size_t n;
	const uint8_t *p = ctl_row_end(row, &n);

	if (p != NULL)
		chan_send(r->engine->chan, MSG_ROW, r->number, p, n, -1);
}

static void
line_row(const struct request *r, const struct pool *p, const struct line *l)
{
	struct ctl_row row;

	ctl_row_begin(&row);
	ctl_row_num(&row, "conn", l->conn);
	ctl_row_num(&row, "session", p->conn);
	ctl_row_str(
	    &row, "state", l->leaving || p->draining ? "draining" : "up");
	ctl_row_num(&row, "streams", tunnel_streams(l->tunnel));
	ctl_row_num(&row, "rtt_us", tunnel_rtt_us(l->tunnel));
	ctl_row_str(
	    &row, "cipher", record_cipher_name((enum record_cipher)p->cipher));
	send_row(r, &row);
}

/* The connection that a tunnel is, by the parent's number. */
static uint32_t
conn_of(const struct engine *e, const struct tunnel *t)
{
	for (const struct pool *p = e->pools; p != NULL; p = p->next)
		for (const struct line *l = p->lines; l != NULL; l = l->next)
			if (l->tunnel == t)
				return l->conn;
	return 0;
}

static void
stream_row(void *arg, const struct local_info *i)
{
	const struct request *r = arg;
	struct ctl_row row;

	ctl_row_begin(&row);
	ctl_row_num(&row, "conn", conn_of(r->engine, i->tunnel));
	ctl_row_num(&row, "stream", i->id);
	ctl_row_str(&row, "service", i->label);
	ctl_row_str(&row, "state", i->connected ? "up" : "connecting");
	ctl_row_num(&row, "up", i->up);
	ctl_row_num(&row, "down", i->down);
	ctl_row_num(&row, "dropped", i->dropped);
	send_row(r, &row);
}

void
report_rows(struct engine *e, uint32_t request, uint8_t what)
{
	struct request r = { e, request };

	if (what == SHOW_STREAMS) {
		local_each(e, stream_row, &r);
		flow_each(e, stream_row, &r);
	}
	for (struct pool *p = e->pools; p != NULL && what == SHOW_TUNNELS;
	    p = p->next)
		for (struct line *l = p->lines; l != NULL; l = l->next)
			if (l->tunnel != NULL)
				line_row(&r, p, l);
	chan_send(e->chan, MSG_ROW, request, NULL, 0, -1);
}
