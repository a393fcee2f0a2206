/* Frames from workers, by role. */
#include "master/dispatch.h"

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "master/api.h"
#include "master/alarm.h"
#include "master/boot.h"
#include "master/edge.h"
#include "master/rivals.h"
#include "master/handshake.h"
#include "master/hold.h"
#include "master/listeners.h"
#include "master/master.h"
#include "master/ports.h"
#include "master/report.h"
#include "master/show_relays.h"
#include "master/tls.h"
#include "master/tls_plain.h"
#include "master/tunnels.h"
#include "master/udp_ports.h"
#include "master/feed.h"
#include "master/visit.h"
#include "master/vouch.h"

static int
on_ready(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct buf b;

	if (w->state != WORKER_BOOTING)
		return -1;
	buf_read(&b, msg->p, msg->n);
	buf_get_u32(&b, &w->missing);
	worker_set_ready(w);
	log_debug("%s %u (pid %d) is ready", role_name(w->role), w->index,
	    (int)w->pid);
	if (w->role == ROLE_AUTH)
		feed_ready(w->master, w);
	if (w->role == ROLE_TLS || w->role == ROLE_SIGN)
		tls_ready(w);
	if (edge_has(w->role)) {
		edge_place_waiting(w->master);
		listeners_resume(w->master->listeners);
	}
	report_ready(w->master, w);
	if (w->role == ROLE_UDP)
		udp_ports_ready(w->master);
	alarm_ready(w->master, w);
	master_check_ready(w->master);
	return 0;
}

/* A worker that floods the log is not believed but not killed either. */
static bool
may_log(struct worker *w)
{
	uint64_t second = clock_ms() / 1000;

	if (w->log_second != second) {
		if (w->log_lines > DISPATCH_LOG_RATE)
			log_warnx("%s %u (pid %d): %u lines left out",
			    role_name(w->role), w->index, (int)w->pid,
			    w->log_lines - DISPATCH_LOG_RATE);
		w->log_second = second;
		w->log_lines = 0;
	}
	return ++w->log_lines <= DISPATCH_LOG_RATE;
}

static int
on_log(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	char text[TEXT_ESCAPED];

	if (msg->p[0] >= LOG_LEVEL_DISABLE)
		return -1;
	if (may_log(w))
		log_from((enum log_level)msg->p[0], role_name(w->role),
		    (int)w->index, (long)w->pid,
		    text_escape(text, msg->p + 1, msg->n - 1));
	return 0;
}

static int
on_pong(void *arg, const struct msg *msg)
{
	struct worker *w = arg;

	(void)msg;
	if (w->pinged == 0)
		return -1;
	w->pinged = 0;
	return 0;
}

/* Nothing is left: it ends by itself, and its channel with it. */
static int
on_drained(void *arg, const struct msg *msg)
{
	struct worker *w = arg;

	(void)msg;
	return w->state == WORKER_DRAINING ? 0 : -1;
}

static int
on_full(void *arg, const struct msg *msg)
{
	struct worker *w = arg;

	(void)msg;
	worker_exhausted(w);
	w->full = true;
	return 0;
}

static void
takes_again(struct worker *w)
{
	if (w->role == ROLE_REPORT)
		report_drained(w->master);
	if (w->role == ROLE_RELAY)
		ports_resume(w->master->ports, w);
	if (w->role == ROLE_TLS) {
		tls_takes(w->master);
		listeners_resume(w->master->listeners);
	}
	if (!edge_has(w->role))
		return;
	edge_place_waiting(w->master);
	listeners_resume(w->master->listeners);
}

static int
on_room(void *arg, const struct msg *msg)
{
	struct worker *w = arg;

	(void)msg;
	w->full = false;
	takes_again(w);
	return 0;
}

#define COMMON                                                            \
	[MSG_READY] = on_ready, [MSG_LOG] = on_log, [MSG_PONG] = on_pong, \
	[MSG_DRAINED] = on_drained, [MSG_FULL] = on_full, [MSG_ROOM] = on_room

static const chan_handler edge_handlers[MSG_TYPES] = {
	COMMON,
	[MSG_ORIGIN] = edge_on_origin,
	[MSG_VERDICT] = edge_on_verdict,
	[MSG_CLOSED] = edge_on_closed,
};

static const chan_handler relay_handlers[MSG_TYPES] = {
	COMMON,
	[MSG_CLOSED] = tunnel_on_closed,
	[MSG_ATTACHED] = tunnel_on_attached,
	[MSG_TICKET] = tunnel_on_ticket,
	[MSG_SERVICES] = rivals_on_services,
	[MSG_ALIVE] = rivals_on_alive,
	[MSG_ASK] = visit_on_ask,
	[MSG_ROW] = show_on_row,
	[MSG_HS_IN] = handshake_on_in,
	[MSG_HS_FAIL] = handshake_on_relay_fail,
};

