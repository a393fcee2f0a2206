/* What a relay tells about its connections. */
#include "worker/relay/show.h"

#include "common/crypto/record.h"
#include "common/ipc/ctl.h"
#include "worker/relay/datagrams.h"
#include "worker/relay/session.h"
#include "worker/relay/upstream.h"
#include "worker/relay/user.h"

static void
send_row(struct relay *r, uint32_t request, struct ctl_row *row)
{
	size_t n;
	const uint8_t *p = ctl_row_end(row, &n);

	if (p != NULL)
		chan_send(r->chan, MSG_ROW, request, p, n, -1);
}

static void
user_row(struct relay *r, uint32_t request, const struct user *u)
{
	const struct upstream *up = u->current;
	char peer[ADDR_TEXT], local[ADDR_TEXT];
	struct ctl_row row;

	ctl_row_begin(&row);
	ctl_row_num(&row, "conn", u->conn.id);
	ctl_row_str(&row, "peer", addr_format(peer, &u->peer));
	ctl_row_str(&row, "client",
	    up != NULL && up->session != NULL ? up->session->id : NULL);
	/* Who comes by a port has called no name. */
	ctl_row_str(&row, "name",
	    up == NULL		      ? NULL
		: up->name[0] != '\0' ? up->name
				      : addr_format(local, &u->local));
	ctl_row_num(&row, "up", u->up);
	ctl_row_num(&row, "down", u->down);
	ctl_row_num(&row, "requests", u->nasked);
	ctl_row_num(&row, "dropped", 0);
	send_row(r, request, &row);
}

static void
link_row(struct relay *r, uint32_t request, const struct link *l)
{
	char peer[ADDR_TEXT];
	struct ctl_row row;

	ctl_row_begin(&row);
	ctl_row_num(&row, "conn", l->conn.id);
	ctl_row_str(&row, "client", l->session->id);
	ctl_row_str(&row, "peer", addr_format(peer, &l->peer));
	ctl_row_num(&row, "streams", tunnel_streams(l->tunnel));
	ctl_row_num(&row, "rtt_us", tunnel_rtt_us(l->tunnel));
	ctl_row_str(&row, "cipher",
	    record_cipher_name((enum record_cipher)l->session->cipher));
	send_row(r, request, &row);
}

/* Whom a flow's row is for. */
struct flow_rows {
	struct relay *relay;
	uint32_t request;
};

static void
flow_row(void *arg, const struct datagrams_info *i)
{
	const struct flow_rows *to = arg;
	char peer[ADDR_TEXT], local[ADDR_TEXT];
	struct ctl_row row;

	ctl_row_begin(&row);
	ctl_row_num(&row, "session", i->session->generation);
	ctl_row_str(&row, "peer", addr_format(peer, &i->peer));
	ctl_row_num(&row, "seconds", i->seconds);
	ctl_row_str(&row, "name", addr_format(local, &i->local));
	ctl_row_num(&row, "up", i->up);
	ctl_row_num(&row, "down", i->down);
	ctl_row_num(&row, "requests", 0);
	ctl_row_num(&row, "dropped", i->dropped);
	send_row(to->relay, to->request, &row);
}

void
show_rows(struct relay *r, uint32_t request, uint8_t what)
{
	struct conn *c;
	size_t at = 0;

	while ((c = idmap_next(&r->conns, &at)) != NULL) {
		if (what == SHOW_STREAMS && c->kind == CONN_USER)
			user_row(r, request, (struct user *)c);
		else if (what == SHOW_TUNNELS && c->kind == CONN_LINK)
			link_row(r, request, (struct link *)c);
	}
	if (what == SHOW_STREAMS)
		datagrams_each(r, flow_row, &(struct flow_rows){ r, request });
	chan_send(r->chan, MSG_ROW, request, NULL, 0, -1);
}