static const chan_handler keys_handlers[MSG_TYPES] = {
	COMMON,
	[MSG_HS_OUT] = handshake_on_out,
	[MSG_HS_LOGIN] = handshake_on_login,
	[MSG_HS_MORE] = handshake_on_more,
	[MSG_HS_KEYS] = handshake_on_keys,
	[MSG_HS_FAIL] = handshake_on_keys_fail,
};

static const chan_handler auth_handlers[MSG_TYPES] = {
	COMMON,
	[MSG_USERS_OK] = feed_on_ok,
	[MSG_HS_REPLY] = handshake_on_reply,
	[MSG_HS_GRANT] = handshake_on_grant,
	[MSG_HS_FAIL] = handshake_on_auth_fail,
	[MSG_VOUCH] = vouch_on_ask,
};

static const chan_handler fetch_handlers[MSG_TYPES] = {
	COMMON,
	[MSG_VOUCHED] = vouch_on_answer,
};

static const chan_handler api_handlers[MSG_TYPES] = {
	COMMON,
	[MSG_QUERY] = api_on_query,
};

static const chan_handler log_handlers[MSG_TYPES] = {
	COMMON,
	[MSG_LOG_FULL] = report_on_full,
};

static const chan_handler tls_handlers[MSG_TYPES] = {
	COMMON,
	[MSG_ORIGIN] = edge_on_origin,
	[MSG_HANDSHAKED] = tls_plain_on_handshaked,
	[MSG_CLOSED] = tls_on_closed,
};

static const chan_handler sign_handlers[MSG_TYPES] = { COMMON };

static const chan_handler udp_handlers[MSG_TYPES] = {
	COMMON,
	[MSG_UDP_LOST] = udp_ports_on_lost,
	[MSG_UDP_DROPS] = udp_ports_on_drops,
};

static const chan_handler *
handlers(enum role role)
{
	switch (role) {
	case ROLE_HTTP:
	case ROLE_SNI:
		return edge_handlers;
	case ROLE_RELAY:
		return relay_handlers;
	case ROLE_KEYS:
		return keys_handlers;
	case ROLE_FETCH:
		return fetch_handlers;
	case ROLE_API:
		return api_handlers;
	case ROLE_REPORT:
		return log_handlers;
	case ROLE_TLS:
		return tls_handlers;
	case ROLE_SIGN:
		return sign_handlers;
	case ROLE_UDP:
		return udp_handlers;
	default:
		return auth_handlers;
	}
}

/* One connection, if the dead worker held it. */
static void
lose_conn(void *arg, struct conn *c)
{
	struct worker *w = arg;
	struct master *m = w->master;

	if (c->worker != w)
		return;
	if (edge_has(w->role))
		edge_lost(m, c);
	else if (w->role == ROLE_TLS)
		tls_lost(m, c);
	else if (c->state == CONN_USER)
		visit_end(m, c, 0, 0);
	else if (!tunnel_again(m, c))
		tunnel_end(m, c, END_LOST);
}

static void
on_gone(struct worker *w)
{
	struct master *m = w->master;

	/* Others have begun anew already what these had. */
	if (w->inherited && (w->role == ROLE_KEYS || w->role == ROLE_AUTH))
		return;
	switch (w->role) {
	case ROLE_TLS:
		conns_each(m->conns, lose_conn, w);
		break;
	case ROLE_SIGN: /* the next one is asked again */
		break;
	case ROLE_HTTP:
	case ROLE_SNI:
	case ROLE_RELAY:
		conns_each(m->conns, lose_conn, w);
		tunnels_relay_gone(m, w);
		edge_place_waiting(m);
		break;
	case ROLE_KEYS:
		handshakes_fail_all(m);
		break;
	case ROLE_FETCH:
		vouch_lost(m);
		break;
	case ROLE_API:
		break;	  /* it held nothing of ours */
	case ROLE_REPORT: /* lines wait for the next */
		break;
	case ROLE_UDP:
		/* What drains has been replaced already. */
		if (!w->wanted && !w->inherited)
			udp_ports_worker_gone(m);
		break;
	default:
		feed_gone(m);
		handshakes_fail_all(m);
		break;
	}
	master_worker_gone(m);
}

const struct workers_ops dispatch_ops = {
	.worker = { handlers, takes_again, on_gone },
	.boot = boot_worker,
};
